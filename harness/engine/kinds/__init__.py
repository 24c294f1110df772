"""Kinds of questions to an adapter, one file each: how it is called, how its answer is checked and stored."""
