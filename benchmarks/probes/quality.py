"""Selection criterion of a hyper-parameter sweep: the figure that the task reports, the same for every method."""

import numpy as np

from mmbench.benchmarks.metrics.classification import mean_average_precision
from mmbench.benchmarks.probes.labelled import Labelled, Scores
from mmbench.harness.errors import DataError


def quality(scores: Scores, validation: Labelled) -> float:
    """Return accuracy in 0..1, or mean average precision for multi-label data, of (n, classes) scores.

    Of tied classes the first is taken. Raises DataError where nothing can be chosen on `validation`.

    >>> shown = Labelled(np.zeros((2, 3)), np.array([1, 0]), classes=2)
    >>> quality(np.array([[0.0, 1.0], [0.0, 1.0]]), shown)
    0.5
    """
    check_choice(validation)
    labels = validation.labels
    if validation.multi_label:
        return float(
            mean_average_precision(np.hstack([scores, labels.astype(np.float64)]), np.ones((1, len(labels))))[0]
        )
    return float(np.mean(scores.argmax(axis=1) == labels))


def check_choice(validation: Labelled) -> None:
    """Raise DataError, with what to do, where validation has nothing to choose a hyper-parameter by."""
    labels = validation.labels
    if not labels.any() if validation.multi_label else not len(labels):
        raise DataError(
            "no hyper-parameter can be chosen, as validation has no labelled item (where none is named it is a fifth "
            "of each class of train): add training items, mark some rows 'val', or set `sweep: false`"
        )
