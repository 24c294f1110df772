"""Protocols of the field, each written once."""
