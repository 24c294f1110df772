"""Probes: few-shot and full classifiers on frozen vectors."""
