"""Agreement of two observers on what they get right."""

import numpy.typing as npt

from mmbench.harness.metrics.arguments import same_length, truths


def error_consistency(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return Cohen's kappa of two (n,) arrays of right (1) and wrong (0) on the same items, 1 where they never differ.

    (observed - expected) / (1 - expected), with the agreement that two independent observers of these accuracies are
    expected to have. Near an accuracy of 0 or 1 it is mostly noise. Source: Geirhos et al. 2020, arXiv 2006.16736.
    Raises ArgumentError, a ValueError.

    >>> error_consistency([1, 1, 0, 0], [1, 1, 0, 0]), error_consistency([1, 1, 0, 0], [1, 0, 1, 0])
    (1.0, 0.0)
    """
    one, other = truths(a, "a"), truths(b, "b")
    same_length(("a", one), ("b", other))
    observed = float((one == other).mean())
    p, q = float(one.mean()), float(other.mean())
    expected = p * q + (1 - p) * (1 - q)
    return 1.0 if observed == 1 else (observed - expected) / (1 - expected)
