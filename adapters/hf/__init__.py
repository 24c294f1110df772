"""Adapter of transformers checkpoints: repositories of the hub and folders."""
