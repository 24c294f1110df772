"""Metrics of counting: errors over what was read, so that an unread reply is no error of some size."""

import numpy as np

from mmbench.harness.numerics.arrays import Floats


def mean_of_read(statistics: Floats, weights: Floats) -> Floats:
    """Return the mean over the replies that were read; nan where none was.

    `statistics` is (n, 2): a value, 0 where nothing was read, and 1 or 0; `weights` is (b, n). Returns (b,).

    >>> mean_of_read(np.array([[2.0, 1], [4, 1], [0, 0]]), np.ones((1, 3))).tolist()
    [3.0]
    """
    sums, read = weights @ statistics[:, 0], weights @ statistics[:, 1]
    return np.divide(sums, read, out=np.full_like(sums, np.nan), where=read > 0)


def root_mean_of_read(statistics: Floats, weights: Floats) -> Floats:
    """Return the root of `mean_of_read`.

    >>> root_mean_of_read(np.array([[9.0, 1], [25, 1], [0, 0]]), np.ones((1, 3))).round(4).tolist()
    [4.1231]
    """
    return np.asarray(np.sqrt(mean_of_read(statistics, weights)))


def count_values(predicted: int | None, true: int) -> dict[str, float]:
    """Return whether a number is right, and whether it is within a tenth; both 0 where none was read.

    >>> count_values(11, 10), count_values(None, 10)
    ({'accuracy': 0.0, 'within_10_percent': 1.0}, {'accuracy': 0.0, 'within_10_percent': 0.0})
    """
    if predicted is None:
        return {"accuracy": 0.0, "within_10_percent": 0.0}
    # In whole numbers: a tenth of 30 is no float.
    return {
        "accuracy": float(predicted == true),
        "within_10_percent": float(10 * abs(predicted - true) <= true),
    }


def count_statistics(predicted: int | None, true: int) -> dict[str, tuple[float, ...]]:
    """Return what MAE, RMSE and bias are made from: nothing of a reply that was not read.

    >>> count_statistics(7, 10)["mae"], count_statistics(7, 10)["bias"], count_statistics(None, 10)["mae"]
    ((3.0, 1.0), (-3.0, 1.0), (0.0, 0.0))
    """
    if predicted is None:
        return dict.fromkeys(("mae", "rmse", "bias"), (0.0, 0.0))
    error = float(predicted - true)
    return {"mae": (abs(error), 1.0), "rmse": (error * error, 1.0), "bias": (error, 1.0)}
