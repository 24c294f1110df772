"""Data sources: folders, files, and data that ships with a library."""
