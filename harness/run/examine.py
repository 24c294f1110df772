"""Examination: one task put to one examinee, with its outcomes, scores and record, for a model or a file."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypedDict

from mmbench.harness.ask.controls import Control, make_control
from mmbench.harness.ask.corrupted import LEFT_OUT, corrupted, is_corruption
from mmbench.harness.ask.examinee import Examinee, Verb
from mmbench.harness.digest import Json
from mmbench.harness.engine.hardware import versions
from mmbench.harness.errors import DataError, NoPicture, Unsupported, nearest
from mmbench.harness.records.record import Record
from mmbench.harness.run.settings import RunSettings
from mmbench.harness.run.sitting import Sitting
from mmbench.harness.scores.breakdown import break_down
from mmbench.harness.scores.score import score
from mmbench.harness.store.meter import Meter
from mmbench.harness.tasks.card import Card
from mmbench.harness.tasks.data_digest import Dataset
from mmbench.harness.tasks.family import Outcomes
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Outcome, Sample

_PICTURES = ("image", "images")
"""Fields that hold pictures."""

_NEVER_CORRUPTED: Mapping[Verb, str] = {
    "features": "it would also learn from corrupted ones",
    "locate": "its boxes and points are in pixels of the picture's own size",
}
"""Verbs whose answers would not be what corruptions are asked for."""


def examine(
    task: Task,
    examinee: Examinee,
    settings: RunSettings,
    meter: Meter,
    hardware: Callable[[], Mapping[str, Json]],
    notes: Sequence[str] = (),
) -> tuple[Record, Sequence[Outcome]]:
    """Put a task to an examinee and return its record, which has these notes too, and outcomes.

    What of `hardware` answered is known when it has.     Raises DataError, Unsupported or AdapterError.
    """
    started, loaded = time.perf_counter(), meter.loading
    by_name = task.family.verb == "features"  # episodes and folds are drawn by the items' names
    dataset = Dataset(task.family.samples(), settings.part_of(task.family), ahead=not examinee.looks, ids=by_name)
    made = asked(task, examinee, dataset)
    outcomes = made.items
    if not outcomes:
        raise DataError(f"task {task.reference} has no items")
    digest = dataset.digest()
    seconds = time.perf_counter() - started - (meter.loading - loaded)
    scorer = examinee.scorer if any(metric.by_scorer for metric in task.family.metrics) else None
    of_answers = meter.notes(examinee.asked_for)
    divided = break_down(task.family.metrics, outcomes)
    told = (*notes, *task.opened.notes, *_by_text_alone(task, examinee))
    record = Record(
        model=examinee.name,
        fingerprint=examinee.fingerprint,
        parameters=examinee.parameters,
        task=task.name,
        version=task.version,
        family=task.family.name,
        protocol=task.protocol_id(digest, scorer.fingerprint if scorer else None),
        route=made.route,
        control=examinee.control_by(made.route),
        scorer={"model": scorer.name, "fingerprint": scorer.fingerprint} if scorer else None,
        dataset={
            "digest": digest,
            "n": dataset.n,
            "partial": dataset.cut,
            **sampled(dataset, settings),
            **_frames(task),
        },
        scores=tuple(score(task.family.metrics, outcomes, task.card.chance)),
        breakdown=tuple(divided.levels),
        extremes=tuple(divided.extremes),
        card=_full_card(task),
        errors=sum(outcome.status == "error" for outcome in outcomes),
        first_error=next((outcome.message for outcome in outcomes if outcome.status == "error"), None),
        notes=(*told, *dataset.notes(), *examinee.notes, *of_answers, *made.notes),
        details=dict(made.details),
        seed=settings.seed,
        versions=versions(),
        hardware=dict(hardware()),
        seconds=round(seconds, 3),
        items_per_second=round(dataset.n / max(seconds, 1e-9), 2),
        asked=meter.asked,
        remembered=meter.remembered,
        truncated_texts=meter.truncated_texts,
        created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        **_spending(meter),
    )
    return record, outcomes


class _Spending(TypedDict):
    tokens: Mapping[str, Json] | None
    cost: float | None
    spent: Mapping[str, Json] | None
    snapshot: str | None


def _spending(meter: Meter) -> _Spending:
    """Return the parts of a record that a service tells, in case it does."""
    used, snapshot = meter.tokens, ", ".join(sorted(meter.snapshots)) or None
    if used is None:
        return {"tokens": None, "cost": None, "spent": None, "snapshot": snapshot}
    spent: Mapping[str, Json] = {**meter.spent._asdict(), "cost": meter.price(meter.spent)}
    return {"tokens": used._asdict(), "cost": meter.price(used), "spent": spent, "snapshot": snapshot}


def _without(task: Task) -> str | None:
    """Return the field of the pictures that no column fills; None where one does."""
    return next((name for name in task.opened.unfilled if name in _PICTURES), None)


def _by_text_alone(task: Task, examinee: Examinee) -> list[str]:
    """Return what is told where a model that reads text alone was asked so, as it is of a column with another name."""
    field = _without(task) if examinee.looks else None
    if field is None:
        return []
    columns = ", ".join(task.opened.columns)
    return [f"asked by text alone, without pictures: no column is called '{field}' (columns: {columns})"]


def asked(task: Task, examinee: Examinee, samples: Iterable[Sample]) -> Outcomes:
    """Put a task to an examinee. Raises as its family does; where no column holds pictures, it is named."""
    try:
        return task.family.outcomes(examinee, samples)
    except NoPicture as error:
        field = _without(task)
        if field is None:
            raise
        columns = task.opened.columns
        raise NoPicture(
            f"{error}: no column is called '{field}'{nearest(field, columns)} (columns: {', '.join(columns)})",
            step=f"name the column of the pictures in the task, as in fields: {{{field}: COLUMN}}",
        ) from error


def sampled(dataset: Dataset, settings: RunSettings) -> dict[str, Json]:
    """Return by which seed the items were drawn, where not all were taken."""
    return {"sample": settings.seed} if settings.sample is not None and dataset.cut else {}


def _frames(task: Task) -> dict[str, Json]:
    """Return which frames of its clips a task shows, so that a comparison can name what differs."""
    return {} if task.opened.frames is None else {"frames": task.opened.frames}


def control_of(sitting: Sitting, settings: RunSettings) -> Control | None:
    """Return the control of a sitting, if it has one. Raises Unsupported where it has no meaning."""
    if sitting.control is None:
        return None
    family = sitting.task.family
    if family.verb == "similarity" and sitting.control in ("blind", "shuffled"):
        raise Unsupported(f"a control has no meaning for {family.name}, where pictures are what is sought")
    samples = settings.part_of(family).of(family.samples())
    if not is_corruption(sitting.control):
        return make_control(sitting.control, samples, settings.seed)
    if family.verb in _NEVER_CORRUPTED:
        why = f"pictures of {family.name} are not corrupted: {_NEVER_CORRUPTED[family.verb]}"
        raise Unsupported(why, step=LEFT_OUT)
    return corrupted(sitting.control, samples)


def _full_card(task: Task) -> Card:
    """The task's card, with the best possible value of its primary metric where the card does not say."""
    primary = task.family.metrics[0]
    best = primary.best if task.card.best is None else task.card.best
    return task.card.model_copy(update={"best": best, "primary": primary.name})
