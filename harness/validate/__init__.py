"""Checks of a task and its data before a model is asked: unreadable pictures, what comes twice, balance."""
