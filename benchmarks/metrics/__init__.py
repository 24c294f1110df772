"""Metrics: pure functions with their sources."""
