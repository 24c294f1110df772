"""Shared parts of families: rows to samples, wording, and chance level."""
