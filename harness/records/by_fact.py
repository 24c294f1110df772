"""Scores of a record by a fact: one for each of its values, or the reason why there are none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError, UsageError, nearest
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.outcomes import open_outcomes
from mmbench.harness.records.record import Record
from mmbench.harness.scores.breakdown import MOST_LEVELS, Extremes, Level, level_place, level_texts
from mmbench.harness.scores.score import as_json
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.types import Score


@dataclass(frozen=True, slots=True)
class ByFact:
    """A record's scores by a fact."""

    fact: str
    levels: tuple[Level, ...]
    """Of every metric, in the order of the values; none where there is a reason."""
    reason: str | None = None
    """Why there are none, in one sentence."""
    extremes: tuple[Extremes, ...] = ()
    """Of every metric with a better direction, where there are two values or more."""

    def of(self, metric: str) -> list[Level]:
        """Return the score of each value of the fact."""
        return [each for each in self.levels if each.score.metric == metric]

    def extremes_of(self, metric: str) -> Extremes | None:
        """Return the worst value by a metric, and how far the values lie apart."""
        return next((each for each in self.extremes if each.metric == metric), None)

    def as_json(self, metric: str) -> dict[str, Json]:
        """Return what a row of this metric holds under `by`."""
        rows: list[Json] = [
            {
                "level": each.level,
                **_figures(each.score),
                "few_clusters": each.score.few_clusters,
                "low_adjusted": each.low_adjusted,
                "high_adjusted": each.high_adjusted,
            }
            for each in self.of(metric)
        ]
        extremes = self.extremes_of(metric)
        apart: dict[str, Json] = dict.fromkeys(APART) if extremes is None else extremes.as_json()
        return {"fact": self.fact, "levels": rows, **apart, "reason": self.reason}


APART = ("worst", "gap", "ratio")
"""Rows below the values of a fact: the worst of their scores, the greatest less the least, the least over it."""


def rows_by(record: Record, fact: str, outcomes: Path | None = None) -> list[dict[str, Json]]:
    """Return the rows of a record, each with its scores by a fact under `by`."""
    found = by_fact(record, fact, outcomes)
    return [{**row, "by": found.as_json(str(row["metric"]))} for row in record.rows()]


def levels_below(rows: Iterable[Mapping[str, Json]]) -> list[dict[str, Json]]:
    """Return each row, and below it one for each value of the fact that it holds scores by.

    Two columns more, `fact` and `level`, tell them apart; both are empty in the row of all items.
    """
    made: list[dict[str, Json]] = []
    for row in rows:
        held = row.get("by")
        own = {name: cell for name, cell in row.items() if name != "by"}
        made.append({**own, "fact": None, "level": None})
        if isinstance(held, dict) and isinstance(held["levels"], list):
            made += [{**own, "fact": held["fact"], **level} for level in held["levels"] if isinstance(level, dict)]
    return made


def _figures(score: Score) -> dict[str, Json]:
    return {name: cell for name, cell in as_json(score).items() if name not in ("metric", "primary", "clusters")}


def facts_of(record: Record) -> list[str]:
    """Return the facts that a record is broken down by."""
    return list(dict.fromkeys(level.fact for level in record.breakdown))


def by_fact(record: Record, fact: str, outcomes: Path | None = None) -> ByFact:
    """Return a record's scores by a fact, as they were made with it.

    `outcomes` is the file beside the record, which tells why there are none: the fact is unknown, or its values are
    too many.
    """
    mine = [level for level in record.breakdown if level.fact == fact]
    if not mine:
        return ByFact(fact, (), _reason(record, fact, outcomes))
    apart = tuple(each for each in record.extremes if each.fact == fact)
    return ByFact(fact, tuple(sorted(mine, key=lambda each: level_place(each.level))), extremes=apart)


@dataclass(frozen=True, slots=True)
class FactTable:
    """Scores of one task by a fact: a row for each of its values, a column for each model."""

    task: str
    metric: str
    fact: str
    names: tuple[str, ...]
    whole: tuple[Score, ...]
    """Each model's score over all items."""
    rows: tuple[tuple[Json, tuple[Score | None, ...]], ...]
    """A value of the fact, and each model's score over its items; None where it has none of them. Their intervals hold
    for all values of a model at once, where they are `adjusted`."""
    apart: tuple[tuple[str, tuple[Score | None, ...]], ...]
    """Of `APART` those that a model has, with each model's figure as a score."""
    adjusted: bool

    @property
    def note(self) -> str:
        """What a reader of the intervals should know."""
        held = "with 95 % for all values of a model at once (Šidák)" if self.adjusted else "for each value alone"
        apart = "; worst, gap, ratio: they allow for having been picked among the values" if self.apart else ""
        return f"by {self.fact}: intervals hold {held}{apart}"

    @property
    def shown(self) -> list[tuple[str, tuple[Score | None, ...]]]:
        """The rows with the values as texts."""
        texts = level_texts([level for level, _ in self.rows])
        return [(text, scores) for text, (_, scores) in zip(texts, self.rows, strict=True)]


