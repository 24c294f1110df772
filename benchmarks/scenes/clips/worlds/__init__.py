"""Worlds in motion, one kind of happening each."""
