"""Corruptions: pictures made worse as photographs are, in kinds and strengths of ImageNet-C."""
