"""Record matching: only records with equal protocols are compared, and differing ones are named with the difference."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from mmbench.harness.errors import UsageError, nearest
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.measured import Measured, read_measured, shared
from mmbench.harness.records.record import Record
from mmbench.harness.records.selection import Selection
from mmbench.harness.records.unlike import unlike
from mmbench.harness.render.figures import some
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.metric_names import metric_named
from mmbench.harness.types import Score

_FEW_NAMES = 6


@dataclass(frozen=True, slots=True)
class Match:
    """Task of two runs with comparable records."""

    a: Entry
    b: Entry
    metric: Metric
    """Primary metric of the first run, or one that was named."""
    forced: str | None
    """Difference in protocol, where the task is compared in spite of it."""

    @property
    def partial(self) -> bool:
        """True where one of the runs has the first items only."""
        return self.a.record.partial or self.b.record.partial

    @property
    def scores(self) -> tuple[Score, Score]:
        """Scores of both runs by the metric."""
        one, other = (_score(entry.record, self.metric.name) for entry in (self.a, self.b))
        if one is None or other is None:
            raise LookupError(f"a record of {self.a.record.reference} has no score by {self.metric.name}")
        return one, other

    @property
    def best(self) -> float | None:
        """Best possible value of the metric; of the primary one what the task says."""
        primary = self.a.record.primary.metric == self.metric.name
        return self.a.record.card.best if primary else self.metric.best

    @property
    def routes(self) -> tuple[str, str]:
        """Routes of both runs."""
        return self.a.record.route, self.b.record.route


@dataclass(frozen=True, slots=True)
class Incomparable:
    """Task without comparable records: protocols differ, or one run lacks it."""

    task: str
    """Name."""
    reason: str
    """Reason: what differs or is missing."""


@dataclass(frozen=True, slots=True)
class Matching:
    """The tasks of two runs, by name."""

    matches: tuple[Match, ...]
    unlike: tuple[Incomparable, ...]
    """Tasks of which both runs have a record, but with differing protocols."""
    only_a: tuple[Record, ...]
    """Records whose task the second run lacks."""
    only_b: tuple[Record, ...]
    """Records whose task the first run lacks."""
    without: tuple[str, ...] = ()
    """`task@version` that neither run has any of the named metrics of."""


def match(
    a: Selection,
    b: Selection,
    *,
    force: bool = False,
    names: tuple[str, str] = ("A", "B"),
    metrics: Sequence[str] = (),
    also: Sequence[str] = (),
) -> Matching:
    """Match the tasks of two runs by name and version; with `force`, also those with differing protocols.

    `names` are what the two are called where they differ. A task is matched by its primary metric, and by each of
    `also` that a record of it has; by `metrics` in their place. Raises UsageError for a metric that no record has.

    Records made under a control are left out. Of several records of a task those two are taken that agree in
    protocol, then in route, the whole and the newer ones first.
    """
    pairs: list[tuple[Entry, Entry]] = []
    alone: tuple[list[Record], list[Record]] = ([], [])
    for name in sorted({entry.record.task for entry in (*_own(a), *_own(b))}):
        mine, theirs = ([entry for entry in _own(run) if entry.record.task == name] for run in (a, b))
        versions = [{entry.record.version for entry in entries} for entries in (mine, theirs)]
        both = versions[0] & versions[1]
        pairs += [_nearest_pair(_of(mine, version), _of(theirs, version)) for version in sorted(both)]
        if not both and all(versions):
            pairs.append(_nearest_pair(mine, theirs))
        else:
            for entries, own, lacking in zip((mine, theirs), versions, alone, strict=True):
                lacking += [_latest(_of(entries, version)).record for version in sorted(own - both)]
    _check_metrics((*metrics, *also), [entry.record for entry in (*_own(a), *_own(b))])
    matches: list[Match] = []
    unlike: list[Incomparable] = []
    without: list[str] = []
    for one, other in pairs:
        held = [name for name in metrics or also if any(_score(each.record, name) for each in (one, other))]
        asked = dict.fromkeys(held if metrics else [one.record.primary.metric, *held])
        if not asked:
            without.append(one.record.reference)
        for metric in asked:
            try:
                matches.append(_matched(one, other, names, metric, force=force))
            except UsageError as error:
                unlike.append(Incomparable(one.record.task, str(error)))
    only_a, only_b = (
        tuple(record for record in lacking if not metrics or any(_score(record, name) for name in metrics))
        for lacking in alone
    )
    return Matching(tuple(matches), tuple(dict.fromkeys(unlike)), only_a, only_b, tuple(without))


def _score(record: Record, metric: str) -> Score | None:
    return next((score for score in record.scores if score.metric == metric), None)


def _check_metrics(metrics: Sequence[str], records: Sequence[Record]) -> None:
    """Raise UsageError for a metric that no record has: a misspelt one would go unguarded."""
    known = list(dict.fromkeys(score.metric for record in records for score in record.scores))
    for name in metrics:
        if name not in known:
            hint = (
                nearest(name, known) or f" (there are: {some(known, _FEW_NAMES)}); name it in the `metrics` of a task"
            )
            raise UsageError(f"no task of the two runs has the metric '{name}'{hint}")


def on_same_episodes(matches: Iterable[Match]) -> list[str]:
    """Return what a test of means over episodes does not tell, and of which metrics."""
    names = dict.fromkeys(f"{each.a.record.reference} {each.metric.name}" for each in matches if each.metric.draws)
    told = "tested on the episodes that both runs learnt from (others may turn a small difference)"
    return [f"{told}: {some([*names], _FEW_NAMES)}"] if names else []


def measured_pair(matched: Match) -> tuple[Measured, Measured]:
    """Return what the metric is made of in both runs, over the items that both were scored on.

    Raises DataError where outcomes are missing or damaged, and UsageError where no item is shared or, in runs over
    unlike numbers of items, which no digest can tell to be alike, item ids are equal but the pictures differ.
    """
    a, b = shared(*(read_measured(each.path, each.record, matched.metric) for each in (matched.a, matched.b)))
    if not len(a):
        raise UsageError("items scored in both runs: none")
    if a.table.shape != b.table.shape:
        raise UsageError(f"statistics of {matched.metric.name} differ in kind between the runs")
    cut = matched.forced is None and _cut(matched.a.record, matched.b.record)
    if cut and not a.clusters.equals(b.clusters):
        raise UsageError("item ids are equal but the pictures differ")
    return a, b


def _own(run: Selection) -> list[Entry]:
    return [entry for entry in run.entries if entry.record.control is None]


def _of(entries: Sequence[Entry], version: int) -> list[Entry]:
    return [entry for entry in entries if entry.record.version == version]


def _latest(entries: Sequence[Entry]) -> Entry:
    return max(entries, key=lambda entry: (not entry.record.partial, entry.record.created))


def _nearest_pair(mine: Sequence[Entry], theirs: Sequence[Entry]) -> tuple[Entry, Entry]:
    def likeness(pair: tuple[Entry, Entry]) -> tuple[bool | str, ...]:
        a, b = pair[0].record, pair[1].record
        return (a.protocol == b.protocol, a.route == b.route, not a.partial, not b.partial, a.created, b.created)

    return max(product(mine, theirs), key=likeness)


def _matched(a: Entry, b: Entry, names: tuple[str, str], name: str, *, force: bool) -> Match:
    """Return the match of two records by a metric. Raises UsageError, which names what differs or is missing."""
    metric = metric_named(a.record.family, name)
    if metric.needs_all and _cut(a.record, b.record) and not force:
        asked = " and ".join(f"{record.dataset['n']} items of {record.model}" for record in (a.record, b.record))
        raise UsageError(f"{name} depends on all items together, and {asked} were asked; run both without --limit")
    differing = _differing(a.record, b.record, metric)
    if differing and not force:
        raise UsageError("; ".join(differing) + _what_to_do(a, b, names))
    for record in (a.record, b.record):
        made = _score(record, name)
        if made is None or made.value is None:
            raise UsageError(f"{record.model} has no value of {name}")
    return Match(a, b, metric, "; ".join(differing) or None)


def _differing(a: Record, b: Record, metric: Metric) -> list[str]:
    """Return in words each value that must be equal in both records and differs."""
    named = [
        ("task version", a.version, b.version),
        ("family", a.family, b.family),
    ]
    if metric.name == a.primary.metric:
        named.append(("primary metric", a.primary.metric, b.primary.metric))
    if metric.by_scorer:
        named.append(("scorer", _scorer(a), _scorer(b)))
    cut = _cut(a, b)
    if a.dataset.get("frames") != b.dataset.get("frames"):
        # The digest of the data tells of the frames too, and says no more.
        named.append(("frames", _sampler(a), _sampler(b)))
    elif not cut:
        named.append(("dataset digest", str(a.dataset["digest"])[:8], str(b.dataset["digest"])[:8]))
    differing = [f"{what} {one} against {other}" for what, one, other in named if one != other]
    if not differing and not cut and a.protocol != b.protocol:
        differing.append(
            f"protocol {a.protocol[:8]} against {b.protocol[:8]} (templates, prompt, generation settings or matching)"
        )
    return differing


def _what_to_do(a: Entry, b: Entry, names: tuple[str, str]) -> str:
    """Return, where the data differ, which side is which, in which items, and how both come to be asked the same."""
    if a.record.dataset.get("frames") != b.record.dataset.get("frames"):
        return "; with --force the two are compared, item by item"
    if _cut(a.record, b.record) or a.record.dataset["digest"] == b.record.dataset["digest"]:
        return ""
    found = unlike(a, b)
    what = f": {found}" if found else ""
    todo = f"run {names[0]} again on the present data, or restore the data and run {names[1]} again"
    return f" ({names[0]} against {names[1]}){what}; {todo}"


def _cut(a: Record, b: Record) -> bool:
    """Tell whether one run asked fewer items: its digest, and with it its protocol, are then its own."""
    return (a.partial or b.partial) and a.dataset["n"] != b.dataset["n"]


def _sampler(record: Record) -> str:
    """Return which frames of its clips a record is about: `uniform count=8`.

    >>> from types import SimpleNamespace
    >>> spec = {"sampler": "uniform", "version": 1, "count": 8, "fps": None}
    >>> _sampler(SimpleNamespace(dataset={"frames": spec})), _sampler(SimpleNamespace(dataset={}))
    ('uniform version=1 count=8', 'none')
    """
    spec = record.dataset.get("frames")
    if not isinstance(spec, dict):
        return "none"
    rest = [f"{key}={value}" for key, value in spec.items() if key != "sampler" and value is not None]
    return " ".join([str(spec.get("sampler")), *rest])


def _scorer(record: Record) -> str:
    return str(record.scorer["fingerprint"])[:8] if record.scorer else "none"
