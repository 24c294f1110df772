"""Kinds of scenes: how each is drawn, and what is said and asked about it."""
