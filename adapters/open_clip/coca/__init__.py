"""CoCa: writing, searching and scoring captions with its decoder."""
