"""Scores: outcomes turned into values with intervals."""
