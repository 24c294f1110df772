"""CoCa: captions written, searched and scored with its decoder."""
