"""Adapters: one file per kind of model; heavy libraries are imported here only, and lazily."""
