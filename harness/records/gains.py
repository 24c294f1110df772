"""Gains of a record: what its primary score has over its controls, from the outcomes beside the records."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from mmbench.harness.digest import Json
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.outcomes import read_outcomes
from mmbench.harness.records.record import Record
from mmbench.harness.scores.gain import GAINS, Gain, GainName, controls_of, gain_over
from mmbench.harness.tasks.metric_names import metric_named

Over: TypeAlias = Callable[[Entry, Sequence[Entry]], Gain | None]
"""What a record has over the best of these controls."""


def read_gain(entry: Entry, controls: Sequence[Entry]) -> Gain | None:
    """Return what a record's primary score has over the best of these controls; None where it is not defined.

    Raises UsageError where outcomes cannot be read, or the metric is of a plug-in that is not here.
    """
    metric = metric_named(entry.record.family, entry.record.primary.metric)
    shown = {str(each.record.control): read_outcomes(each.path, each.record.outcomes_digest) for each in controls}
    return gain_over(metric, read_outcomes(entry.path, entry.record.outcomes_digest), shown)


def gains_of(entry: Entry, controls: Sequence[Entry], over: Over = read_gain) -> dict[GainName, Gain]:
    """Return each gain that a record has over those of its controls that the gain is over."""
    found: dict[GainName, Gain] = {}
    for name in GAINS:
        named = controls_of(name, [str(each.record.control) for each in controls])
        mine = [each for each in controls if each.record.control in named]
        made = over(entry, mine) if mine else None
        if made is not None:
            found[name] = made
    return found


def asked(record: Record) -> tuple[Json, ...]:
    """Return what a record shares with its controls."""
    return (record.model, record.reference, record.protocol, record.route, record.partial)
