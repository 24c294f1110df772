"""Leaderboards: who is better, how surely, and what was published elsewhere."""
