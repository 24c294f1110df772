"""A first task file for data that nobody has described yet: what it is, what its columns mean, and the text of it."""
