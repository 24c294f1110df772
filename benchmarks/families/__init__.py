"""Families: protocols of the field, each written once."""
