"""Robustness: the primary score of a task under corruptions, and the share of the uncorrupted one that is retained."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean

from mmbench.harness.ask.corrupted import UNCORRUPTED, is_corruption
from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError
from mmbench.harness.media.corruptions.table import CORRUPTIONS
from mmbench.harness.records.gains import asked
from mmbench.harness.records.record import Record
from mmbench.harness.records.unscored import Lost
from mmbench.harness.tasks.metric_names import metric_named

Value = float | None
"""None where it is not defined."""


@dataclass(frozen=True, slots=True)
class Corrupted:
    """Scores under one corruption."""

    name: str
    by_severity: Mapping[int, Value]
    """Severities that were asked, ascending, to the primary score."""
    mean: Value
    """Over these severities."""
    retained: Value
    """The mean over the score of the same pictures uncorrupted."""


@dataclass(frozen=True, slots=True)
class Robustness:
    """Scores of one task under corruptions. It is no mCE, which is relative to AlexNet's errors on ImageNet."""

    record: Record
    """Of the same pictures uncorrupted."""
    corrupted: tuple[Corrupted, ...]
    mean: Value
    """Over the corruptions."""
    retained: Value

    @property
    def about(self) -> str:
        """The metric, and how many items were asked where not all were."""
        items = f", {self.record.dataset['n']:,} items" if self.record.partial else ""
        return f"{self.record.primary.metric}{items}"

    @property
    def severities(self) -> frozenset[int]:
        """Severities of which any corruption was asked."""
        return frozenset(severity for each in self.corrupted for severity in each.by_severity)

    def lines(self, severities: Sequence[int]) -> list[tuple[str, list[Value]]]:
        """Return what a table of these severities shows: names, and beside each its scores, mean and retained share."""
        rows = [(each.name, each.by_severity, each.mean, each.retained) for each in self.corrupted]
        rows += [("all", {}, self.mean, self.retained), (UNCORRUPTED, {}, self.record.primary.value, None)]
        return [(name, [*map(values.get, severities), mean, retained]) for name, values, mean, retained in rows]


def robustness(records: Iterable[Record], lost: Iterable[Lost] = ()) -> list[Robustness]:
    """Return it for each task and model that was asked beside corrupted pictures and the same ones uncorrupted.

    What was asked and `lost` has no score, and with it no mean is one of the rest.
    """
    alike: defaultdict[tuple[Json, ...], dict[str, Record]] = defaultdict(dict)
    for record in records:
        if record.control is not None and is_corruption(record.control):
            alike[asked(record)][record.control] = record
    missing = [each for each in lost if each.control is not None and is_corruption(each.control)]
    made = []
    for held in alike.values():
        clean = held.pop(UNCORRUPTED, None)
        if clean is not None and held:
            mine = {str(each.control) for each in missing if each[:2] == (clean.model, clean.reference)}
            made.append(_robustness(clean, {**dict.fromkeys(mine - {UNCORRUPTED}), **held}))
    return made


HOW = (
    "mean: over severities, and over corruptions; retained: the mean over the score of the same pictures uncorrupted; "
    "pictures are scaled and not cropped, so that these are no figures of ImageNet-C"
)
"""How a table of it is read."""


def _robustness(clean: Record, held: Mapping[str, Record | None]) -> Robustness:
    whole = clean.primary.value if _is_share(clean) else None
    found: defaultdict[str, dict[int, Value]] = defaultdict(dict)
    for control, record in sorted(held.items()):
        name, _, severity = control.partition("@")
        found[name][int(severity)] = _value(record, clean.primary.metric)
    rows = [(name, found[name], _mean(list(found[name].values()))) for name in CORRUPTIONS if name in found]
    mean = _mean([value for _, _, value in rows])
    return Robustness(
        clean,
        tuple(Corrupted(name, values, value, _over(value, whole)) for name, values, value in rows),
        mean,
        _over(mean, whole),
    )


def _value(record: Record | None, metric: str) -> Value:
    """Return what a record has of a metric, which may be another than its primary one: a task's order may change."""
    scores = record.scores if record else ()
    return next((score.value for score in scores if score.metric == metric), None)


def _is_share(record: Record) -> bool:
    """Tell whether more of the primary metric is better, and 0 the worst: only of such scores a part can be kept."""
    with suppress(UsageError):  # of a package that is not here
        metric = metric_named(record.family, record.primary.metric)
        return metric.higher_is_better is True and metric.lowest == 0
    return False


def _mean(values: Sequence[Value]) -> Value:
    """Return the mean; None where one is missing, never a mean of the rest."""
    held = [value for value in values if value is not None]
    return fmean(held) if held and len(held) == len(values) else None


def _over(value: Value, whole: Value) -> Value:
    """Return a part of a whole.

    >>> _over(0.25, 0.5), _over(0.25, 0.0), _over(None, 0.5)
    (0.5, None, None)
    """
    return value / whole if value is not None and whole else None
