"""Worlds: kinds of scenes, how each is drawn, and the captions and questions about it."""
