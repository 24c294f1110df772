"""Board: models ranked on tasks that were asked alike, with tie groups."""
