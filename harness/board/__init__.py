"""Board: models ranked on tasks with equal protocols, with tie groups."""
