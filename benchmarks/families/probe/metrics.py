"""Probe metrics: of one fit, of an episode over its seeds, and of the whole learning curve."""

import numpy as np

from mmbench.benchmarks.metrics.classification import (
    mean_average_precision,
    mean_per_class_recall,
    per_class_shares,
)
from mmbench.benchmarks.metrics.shots import shots_to_reach
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.tasks.metric import Metric


def lesson_metric(name: str, kind: str, *, averaged: bool) -> Metric:
    """Return the metric of one lesson, or of an episode averaged over its seeds."""
    over = " Mean over the episodes." if averaged else ""
    if kind == "accuracy":
        return Metric(name, f"The right class is the likeliest.{over}", draws=averaged, among_others=True)
    if kind == "mean_per_class_recall":
        words = f"Recall averaged over classes.{over}"
        return Metric(name, words, aggregate=mean_per_class_recall, shares=per_class_shares)
    return Metric(name, f"Average precision averaged over classes.{over}", aggregate=mean_map)


def mean_map(statistics: Floats, weights: Floats) -> Floats:
    """Return mean average precision, averaged over the draws.

    `statistics` is (n, 1 + (draws + 1) * classes): in each row the number of classes, the scores of each draw, and 0/1
    targets, so that a table tells by itself how it is read.
    """
    classes, cells = int(statistics[0, 0]), statistics[:, 1:]
    draws, targets = np.split(cells[:, :-classes], cells.shape[1] // classes - 1, axis=1), cells[:, -classes:]
    each = [mean_average_precision(np.hstack([drawn, targets]), weights) for drawn in draws]
    return np.asarray(np.mean(each, axis=0))


def efficiency(statistics: Floats, weights: Floats) -> Floats:
    """Return the shots at which the mean curve reaches accuracy without shots.

    `statistics` is (n, 1 + 2 * k): in each row whether it is right without shots, the k numbers of shots, and how often
    it is right after each.
    """
    places = statistics.shape[1] // 2
    means = weights @ statistics / weights.sum(axis=1, keepdims=True)
    return shots_to_reach(statistics[0, 1 : 1 + places], means[:, 1 + places :], means[:, 0])


def curve_metric(name: str) -> Metric:
    """Return `shots_auc` or `efficiency`."""
    if name == "shots_auc":
        return Metric(name, "Area under accuracy over log2 of the shots, divided by its width.", draws=True)
    words = "Shots at which the curve reaches zero-shot accuracy, log-linear between two (Radford et al. 2021, 3.2)."
    return Metric(name, words, higher_is_better=False, lowest=1.0, best=None, proportion=False, aggregate=efficiency)


KNOWN = [
    *(
        lesson_metric(name, name.rpartition("/")[2], averaged=name[0] == "4" and "seed" not in name)
        for name in (
            "full/accuracy",
            "4-shot/accuracy",
            "4-shot/seed0/accuracy",
            "0-shot/accuracy",
            "full/mean_per_class_recall",
            "4-shot/mean_per_class_recall",
            "full/map",
        )
    ),
    curve_metric("shots_auc"),
    curve_metric("efficiency"),
]
