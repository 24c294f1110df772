"""Verify: published figures of a model beside those that are measured here."""
