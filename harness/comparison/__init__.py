"""Runs against each other on the same items: for people who compare, and as a gate for a pipeline."""
