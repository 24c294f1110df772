"""Clips: scenes in motion, drawn in blocks so that what a still or unordered frames tell of the answer is exact."""
