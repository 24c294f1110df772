"""Temperature of a run: fitted on the items whose fact `part` is `validation`, and what it does to the others."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mmbench.harness.ask.sureness import Listener
from mmbench.harness.digest import Json
from mmbench.harness.metrics.calibration import (
    LOG_TEMPERATURE,
    calibration_error,
    fit_temperature,
    negative_log_likelihood,
)
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.types import Outcome

PART, VALIDATION = "part", "validation"
_ROUNDING = 1e-6
_ROUNDED = 1e-3
"""By how much likelihoods in half precision may sum to more than 1."""


class Fitted(NamedTuple):
    """What a run says of the temperature of its model."""

    details: Mapping[str, Json]
    notes: Sequence[str]


def fitted(listener: Listener, outcomes: Sequence[Outcome]) -> Fitted:
    """Return the temperature and, of all other items, calibration without and with it; nothing without probabilities.

    Both are of a softmax of the logits, in which a bias cancels. No label of another item than those of validation has
    a part in the temperature. A note says why none was fitted, or that it is one of the ends between which it is
    sought: validation items that are all right have no best temperature, the less is always the better.
    """
    if not listener.heard:
        return Fitted({}, ())
    more = [_over(listener.mass)] if any(mass > 1 + _ROUNDED for mass in listener.mass) else []
    made: dict[str, Json] = {"temperature": None}
    if listener.mass:
        made["mass"] = float(np.mean(listener.mass))
    held = _validation(listener, outcomes)
    if not held:
        note = f"no temperature was fitted: no item's fact '{PART}' is '{VALIDATION}'"
        return Fitted({"calibration": made}, [*more, note])
    known = set(held)
    rest = [each.id for each in outcomes if each.id in listener.logits and each.id not in known]
    temperature = fit_temperature(*_table(listener, held))
    at_end = abs(abs(np.log(temperature)) - LOG_TEMPERATURE) < _ROUNDING
    made |= {"temperature": temperature, "at_end": bool(at_end), "validation": len(held), "others": len(rest)}
    if rest:
        table, right = _table(listener, rest)
        for name, by in (("before", 1.0), ("after", temperature)):
            shares = _softmax(table / by)
            error = calibration_error(shares.max(axis=1), shares.argmax(axis=1) == right)
            made[name] = {"ece@15": error, "nll": negative_log_likelihood(shares, right)}
    return Fitted({"calibration": made}, [*more, *([_at_end(temperature, len(held))] if at_end else [])])


def _over(mass: Sequence[float]) -> str:
    many = sum(each > 1 + _ROUNDED for each in mass)
    return (
        f"likelihoods of the options sum to more than 1 in {many:,} of {len(mass):,} items: an option begins "
        "like another, or the adapter's scores are no log-probabilities; the probabilities are then not the model's own"
    )


def _at_end(temperature: float, count: int) -> str:
    why = (
        "the right option has the largest logit in all of them, so that every lower temperature fits better"
        if temperature < 1
        else "their logits say less than nothing of the right option, so that every higher temperature fits better"
    )
    return (
        f"the temperature {temperature:.3g} is an end of the range that is searched, by {count:,} validation items: "
        f"{why}; do not use it, and take more validation items"
    )


def _validation(listener: Listener, outcomes: Sequence[Outcome]) -> list[str]:
    return [each.id for each in outcomes if each.facts.get(PART) == VALIDATION and np.isfinite(_own(listener, each.id))]


def _own(listener: Listener, name: str) -> float:
    """Return the logit of the right option; minus infinity fits no temperature."""
    held = listener.logits.get(name)
    return -np.inf if held is None else float(held[0][held[1]])


def _table(listener: Listener, names: Sequence[str]) -> tuple[Floats, np.ndarray]:
    """Return (n, options) logits and the (n,) right options; of items with fewer options the rest are ruled out."""
    held = [listener.logits[name] for name in names]
    table = np.full((len(held), max(len(row) for row, _ in held)), -np.inf)
    for place, (row, _) in enumerate(held):
        table[place, : len(row)] = row
    return table, np.array([right for _, right in held])


def _softmax(table: Floats) -> Floats:
    weights = np.exp(table - table.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
