"""Metrics of arrays, as pure functions: what the core, families, adapters and notebooks compute alike."""
