"""Shared parts of adapters: devices and the model hub."""
