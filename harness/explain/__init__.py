"""Explanation of a choice: which parts of a picture the score of the option that a model chose depends on."""
