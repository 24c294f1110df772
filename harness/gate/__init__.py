"""Gate: the regression check of a candidate against a baseline."""
