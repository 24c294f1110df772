"""Metrics: pure functions, each citing its source."""
