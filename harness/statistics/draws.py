"""Mean over items and draws (episodes): the interval of a score that would differ with others of either."""

import numpy as np

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.clusters import Clusters, cluster_codes, student_share
from mmbench.harness.statistics.mid_p import proportion_interval
from mmbench.harness.statistics.shares import Shares, share_interval


def mean_over_draws_interval(table: Floats, clusters: Clusters, confidence: float = 0.95) -> tuple[float, float] | None:
    """Return the interval of the mean of an (items, draws) table of values in 0 to 1; None for one cluster.

    The variance over items and that over draws add up, less what both hold of their interaction, as in a crossed layout
    (Cameron, Gelbach and Miller 2011), and Wilson's interval takes as many items as have that variance. Few draws tell
    little of their own spread, for which Student's quantile stands, with the degrees of freedom of Satterthwaite 1946.

    >>> rng = np.random.default_rng(0)
    >>> right = (rng.random((200, 3)) < np.array([0.5, 0.6, 0.7])).astype(float)
    >>> [round(end, 2) for end in mean_over_draws_interval(right, np.arange(200))]
    [0.3, 0.81]
    """
    items, draws = table.shape
    codes, count = cluster_codes(clusters)
    if count < 2:
        return None
    rows = table.mean(axis=1)
    if draws < 2:
        return share_interval(Shares(rows, np.ones(items)), clusters, confidence)
    value = float(rows.mean())
    moved = np.bincount(codes, rows - value, minlength=count) / items
    of_items = count / (count - 1) * float(moved @ moved)
    columns = table.mean(axis=0)
    of_draws = float(columns.var(ddof=1)) / draws
    rest = table - rows[:, None] - columns + value
    parts = np.stack([np.bincount(codes, rest[:, i], minlength=count) for i in range(draws)], axis=1) / items
    both = float((parts**2).sum()) * count / (count - 1) / (draws * (draws - 1))
    variance = max(of_items, of_draws, of_items + of_draws - both)
    coins = value * (1 - value)
    if variance <= 0 or coins <= 0:
        return share_interval(Shares(rows, np.ones(items)), clusters, confidence)
    freedom = variance**2 / (of_items**2 / (count - 1) + of_draws**2 / (draws - 1))
    worth = coins / variance * student_share(confidence, max(1.0, min(freedom, items - 1.0)))
    return proportion_interval(value * worth, worth, confidence)
