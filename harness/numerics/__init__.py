"""Numeric kernels: ranks, logistic regression and training on stored vectors; the one place for torch in the core."""
