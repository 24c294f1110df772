"""Embedded models: a CoCa small enough to ship, and its training on the embedded scenes."""
