"""What several kinds of adapters need: devices and the model hub."""
