"""One ranked list: nDCG, average precision, reciprocal rank; what ties counts by the mean over all orders of it."""

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import one_of, same_length, vector, whole
from mmbench.harness.numerics.arrays import Floats


def ndcg(scores: npt.ArrayLike, relevance: npt.ArrayLike, k: int | None = None, gain: str = "linear") -> float:
    """Return the normalised discounted cumulative gain of the first k of n items (None: of all), 0..1.

    `scores` is (n,), the higher the earlier, minus infinity for an item that was not retrieved: it stands nowhere, and
    counts in the ideal order alone. `relevance` is (n,), 0 or more, 0 for an item that nobody judged; items left out of
    both are as if they did not exist, so give all relevant ones. `gain` `linear` is relevance / log2(rank + 1), as in
    trec_eval; `exponential` 2^relevance - 1 in its place. Items of one score are in random order and count by their
    expectation. nan where nothing is relevant.

    Source: Jarvelin and Kekalainen 2002, doi:10.1145/582415.582418. Raises ArgumentError, a ValueError.

    >>> round(ndcg([0.9, 0.8, 0.7], [0, 2, 1], 2), 4)  # (2 / log2 3) / (2 + 1 / log2 3)
    0.4796
    >>> round(ndcg([0.5, 0.5], [1, 0], 1), 4)
    0.5
    """
    one_of(gain, "gain", ("linear", "exponential"))
    blocks = _Blocks(scores, relevance)
    gained = blocks.relevance if gain == "linear" else np.exp2(blocks.relevance) - 1
    ideal = np.sort(gained)[::-1]
    expected = blocks.mean(gained)
    first = _cut(k, len(ideal))
    discount = 1 / np.log2(np.arange(2, len(ideal) + 2))
    best = float(ideal[:first] @ discount[:first])
    return float(expected[:first] @ discount[: len(expected)][:first]) / best if best else float("nan")


def average_precision(
    scores: npt.ArrayLike, relevance: npt.ArrayLike, k: int | None = None, divisor: str = "relevant"
) -> float:
    """Return the mean over the relevant items of the precision at their ranks, 0..1; those after rank k count 0.

    Arguments as `ndcg`; relevant is what has a relevance above 0. `divisor` `relevant` divides by all of them, as
    trec_eval; `reachable` by at most k, as CIRCO. nan where nothing is relevant. Source of the expectation over ties:
    McSherry and Najork 2008, doi:10.1007/978-3-540-78646-7_38.

    >>> round(average_precision([0.9, 0.8, 0.7], [1, 0, 1]), 4)  # (1 + 2/3) / 2
    0.8333
    >>> average_precision([0.5, 0.5], [1, 0])  # first or second
    0.75
    """
    one_of(divisor, "divisor", ("relevant", "reachable"))
    blocks = _Blocks(scores, relevance)
    right = (blocks.relevance > 0).astype(np.float64)
    total = right.sum()
    if not total:
        return float("nan")
    share = blocks.mean(right)  # the chance that the item at a rank is relevant
    within = blocks.rank - blocks.above  # 1-based place inside the block of ties
    hits = share * blocks.size
    others = np.where(blocks.size > 1, (within - 1) * (hits - 1) / np.maximum(blocks.size - 1, 1), 0.0)
    before = np.concatenate([[0.0], np.cumsum(share)])[blocks.above]  # relevant items above the block
    first = _cut(k, len(right))
    found = float(np.sum((share * (before + 1 + others) / blocks.rank)[:first]))
    return found / float(min(total, first) if divisor == "reachable" else total)


def reciprocal_rank(scores: npt.ArrayLike, relevance: npt.ArrayLike, k: int | None = None) -> float:
    """Return 1 / the rank of the first relevant item, 0 where none is retrieved, or none among the first k.

    Arguments as `average_precision`. nan where nothing is relevant.

    >>> reciprocal_rank([0.9, 0.8, 0.7], [0, 1, 1]), reciprocal_rank([0.5, 0.5], [1, 0])
    (0.5, 0.75)
    """
    blocks = _Blocks(scores, relevance)
    right = (blocks.relevance > 0).astype(np.float64)
    if not right.any():
        return float("nan")
    share = blocks.mean(right)
    found = np.flatnonzero(share > 0)
    if not len(found):
        return 0.0
    above = int(blocks.above[found[0]])
    size = int(blocks.size[found[0]])
    hits = round(float(share[found[0]]) * size)
    chance, total = 1.0, 0.0  # chance: that none of the block's items so far is relevant
    for place in range(min(size - hits + 1, max(0, _cut(k, len(right)) - above))):
        total += chance * hits / (size - place) / (above + place + 1)
        chance *= 1 - hits / (size - place)
    return total


class _Blocks:
    """Items in order of their scores, with the block of equal scores that each rank lies in; those retrieved alone."""

    def __init__(self, scores: npt.ArrayLike, relevance: npt.ArrayLike) -> None:
        made, self.relevance = vector(scores, "scores", finite=False), vector(relevance, "relevance")
        same_length(("scores", made), ("relevance", self.relevance))
        if self.relevance.min() < 0:
            raise ArgumentError("relevance is 0 or more; give 0 for what is not relevant")
        self.retrieved = np.flatnonzero(~np.isneginf(made))
        _, block = np.unique(-made[self.retrieved], return_inverse=True)
        count = np.bincount(block)
        self._block = block
        self.size = np.repeat(count, count)
        """(m,) items that share a score with that of each rank."""
        self.above = np.repeat(np.cumsum(count) - count, count)
        """(m,) items above them."""
        self.rank = np.arange(1, len(self.size) + 1)
        """(m,) 1, 2, …"""

    def mean(self, values: Floats) -> Floats:
        """Return (m,): what is expected of (n,) values at each rank."""
        if not len(self._block):
            return np.zeros(0)
        sums = np.bincount(self._block, values[self.retrieved])
        return np.asarray(np.repeat(sums / np.bincount(self._block), np.bincount(self._block)))


def _cut(k: int | None, items: int) -> int:
    return items if k is None else min(whole(k, "k"), items)
