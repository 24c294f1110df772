"""Budget of a regression gate: margins, errors and coverage, for all tasks or for one, from a TOML file."""

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mmbench.harness.errors import DataError, UsageError, nearest
from mmbench.harness.records.record import Record
from mmbench.harness.regular import read_regular
from mmbench.harness.scores.corrected import COVERAGE_BUDGET

_MOST_BYTES = 4_000_000

MARGIN = 0.01
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one task."""

    margin: float = MARGIN
    """Largest tolerated drop, in the metric's own range."""
    max_errors: int | None = None
    """Largest number of unscored items. None: 1 % of the items, or as many as the baseline has."""
    min_coverage: float | None = None
    """Smallest scored share. None: 99 %, or that of the baseline where it is less."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Budget of a run: limits for every task, and those of named tasks."""

    alpha: float = ALPHA
    """False-positive rate: how often an unchanged model may fail."""
    default: Limits = field(default_factory=Limits)
    tasks: Mapping[str, Limits] = field(default_factory=dict)
    """Limits by task name or `name@version`, in place of the default."""
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    """Metrics that are judged beside the primary one, each with its margin where it has one of its own."""

    def of(self, record: Record, metric: str) -> Limits:
        """Return the limits of a record's task, with the margin of a metric."""
        limits = self.tasks.get(record.reference) or self.tasks.get(record.task) or self.default
        margin = self.metrics.get(metric)
        return limits if margin is None else replace(limits, margin=margin)

    def check_names(self, records: Iterable[Record]) -> None:
        """Raise UsageError for a task that no record is of: a misspelt one would go unguarded."""
        known = {name for record in records for name in (record.task, record.reference)}
        for name in self.tasks:
            if name not in known:
                raise UsageError(f"budget names the task '{name}', which neither run has{nearest(name, known)}")


_Model = TypeVar("_Model", bound=BaseModel)


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    margin: float | None = Field(default=None, ge=0)
    max_errors: int | None = Field(default=None, ge=0)
    min_coverage: float | None = Field(default=None, ge=0, le=1)


class _Default(_Limits):
    alpha: float | None = Field(default=None, gt=0, lt=0.5)


class _Metric(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    margin: float | None = Field(default=None, ge=0)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    default: _Default = _Default()
    task: dict[str, _Limits] = {}
    metric: dict[str, _Metric] = {}


_TABLES: Mapping[str, type[BaseModel]] = {"task": _Limits, "metric": _Metric}


def read_budget(path: Path | None = None, margin: float | None = None, alpha: float | None = None) -> Budget:
    """Return the budget of a file, or the default one; `margin` and `alpha` override the file's `[default]`.

    The file has a table `[default]` (`margin`, `alpha`, `max_errors`, `min_coverage`), tables `[task."NAME"]` (the same
    without alpha) that go before it, and `[metric."NAME"]` (`margin`), which goes before both for that metric. Raises
    UsageError, which names the nearest key.
    """
    given = _read(path) if path else _File()
    asked = _validated(_Default, {"margin": margin, "alpha": alpha}, "--margin and --alpha")
    default = _over(_over(Limits(), given.default), asked)
    return Budget(
        asked.alpha or given.default.alpha or ALPHA,
        default,
        {name: _over(default, limits) for name, limits in given.task.items()},
        {name: limits.margin for name, limits in given.metric.items()},
    )


def overspent(candidate: Record, metric: str, baseline: Record, limits: Limits) -> tuple[str, ...]:
    """Return in words each limit that a candidate's record exceeds."""
    coverage, before = (
        next(score.coverage for score in record.scores if score.metric == metric) for record in (candidate, baseline)
    )
    least = min(COVERAGE_BUDGET, before) if limits.min_coverage is None else limits.min_coverage
    allowed = max(math.floor((1 - COVERAGE_BUDGET) * _items(candidate) + 1e-9), baseline.errors)
    most = allowed if limits.max_errors is None else limits.max_errors
    over = []
    if coverage < least:
        over.append(f"coverage {coverage:.1%} is below {least:.1%}")
    if candidate.errors > most:
        over.append(f"{candidate.errors:,} items could not be scored, {most:,} may")
    return tuple(over)


def _items(record: Record) -> int:
    held = record.dataset["n"]
    return held if isinstance(held, int) else 0


def _over(limits: Limits, given: _Limits) -> Limits:
    return Limits(
        limits.margin if given.margin is None else given.margin,
        limits.max_errors if given.max_errors is None else given.max_errors,
        limits.min_coverage if given.min_coverage is None else given.min_coverage,
    )


def _read(path: Path) -> _File:
    try:
        content = tomllib.loads(read_regular(path, _MOST_BYTES).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is not a readable TOML file ({error})") from error
    return _validated(_File, content, str(path))


def _validated(model: type[_Model], content: object, where: str) -> _Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        *tables, key = [str(part) for part in first["loc"]]
        place = f"{where}, [{'.'.join(tables)}]" if tables else where
        if first["type"] != "extra_forbidden":
            wanted = "is a table" if first["type"] == "model_type" else first["msg"].lower()
            raise UsageError(f"{place}: '{key}': {wanted}, not {first['input']!r}") from error
        known = _TABLES.get(tables[0], _Default) if tables else _File
        names = list(known.model_fields)
        hint = nearest(key, names) or f"; the keys are {', '.join(names)}"
        raise UsageError(f"{place}: unknown key '{key}'{hint}") from error
