"""Statistics: intervals, paired tests, adjustments, power and ranks; arrays in, numbers out."""
