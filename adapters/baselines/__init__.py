"""Baselines: adapters without weights, for chance level and raw pixels."""
