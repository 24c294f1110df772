"""Records, outcomes and texts that many tests write, and the places where the repository's own stand."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench.harness.errors import DataError
from mmbench.harness.records.record import Record, sealed, write
from mmbench.harness.scores.score import score
from mmbench.harness.tasks.card import Card
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.task_file import load_task
from mmbench.harness.types import Outcome

ROOT = Path(__file__).parents[1]
BASELINES = ROOT / "results" / "baselines"
SHARED = ROOT.parent / "shared"

RECORD = Record(
    model="a",
    fingerprint="f",
    parameters=None,
    task="digits",
    version=1,
    family="zero-shot-classification",
    protocol="p",
    route="embed",
    control=None,
    scorer=None,
    dataset={"digest": "d", "n": 100, "partial": False},
    scores=(),
    breakdown=(),
    card=Card(best=1.0, primary="accuracy"),
    errors=0,
    first_error=None,
    notes=(),
    details={},
    seed=0,
    versions={},
    hardware={},
    seconds=1.0,
    items_per_second=1.0,
    asked=1,
    remembered=0,
    truncated_texts=0,
    created="2026-11-01",
)


def record(**changes: Any) -> Record:
    """Return a record of a zero-shot run, whose every field has a value."""
    return replace(RECORD, **changes)


def outcome(name: object, value: float | None = None, /, metric: str = "accuracy", **fields: Any) -> Outcome:
    """Return what one item came to: `value` by the metric, or by nothing."""
    given: dict[str, Any] = {"id": str(name), "status": "ok", "prediction": None, "target": None, "cluster": str(name)}
    given["values"] = {} if value is None else {metric: float(value)}
    return Outcome(**{**given, **fields})


def outcomes(values: Iterable[float], clusters: Sequence[str] | None = None, **fields: Any) -> list[Outcome]:
    """Return items 0, 1, … of these values, each a cluster of its own unless some are given."""
    held = list(enumerate(values))
    return [outcome(i, v, cluster=clusters[i] if clusters else str(i), **fields) for i, v in held]


def measured(metric: Metric, i: int, value: float | Sequence[float] | None, shared: int, **fields: Any) -> Outcome:
    """Return an item of one metric, alone or of statistics, in one of `shared` clusters; None is an item lost."""
    lost, aggregate = value is None, metric.aggregate is not None
    whole = np.atleast_1d(np.asarray(value if value is not None else 0.0, float)).tolist()
    given = {
        "status": "error" if lost else "ok",
        "values": {} if lost or aggregate else {metric.name: whole[0]},
        "chances": {metric.name: 0.1},
        "statistics": {metric.name: tuple(whole)} if aggregate and not lost else {},
        "cluster": f"picture {i % shared}",
        "unit": metric.unit,
    }
    return outcome(i, **{**given, **fields})


def put_measured(folder: Path, metric: Metric, items: list[Outcome], /, **changes: Any) -> Path:
    """Write items of `measured` and their record, whose score is the metric's of them; return its path."""
    data = {"digest": changes.pop("digest", "d" * 16), "n": len(items), "partial": changes.pop("partial", False)}
    given = {"protocol": "p" * 16, "card": Card(best=1.0), "dataset": data, "scores": tuple(score([metric], items))}
    return write(record(**{**given, **changes}), items, folder)


def rewrite(path: Path, **changes: Any) -> None:
    """Change parts of a record on disk as a program would that knows how records are sealed."""
    path.write_text(sealed({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def changed(values: np.ndarray, losses: int, gains: int = 0) -> np.ndarray:
    """Return right and wrong answers of which so many became wrong, and so many right."""
    made = values.copy()
    made[np.flatnonzero(values == 1)[:losses]] = 0
    made[np.flatnonzero(values == 0)[:gains]] = 1
    return made


def put_text(path: Path, content: str | bytes) -> Path:
    """Write a file and the folders above it; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def fails(make: Callable[[], object], *parts: str, kind: type[Exception] = DataError) -> str:
    """Return why `make` fails: one line, in which all the parts stand."""
    with pytest.raises(kind) as caught:
        make()
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message
    return message


def fails_to_load(path: str | Path, *parts: str) -> str:
    """Return why a task file cannot be used: one line, in which all the parts stand."""
    return fails(lambda: load_task(Path(path)).opened, *parts)
