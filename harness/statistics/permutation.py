"""Sign-flip test of paired runs, by cluster."""

import numpy as np

from mmbench.harness.numerics.arrays import Floats

FLIPS = 9999
"""Random assignments of signs; with the one observed they resolve a p of 1 in 10,000."""
MOST_ENUMERATED = 13
"""Up to so many clusters that differ, all assignments are fewer than `FLIPS`."""


def sign_flip(sums: Floats, seed: int = 0) -> tuple[float, float]:
    """Return the two-sided p, and the one-sided p of a sum this low, of (clusters,) summed differences.

    A cluster's sum is as likely with either sign where the runs do not differ (Fisher 1935). All assignments of signs
    are tried where they are few, else `FLIPS` at random.

    >>> sign_flip(np.array([-1.0, -2.0, -3.0, 0.0]))
    (0.25, 0.125)
    """
    sums = sums[sums != 0]  # no sign changes nothing
    if len(sums) <= MOST_ENUMERATED:
        totals = np.zeros(1)
        for each in sums:
            totals = np.concatenate([totals + each, totals - each])
        return tail_shares(float(sums.sum()), totals, drawn=False)
    return tail_shares(float(sums.sum()), _flipped(sums, seed), drawn=True)


def tail_shares(observed: float, null: Floats, *, drawn: bool) -> tuple[float, float]:
    """Return the shares of (r,) null values as far from 0 as the observed one, and as low.

    Where they were `drawn` at random the observed one counts as one more, without which a p could be 0 (Phipson and
    Smyth 2010).

    >>> tail_shares(-2.0, np.array([-2.0, 0.0, 1.0]), drawn=True)
    (0.5, 0.5)
    """
    slack = 1e-9 * max(abs(observed), float(np.abs(null).max(initial=0.0)))  # sums in another order differ by rounding
    more = int(drawn)
    both = int(np.count_nonzero(np.abs(null) >= abs(observed) - slack)) + more
    low = int(np.count_nonzero(null <= observed + slack)) + more
    return both / (len(null) + more), low / (len(null) + more)


def _flipped(sums: Floats, seed: int) -> Floats:
    """Return (FLIPS,) sums under random signs."""
    # One random byte signs eight clusters: the 256 sums that it can make of them are looked up, not added.
    signs = 1.0 - 2.0 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    tables = np.pad(sums, (0, -len(sums) % 8)).reshape(-1, 8) @ signs.T
    rng = np.random.default_rng(seed)
    totals = np.zeros(FLIPS)
    for table in tables:
        totals += table.take(np.frombuffer(rng.bytes(FLIPS), np.uint8), mode="clip")  # which spares a check of bounds
    return totals
