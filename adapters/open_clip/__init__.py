"""Adapter of open_clip models: published tags, checkpoints, folders, and models in memory."""
