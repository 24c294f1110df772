"""Metrics of yes-or-no answers: precision, recall and F1 of yes, and the share of yes (POPE)."""

import numpy as np

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.shares import Shares


def precision(statistics: Floats, weights: Floats) -> Floats:
    """Return right yes / all yes; nan where nothing was answered yes.

    `statistics` is (n, 4): yes rightly, yes wrongly, yes missed, 1; `weights` is (b, n). Returns (b,).

    >>> precision(np.array([[1.0, 0, 0, 1], [0, 1, 0, 1], [1, 0, 0, 1]]), np.ones((1, 3))).round(3)
    array([0.667])
    """
    right, wrong, _, _ = (weights @ statistics).T
    return _share(right, right + wrong)


def recall(statistics: Floats, weights: Floats) -> Floats:
    """Return right yes / all that are yes; nan where nothing is yes. Arguments as `precision`.

    >>> recall(np.array([[1.0, 0, 0, 1], [0, 0, 1, 1]]), np.ones((1, 2)))
    array([0.5])
    """
    right, _, missed, _ = (weights @ statistics).T
    return _share(right, right + missed)


def f1(statistics: Floats, weights: Floats) -> Floats:
    """Return the harmonic mean of precision and recall over all items together. Arguments as `precision`.

    It is not the mean of the F1 of parts (POPE's three settings, say).

    >>> f1(np.array([[1.0, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1]]), np.ones((1, 3)))
    array([0.5])
    """
    right, wrong, missed, _ = (weights @ statistics).T
    return _share(2 * right, 2 * right + wrong + missed)


def yes_rate(statistics: Floats, weights: Floats) -> Floats:
    """Return the share of items answered yes. Arguments as `precision`.

    >>> yes_rate(np.array([[1.0, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1], [0, 0, 0, 1]]), np.ones((1, 4)))
    array([0.5])
    """
    right, wrong, _, one = (weights @ statistics).T
    return _share(right + wrong, one)


def precision_shares(statistics: Floats) -> Shares:
    """Return what (n, 4) items, as of `precision`, add to it."""
    return Shares(statistics[:, 0], statistics[:, 0] + statistics[:, 1])


def recall_shares(statistics: Floats) -> Shares:
    """Return what (n, 4) items add to recall."""
    return Shares(statistics[:, 0], statistics[:, 0] + statistics[:, 2])


def f1_shares(statistics: Floats) -> Shares:
    """Return what (n, 4) items add to the share s of right yes among all yes, said or true; F1 is 2 s / (1 + s)."""
    return Shares(statistics[:, 0], statistics[:, :3].sum(axis=1), link=lambda share: 2 * share / (1 + share))


def yes_shares(statistics: Floats) -> Shares:
    """Return what (n, 4) items add to the share answered yes."""
    return Shares(statistics[:, 0] + statistics[:, 1], statistics[:, 3])


def _share(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0))


def official_yes(reply: str) -> bool:
    """Tell whether POPE's own script takes a reply for a yes: all but `No`, `no` or `not` in its first sentence.

    A sentence ends at the first point, commas are dropped, words are what blanks part. It takes `I cannot tell` for a
    yes, so that its figures are shown beside others and never in their place.
    Source: evaluate.py of github.com/RUCAIBox/POPE.

    >>> official_yes("I cannot tell."), official_yes("No, there is a cat."), official_yes("There is not. Yes.")
    (True, False, False)
    """
    first = reply.partition(".")[0].replace(",", "")
    return not {"No", "not", "no"} & set(first.split(" "))
