"""Probes: classifiers fitted on stored vectors with few or many labels."""
