"""Run record on disk: the model, its protocol, and the outcome of every item."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from mmbench.harness.digest import Json, digest_json
from mmbench.harness.errors import DataError
from mmbench.harness.records.files import replaced
from mmbench.harness.records.outcomes import SCHEMA, digest_of, write_outcomes
from mmbench.harness.records.shape import check_shape
from mmbench.harness.regular import read_regular
from mmbench.harness.scores.breakdown import Extremes, Level
from mmbench.harness.scores.score import as_json
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.tasks.card import Card
from mmbench.harness.tasks.prompts import official
from mmbench.harness.types import Outcome, RouteTaken, Score

_MOST_BYTES = 200_000_000

_SEAL = "record_digest"
_SEALED = 3
"""The first schema whose records hold digests of themselves and of their outcomes."""

_OLDEST = 1
"""Read as the present one: `parameters` and the clusters of a score are not known."""

_LATER = ("parameters", "outcomes_digest", "tokens", "cost", "spent", "snapshot", "extremes")
"""Parts that older records lack."""

_MADE = ("scores", "breakdown", "extremes", "card")
"""Parts that are made into classes of their own."""


@dataclass(frozen=True, slots=True)
class Record:
    """One task asked of one model."""

    model: str
    """Label."""
    fingerprint: str
    parameters: int | None
    """The model's number of weights, where it tells."""
    task: str
    version: int
    family: str
    protocol: str
    """Protocol id: only records that share it are ranked or compared together."""
    route: RouteTaken
    """How it was asked; `recorded` where another system's predictions were scored."""
    control: str | None
    """`blind`, `blind:none`, `shuffled`, `gaussian_noise@3` where other pictures were shown than the items' own."""
    scorer: Mapping[str, Json] | None
    """`model` and `fingerprint` of the second model that some metrics need."""
    dataset: Mapping[str, Json]
    """`digest`, `n`, `partial`, and of a sample its seed as `sample`."""
    scores: tuple[Score, ...]
    breakdown: tuple[Level, ...]
    """Scores over the values of each fact."""
    card: Card
    errors: int
    """Outcomes with status `error`: they leave every value and make the run exit 1."""
    first_error: str | None
    """Why the first of them could not be scored."""
    notes: tuple[str, ...]
    """What a reader of the scores should know."""
    details: Mapping[str, Json]
    """What the family keeps besides scores: the episodes of a probe, what its sweeps chose, its learning curve."""
    seed: int
    versions: Mapping[str, Json]
    hardware: Mapping[str, Json]
    seconds: float
    """What it took, the loading of the model left out."""
    items_per_second: float
    asked: int
    """Distinct inputs that went through the model."""
    remembered: int
    """Distinct inputs that the store answered."""
    truncated_texts: int
    created: str
    """UTC, ISO 8601."""
    tokens: Mapping[str, Json] | None = None
    """`input` and `output` of all distinct replies, remembered ones too; None where the model does not tell."""
    cost: float | None = None
    """What those tokens cost at the prices that were given; None where there are none."""
    spent: Mapping[str, Json] | None = None
    """`input`, `output` and `cost` of the replies that this run asked for itself; the others were remembered."""
    snapshot: str | None = None
    """The version of the model that its service named."""
    extremes: tuple[Extremes, ...] = ()
    """Of each fact the worst value, and how far its values lie apart."""
    outcomes_digest: str | None = field(default=None, compare=False)
    """SHA-256 of the outcome file; None before it is written, and in records of schema 1 and 2."""

    @property
    def reference(self) -> str:
        """`task@version`."""
        return f"{self.task}@{self.version}"

    @property
    def official(self) -> str:
        """`task@version` of the same task by the benchmark's own prompt."""
        return f"{official(self.task, self.card.prompt)}@{self.version}"

    @property
    def partial(self) -> bool:
        """True when only the first items were asked (`--limit`), or some that were drawn (`--sample`)."""
        return bool(self.dataset["partial"])

    @property
    def primary(self) -> Score:
        """Score of the primary metric."""
        return next(score for score in self.scores if score.primary)

    @property
    def file_name(self) -> str:
        """Name of the record's file; a partial run, another protocol or another model never overwrites it."""
        parts: list[Json] = [self.protocol, self.fingerprint, self.route, self.control, self.partial]
        if self.scorer is not None:
            parts.append(self.scorer["fingerprint"])
        if self.control in ("shuffled", "shuffled-frames") and self.seed:
            parts.append(
                self.seed
            )  # other pictures or orders are shown than under the default seed, which stays unnamed
        return f"{self.reference}-{digest_json(parts)[:8]}.json"

    def rows(self) -> list[dict[str, Json]]:
        """Return one row for each score, as `mmbench run --format json` prints them."""
        return [
            {
                "model": self.model,
                "task": self.task,
                "version": self.version,
                "family": self.family,
                **{name: cell for name, cell in as_json(score).items() if name != "clusters"},
                "route": self.route,
                "control": self.control,
                "protocol": self.protocol,
                "partial": self.partial,
                "few_clusters": score.few_clusters,
            }
            for score in self.scores
        ]

    def as_json(self) -> dict[str, Json]:
        """Return the record as it stands on disk."""
        own = {name: getattr(self, name) for name in self.__slots__ if name not in _MADE}
        return {
            "schema": SCHEMA,
            **own,
            "card": self.card.model_dump(),
            "scores": [as_json(score) for score in self.scores],
            "breakdown": [_level_json(each) for each in self.breakdown],
            "extremes": [{"fact": each.fact, "metric": each.metric, **each.as_json()} for each in self.extremes],
        }


