"""Replay: recorded replies, scores and vectors in place of a model that cannot run here."""
