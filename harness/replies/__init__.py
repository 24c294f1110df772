"""Replies: which option a free reply names, or why it names none."""
