"""Diagnosis of an embedding space: vectors of a task's pictures and texts, and the field's figures of them."""
