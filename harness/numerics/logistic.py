"""Logistic regression on stored vectors, kept here because a sweep over its strengths is the costliest computation."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from mmbench.harness.numerics.arrays import Floats

Matrix = npt.NDArray[Any]

BLOCK = 2**19
"""Numbers in a block of logits: it stays in cache between the two products that it stands between."""

PAIRS = 20
"""Steps that L-BFGS remembers."""

STEPS = 1000
"""Most steps of one fit: scikit-learn's `max_iter` in CLIP's protocol."""

STALLED = 50
"""Steps without a smaller error after which the error is taken to be that of rounding."""

TRIES = 10
"""Most points that are looked at along one direction."""

ROUGH, FINE = 1e-3, 1e-9
"""Errors of the fits on the way and of a final one, in parts of the spread of the logits."""

WAY = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Shares of C that a fit passes through: from nothing straight to a weak penalty L-BFGS can lose its way."""

REACH = 3.0
"""Factor of C within which a diagonal of the loss's Hessian is good enough a guess."""

SMALL = 50_000_000
"""Products of so many numbers take less time than threads take to begin and to wait for each other: on a busy machine
a hundred times as long."""

Precision = type[np.float32] | type[np.float64]

_Pair = tuple[Floats, Floats]
_Curved = tuple[Floats, Floats, float]
"""A step and the change of the loss's gradient along it; without C, so that it serves every C."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """A linear classifier of vectors as they were given."""

    weights: Floats
    """(d, columns)."""
    intercept: Floats
    """(columns,)."""

    def logits(self, features: Matrix) -> Floats:
        """Return the (n, columns) logits of (n, d) vectors, whose precision is that of the product."""
        product = features @ self.weights.astype(features.dtype)
        return np.asarray(product + self.intercept, np.float64)


@dataclass(frozen=True, slots=True)
class State:
    """How far a fit has come, to be carried on: to another strength, or to a smaller error."""

    weights: Floats
    """(rank + 1, columns) in the basis of the problem; the last row is the intercept."""
    error: float = np.inf
    """Estimated root mean square distance of the training logits from the optimum's, in the worst column."""


