"""Temperature of a run: fitted on the items whose fact `part` is `validation`, and what it does to the others."""

from collections.abc import Mapping, Sequence

import numpy as np

from mmbench.harness.ask.sureness import Listener
from mmbench.harness.digest import Json
from mmbench.harness.metrics.calibration import calibration_error, fit_temperature, negative_log_likelihood
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.types import Outcome

PART, VALIDATION = "part", "validation"


def notes(listener: Listener, outcomes: Sequence[Outcome]) -> list[str]:
    """Return why no temperature was fitted, where there are probabilities."""
    if not listener.heard or _validation(listener, outcomes):
        return []
    return [f"no temperature was fitted: no item's fact '{PART}' is '{VALIDATION}'"]


def details(listener: Listener, outcomes: Sequence[Outcome]) -> Mapping[str, Json]:
    """Return the temperature and, of all other items, calibration without and with it; nothing without probabilities.

    Both are of a softmax of the logits, in which a bias cancels. No label of another item than those of validation has
    a part in the temperature.
    """
    if not listener.heard:
        return {}
    fitted = _validation(listener, outcomes)
    if not fitted:
        return {"calibration": {"temperature": None}}
    rest = [each.id for each in outcomes if each.id in listener.logits and each.id not in set(fitted)]
    temperature = fit_temperature(*_table(listener, fitted))
    made: dict[str, Json] = {"temperature": temperature, "validation": len(fitted), "others": len(rest)}
    if rest:
        table, right = _table(listener, rest)
        for name, by in (("before", 1.0), ("after", temperature)):
            shares = _softmax(table / by)
            error = calibration_error(shares.max(axis=1), shares.argmax(axis=1) == right)
            made[name] = {"ece@15": error, "nll": negative_log_likelihood(shares, right)}
    return {"calibration": made}


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
