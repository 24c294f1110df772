"""Version of the matcher, apart from it: every task tells it, and few runs match a reply."""

VERSION = 8
"""Part of the protocol id of every task that is asked in writing."""