def fact_table(task: str, metric: str, fact: str, asked: Sequence[tuple[str, Record]]) -> FactTable | None:
    """Return the scores by a fact of models that were asked one task; None where nobody's are broken down by it."""
    names, whole, held, extremes = [], [], [], []
    for name, record in asked:
        found = by_fact(record, fact)
        score = next((each for each in record.scores if each.metric == metric), None)
        if found.levels and score is not None:
            names.append(name)
            whole.append(score)
            held.append({level_place(each.level): each for each in found.of(metric)})
            extremes.append(found.extremes_of(metric))
    if not held:
        return None
    levels = {place: made.level for each in held for place, made in each.items()}
    rows = tuple(
        (levels[place], tuple(each[place].together if place in each else None for each in held))
        for place in sorted(levels)
    )
    adjusted = all(made.low_adjusted is not None or made.score.low is None for each in held for made in each.values())
    apart = tuple(
        (name, tuple(_apart(name, each, score) for each, score in zip(extremes, whole, strict=True))) for name in APART
    )
    some = tuple((name, figures) for name, figures in apart if any(figures))
    return FactTable(task, metric, fact, tuple(names), tuple(whole), rows, some, adjusted)


def _apart(name: str, extremes: Extremes | None, whole: Score) -> Score | None:
    """Return one of `APART` as tables show scores; guessing is not known to get any."""
    made: Estimate | None = getattr(extremes, name, None)
    if made is None:
        return None
    return replace(whole, value=made.value, low=made.low, high=made.high, bounds=None, chance=None, clusters=None)


def check_fact(fact: str, records: Iterable[Record], outcomes: Sequence[Path] = ()) -> None:
    """Raise UsageError, which names the facts that there are, where no record is broken down by this one."""
    held = list(records)
    if not held or any(fact in facts_of(record) for record in held):
        return
    for record, path in zip(held, outcomes, strict=False):
        if fact in _columns(record, path):
            raise UsageError(_reason(record, fact, path))
    raise UsageError(unknown(fact, "these tasks", [name for record in held for name in facts_of(record)]))


def unknown(fact: str, whose: str, known: Iterable[str]) -> str:
    """Return that there is no such fact, and which there are."""
    names = sorted(set(known))
    there = f" (there are: {', '.join(names)})" if names else "; `facts` in a task file names columns to score by"
    return f"{whose} have no fact '{fact}'{nearest(fact, names)}{there}"


def _reason(record: Record, fact: str, outcomes: Path | None) -> str:
    values = _columns(record, outcomes).get(fact) if outcomes is not None else None
    if values is None:
        return unknown(fact, f"items of {record.reference}", facts_of(record))
    if values <= MOST_LEVELS:
        return f"fact '{fact}' of {record.reference} has several values for an item, which divide nothing"
    return (
        f"fact '{fact}' of {record.reference} has {values:,} values, and at most {MOST_LEVELS} are scored one by one; "
        "put them into groups in a column of the data"
    )


def _columns(record: Record, outcomes: Path) -> dict[str, int]:
    """Return the facts in a file of outcomes, each with its number of values; empty where it cannot be read."""
    try:
        with open_outcomes(outcomes, record.outcomes_digest) as table:
            held = table.columns(["facts"])["facts"].combine_chunks()
            return {
                field.name: len(held.field(i).dictionary_encode().dictionary)
                for i, field in enumerate(held.type)
                if field.name != "none" or held.field(i).null_count < len(held)
            }
    except DataError:
        return {}


def read_levels(entry: Entry, fact: str, unit: str) -> dict[str, Json]:
    """Return each item's value of a fact, by its id. Raises UsageError where the record is not broken down by it.

    Raises DataError where the outcomes beside the record are missing or damaged.
    """
    if fact not in facts_of(entry.record):
        raise UsageError(_reason(entry.record, fact, entry.path))
    with open_outcomes(entry.path, entry.record.outcomes_digest) as held:
        table = held.columns(["id", "unit", "facts"])
        levels = table["facts"].combine_chunks().field(fact).to_pylist()
        names, units = table["id"].to_pylist(), table["unit"].to_pylist()
        return {name: level for name, own, level in zip(names, units, levels, strict=True) if own == unit}
