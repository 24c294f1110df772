"""Baselines: adapters without weights that mark what chance and raw pixels reach."""