def write(record: Record, outcomes: Sequence[Outcome], results: Path) -> Path:
    """Write a record and its outcomes under `results/runs/<label>/` and return the record's path.

    Both are written beside their place and renamed, the outcomes first, so that a record on disk is always whole.
    """
    path = results / "runs" / record.model / record.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(path.with_suffix(".parquet")) as table:
        write_outcomes(outcomes, table)
        # Made before either file takes its place: what JSON cannot hold leaves both as they were.
        text = sealed(replace(record, outcomes_digest=digest_of(table.read_bytes())).as_json())
    with replaced(path) as file:
        file.write_text(text, encoding="utf-8")
    return path


def sealed(held: Mapping[str, Json]) -> str:
    """Return a record as JSON whose last key is the digest of all others."""
    return json.dumps({**held, _SEAL: _seal(held)}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _seal(held: Mapping[str, Json]) -> str:
    return digest_json({name: part for name, part in held.items() if name != _SEAL})


def read_json(path: Path) -> dict[str, Any]:
    """Return what a file of a results folder holds. Raises DataError that names it when it is damaged or too new."""
    try:
        held = json.loads(read_regular(path, _MOST_BYTES).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is not a readable record ({error}); run the task again to replace it") from error
    schema = held.get("schema") if isinstance(held, dict) else None
    if not isinstance(schema, int) or not _OLDEST <= schema <= SCHEMA:
        way = "update mmbench" if isinstance(schema, int) and schema > SCHEMA else "run the task again to replace it"
        raise DataError(f"{path} has schema {schema}, this version reads {_OLDEST} to {SCHEMA}; {way}")
    if schema >= _SEALED and not _is_sealed(held):
        raise DataError(f"{path} is damaged or was changed after it was written; run the task again to replace it")
    return cast(dict[str, Any], held)


def read(path: Path) -> Record:
    """Read a record. Raises DataError that names the file when it is damaged, of another schema or without scores."""
    return as_record(read_json(path), path)


def as_record(held: dict[str, Any], path: Path) -> Record:
    """Return the record that the JSON of a file holds. Raises DataError that names the file where a part is wrong."""
    try:
        return _record(held)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        # A library that checks the card says it in several lines.
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path} lacks or misspells a part of a record ({reason}); run the task again") from error


def _is_sealed(held: Mapping[str, Json]) -> bool:
    try:
        return held.get(_SEAL) == _seal(held)
    except (ValueError, RecursionError):  # NaN, half of a surrogate pair, nesting: none of which is ever written
        return False


def _record(held: dict[str, Any]) -> Record:
    held = {**dict.fromkeys(_LATER), **held}
    check_shape(held)
    own = {name: held[name] for name in Record.__slots__ if name not in _MADE}
    return Record(
        **{**own, "notes": tuple(own["notes"])},
        card=Card(**held["card"]),
        scores=tuple(_score(score) for score in held["scores"]),
        breakdown=tuple(map(_level, held["breakdown"])),
        extremes=tuple(map(_extremes, held["extremes"] or ())),
    )


def _score(held: dict[str, Any]) -> Score:
    bounds = held["bounds"]
    return Score(**{**held, "bounds": (bounds[0], bounds[1]) if bounds else None})


def _level_json(made: Level) -> dict[str, Json]:
    adjusted: dict[str, Json] = {"low_adjusted": made.low_adjusted, "high_adjusted": made.high_adjusted}
    return {"fact": made.fact, "level": made.level, **as_json(made.score), **adjusted}


def _level(held: dict[str, Any]) -> Level:
    """Return a score by a fact; older records lack the interval that holds for all values at once."""
    fact, level, low, high = (held.pop(name, None) for name in ("fact", "level", "low_adjusted", "high_adjusted"))
    return Level(fact, level, _score(held), low, high)


def _extremes(held: dict[str, Any]) -> Extremes:
    worst = dict(held["worst"])
    level, ratio = worst.pop("level"), held["ratio"]
    estimates = Estimate(**worst), Estimate(**held["gap"]), None if ratio is None else Estimate(**ratio)
    return Extremes(held["fact"], held["metric"], level, *estimates)
