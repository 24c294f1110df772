"""Macro average over tasks with an interval that carries through the tasks' own and the pictures they share."""

from collections.abc import Sequence
from statistics import fmean

import numpy as np

from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.estimate import Estimate


def macro_average(scores: Sequence[Estimate], together: Floats) -> Estimate:
    """Return the mean of t scores with its interval, by their (t, t) correlations.

    Half the lengths of the scores' own intervals combine as standard errors do, by the correlations (as in the method
    of variance estimates recovery, Zou and Donner 2008), so that one task keeps its interval, and one with every item
    right, whose resamples do not vary, stays unsure. How far an interval leans to one side tells the skewness of its
    score, of which a mean keeps the less the more independent tasks it has. Without an interval of each score there is
    none.

    >>> made = macro_average([Estimate(0.5, 0.4, 0.6), Estimate(0.7, 0.6, 0.8)], np.eye(2))
    >>> round(made.value, 2), round(made.low, 2), round(made.high, 2)
    (0.6, 0.53, 0.67)
    """
    value = fmean(score.value for score in scores)
    ends = [(score.low, score.high) for score in scores if score.low is not None and score.high is not None]
    if len(ends) < len(scores):
        return Estimate(value, None, None)
    values = np.array([score.value for score in scores])
    low, high = np.array(ends).T
    half, lean = (high - low) / 2, (high + low) / 2 - values
    apart, joined = half @ half, half @ together @ half
    if apart == 0:
        return Estimate(value, value, value)
    reach = np.sqrt(max(0.0, joined)) / len(values)
    # Third moments add as variances do: of t alike and independent scores the mean leans a t-th as far, of one and the
    # same score as far.
    shift = float(np.clip((lean @ half**2) / apart * joined / apart / len(values), -reach, reach))
    # A mean cannot reach further than all scores together; rounding must not lead past the best value.
    return Estimate(
        value,
        max(value + shift - float(reach), float(low.mean())),
        min(value + shift + float(reach), float(high.mean())),
    )


def correlation(replicates: Floats, unknown: float) -> Floats:
    """Return (t, t) correlations of the columns of (r, t) replicates.

    Columns that are constant, or NaN in most rows, show none: among each other it is taken to be `unknown`, with the
    rest 0.
    """
    defined = np.isfinite(replicates)
    flat = defined.mean(axis=0) < 0.5
    rows = defined[:, ~flat].all(axis=1)
    made = np.zeros((replicates.shape[1],) * 2)
    if rows.sum() > 1:
        kept = replicates[rows]
        with np.errstate(invalid="ignore"):
            spread = kept.std(axis=0)
        flat |= ~(spread > 1e-6 * np.maximum(1.0, np.abs(kept.mean(axis=0))))
        centred = (kept[:, ~flat] - kept[:, ~flat].mean(axis=0)) / spread[~flat]
        # Of so small a product the threads of a library would take more time than they save.
        columns = np.ascontiguousarray(centred.T)
        made[np.ix_(~flat, ~flat)] = np.einsum("ir,jr->ij", columns, columns) / rows.sum()
    else:
        flat[:] = True
    made[np.ix_(flat, flat)] = unknown
    np.fill_diagonal(made, 1.0)
    return made