class Problem:
    """Vectors and labels for which minimise C x (sum of losses) + 1/2 |weights|^2, intercepts being free.

    This is the objective of scikit-learn's `LogisticRegression(C=C)`, which CLIP's linear probe uses (Radford et al.
    2021, appendix A.3). `labels` are (n,) column indices: the loss is the cross-entropy of a softmax over the columns;
    or (n, columns) bool: the loss is the cross-entropy of a sigmoid for each column, independent problems solved at
    once (with one column, the binary problem of scikit-learn). Columns must have a row where the label holds, and of
    bool labels one where it does not, since no finite intercept is optimal otherwise.

    Vectors are centred and turned to their principal axes, which changes neither objective nor optimum. There the
    diagonal of the Hessian is a good preconditioner, and L-BFGS (Liu and Nocedal 1989) needs several times fewer steps
    than on the vectors as they are. The products are taken in float32 or float64 as asked, all else in float64.
    Raises ValueError for vectors that are empty or not finite, and for labels that do not fit.

    >>> problem = Problem(np.array([[-1.0], [1.0], [3.0]]), np.array([[False], [True], [True]]))
    >>> fitted = problem.fit(1.0)
    >>> slope, offset = float(fitted.weights[0, 0]), float(fitted.intercept[0])
    >>> residuals = [1 / (1 + np.exp(-slope * x - offset)) - y for x, y in ((-1, 0), (1, 1), (3, 1))]
    >>> bool(abs(sum(residuals)) < 1e-9)  # the derivative by the intercept
    True
    >>> bool(abs(-residuals[0] + residuals[1] + 3 * residuals[2] + slope) < 1e-9)  # and by the weight
    True
    """

    def __init__(self, features: Matrix, labels: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> None:
        if features.ndim != 2 or not features.size or not np.isfinite(features).all():
            raise ValueError(f"vectors of shape {features.shape} are empty or hold NaN or infinity")
        if len(labels) != len(features):
            raise ValueError(f"{len(labels)} labels for {len(features)} vectors")
        self._softmax = labels.ndim == 1
        self._probabilities: Callable[[Matrix], None] = _softmax if self._softmax else _sigmoid
        self.columns = int(labels.max()) + 1 if self._softmax else labels.shape[1]
        self._positives = (np.arange(len(labels)), labels) if self._softmax else np.nonzero(labels)
        held = np.bincount(self._positives[1], minlength=self.columns)
        if not held.all() or (not self._softmax and (held == len(labels)).any()):
            raise ValueError("a column has one label only")
        self._threads = 1 if features.size * self.columns < SMALL else None
        self._blas = ThreadpoolController()
        self._mean = features.mean(axis=0, dtype=np.float64)
        centred = features - self._mean
        with self._blas.limit(limits=self._threads, user_api="blas"):
            # Of R alone: the vectors of QR are never needed, and R is as small as the smaller side.
            spread, self._axes = np.linalg.svd(np.linalg.qr(centred, mode="r"), full_matrices=False)[1:]
        self._rms = np.append(spread / np.sqrt(len(features)), 1.0)[:, None]
        turned = np.empty((len(features), len(self._axes) + 1))
        np.matmul(centred, self._axes.T, out=turned[:, :-1])
        turned[:, -1] = 1.0
        self._turned: dict[type[np.floating], Matrix] = {np.float64: turned, np.float32: turned.astype(np.float32)}
        self._pairs: deque[_Pair] = deque(maxlen=PAIRS)
        self._curved_at, self._curvature = np.inf, np.empty(0)
        self._penalty = np.append(np.ones(len(self._axes)), 0.0)[:, None]

    def start(self) -> State:
        """Return the state without weights, which the optima of small C are near."""
        return State(np.zeros((len(self._rms), self.columns)))

    def classifier(self, state: State) -> Classifier:
        """Return the state as a classifier of vectors as they were given."""
        weights = self._axes.T @ state.weights[:-1]
        return Classifier(weights, state.weights[-1] - self._mean @ weights)

    def fit(self, strength: float) -> Classifier:
        """Return the optimum at C = `strength`, as close as float64 allows."""
        self._pairs.clear()  # so that the result depends on nothing fitted before
        self._curved_at = np.inf
        state = self.start()
        for share in WAY:
            state = self.carry_on(state, share * strength, ROUGH, np.float32)
        state = self.carry_on(state, strength, ROUGH / 10, np.float32)
        return self.classifier(self.carry_on(state, strength, FINE, np.float64))

    def carry_on(self, state: State, strength: float, tolerance: float, dtype: Precision) -> State:
        """Return the state at C = `strength` once its error is `tolerance` parts of the spread of the logits.

        It ends earlier where rounding allows no smaller error, and after 1000 steps. What L-BFGS learns of the loss is
        kept from call to call, so neighbouring strengths are best fitted one after the other.
        """
        with self._blas.limit(limits=self._threads, user_api="blas"):
            return self._carry_on(state, strength, tolerance, dtype)

    def _carry_on(self, state: State, strength: float, tolerance: float, dtype: Precision) -> State:
        weights, least, since = state.weights, np.inf, 0
        curved = not 1 / REACH < strength / self._curved_at < REACH
        loss_slope, curvature = self._derivatives(weights, dtype, curved=curved)
        if curved:
            self._curved_at, self._curvature = strength, curvature
        inverse = 1.0 / (strength * self._curvature + self._penalty)
        pairs = deque((self._curved(*pair, strength) for pair in self._pairs), maxlen=PAIRS)
        for _ in range(STEPS):
            gradient = strength * loss_slope + self._penalty * weights
            direction = -_newton_step(gradient, pairs, lambda x: self._free(inverse * x))
            error = float(np.sqrt(((self._rms * direction) ** 2).sum(axis=0)).max())
            least, since = (error, 0) if error < least else (least, since + 1)
            if since > STALLED or error <= self._goal(weights, tolerance, dtype):
                break
            step, slope_there = self._search(weights, gradient, direction, strength, dtype)
            pair = step, slope_there - loss_slope
            curved_pair = self._curved(*pair, strength)
            if curved_pair[2] > 0:
                self._pairs.append(pair)
                pairs.append(curved_pair)
            weights, loss_slope = weights + step, slope_there
        return State(weights, error)

    def _curved(self, step: Floats, change: Floats, strength: float) -> _Curved:
        """Return a step, how it changes the gradient of the objective at C = `strength`, and their product."""
        whole = strength * change + self._penalty * step
        return step, whole, float(np.vdot(step, whole))

    def _goal(self, weights: Floats, tolerance: float, dtype: Precision) -> float:
        spread = np.sqrt(((self._rms * weights)[:-1] ** 2).sum(axis=0)).max(initial=0.0)
        rounding = 4 * np.finfo(dtype).eps * np.abs(weights[-1]).max()
        return float(max(tolerance * spread, rounding))

    def _free(self, change: Floats) -> Floats:
        """Return what of a change a softmax can see: it is blind to what all columns share, where progress is slow."""
        return change - change.mean(axis=1, keepdims=True) if self._softmax else change

    def _search(
        self, weights: Floats, gradient: Floats, direction: Floats, strength: float, dtype: Precision
    ) -> tuple[Floats, Floats]:
        """Return a step along the direction, and the gradient of the loss there.

        The objective is convex, so its slope along a line tells all: no values are compared, which drown in rounding.
        """
        start = float(np.vdot(gradient, direction))
        low, high, length = (0.0, start), (np.inf, np.inf), 1.0
        for _ in range(TRIES):
            step = length * direction
            there = self._derivatives(weights + step, dtype)[0]
            slope = float(np.vdot(strength * there + self._penalty * (weights + step), direction))
            if 0.9 * start <= slope <= -0.5 * start:
                break
            low, high = (low, (length, slope)) if slope > 0 else ((length, slope), high)
            if low[1] == high[1]:  # as flat as numbers can tell: all vectors are alike
                break
            share = np.clip(low[1] / (low[1] - high[1]), 0.1, 0.9)
            length = low[0] + share * (high[0] - low[0]) if high[0] < np.inf else 2 * length
        return step, there

    def _derivatives(self, weights: Floats, dtype: Precision, *, curved: bool = False) -> tuple[Floats, Floats]:
        """Return the gradient of the sum of losses and, where asked for, the diagonal of its Hessian."""
        turned, narrow = self._turned[dtype], weights.astype(dtype)
        gradient, curvature = np.zeros_like(weights), np.zeros_like(weights)
        rows, columns = self._positives
        sums = np.zeros(self.columns)
        size = max(1, BLOCK // self.columns)
        for start in range(0, len(turned), size):
            block = turned[start : start + size]
            values = block @ narrow
            self._probabilities(values)
            if curved:
                curvature += np.square(block).T @ (values * (1 - values))
            own = slice(*np.searchsorted(rows, (start, start + size)))
            values[rows[own] - start, columns[own]] -= 1
            gradient += (values.T @ block).T  # the faster way round
            sums += values.sum(axis=0, dtype=np.float64)
        gradient[-1] = sums
        curvature[-1] += 1e-9 * len(turned)  # of an intercept nothing else holds where all probabilities are 0 or 1
        return gradient, curvature


def _newton_step(gradient: Floats, pairs: Sequence[_Curved], guess: Callable[[Floats], Floats]) -> Floats:
    """Return the inverse Hessian times the gradient, guessed and corrected by the pairs (two-loop recursion)."""
    result, shares = gradient.copy(), []
    for step, change, product in reversed(pairs):
        shares.append(np.vdot(step, result) / product)
        result -= shares[-1] * change
    result = guess(result)
    if pairs:
        step, change, product = pairs[-1]
        result *= product / np.vdot(change, guess(change))
    for (step, change, product), share in zip(pairs, reversed(shares), strict=True):
        result += (share - np.vdot(change, result) / product) * step
    return result


def _softmax(logits: Matrix) -> None:
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)


def _sigmoid(logits: Matrix) -> None:
    logits *= 0.5
    np.tanh(logits, out=logits)
    logits += 1
    logits *= 0.5
