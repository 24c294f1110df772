"""What is explained: the items of a run that show one picture, the task that asks them, and the run's own model."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmbench.harness.digest import Json
from mmbench.harness.errors import MmbenchError, Unavailable, UsageError
from mmbench.harness.foreign import tamed
from mmbench.harness.hub.access import network
from mmbench.harness.media.image import Image
from mmbench.harness.metrics.boxes import Box
from mmbench.harness.models.abilities import Sends
from mmbench.harness.models.models import Loading, Model
from mmbench.harness.records.items import Items, find_items, is_wrong, task_files
from mmbench.harness.records.originals import find_samples, original_task
from mmbench.harness.records.record import Record
from mmbench.harness.records.selection import Selection
from mmbench.harness.run.choose import choose_models
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Outcome, Sample

_WHAT = "a choice among options by embed or likelihood can be explained"


@dataclass(frozen=True, slots=True)
class Item:
    """One item and what came of it."""

    sample: Sample
    outcome: Outcome
    picture: Image
    size: tuple[int, int]
    """Width and height in pixels."""
    boxes: tuple[Box, ...]
    """Where what is right stands, in pixels; none where that is not known."""
    correct: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """The items of one task of a run."""

    record: Record
    task: Task
    items: tuple[Item, ...]
    passed: tuple[str, ...]
    """Why other items are left out."""


def choose_items(
    selection: Selection, task: str, *, wrong: bool = False, limit: int | None = None, box: str | None = None
) -> Chosen:
    """Return the first items of a task, or the first wrong ones; `box` is the fact that holds their true box.

    Raises UsageError that says what can be explained where this cannot.
    """
    (found, *others) = find_items(selection, task, wrong=wrong, limit=limit)
    if others:
        names = ", ".join(each.entry.record.reference for each in (found, *others))
        raise UsageError(f"'{task}' means {names}; explain takes one task at a time")
    record = found.entry.record
    _check(record)
    asks = original_task(record, task_files([task]))
    if asks is None:
        raise UsageError(
            f"{record.reference} is not here as this run was asked it; fetch its data, name its file with --task, or "
            "run it again if it was changed since"
        )
    if asks.family.verb not in ("choose", "answer"):
        raise UsageError(f"{record.reference} is of family {record.family}, which asks for no choice; {_WHAT}")
    samples = find_samples(asks, {outcome.id for outcome in found.outcomes})
    items, passed = _items(found, asks, samples, box)
    if not items:
        raise UsageError(f"{record.reference} has no item to explain: {passed[0] if passed else 'none is wrong'}")
    return Chosen(record, asks, tuple(items), tuple(passed))


def _check(record: Record) -> None:
    if record.control is not None:
        raise UsageError(f"this record is under the control {record.control}, which shows other pictures; {_WHAT}")
    if record.route not in ("embed", "likelihood"):
        how = "was written" if record.route == "generate" else "was recorded"
        step = " (run --route embed, or likelihood, where the model is able to)" if record.route == "generate" else ""
        raise UsageError(f"{record.model} on {record.reference}: what {how} has no score of each option; {_WHAT}{step}")


def _items(found: Items, task: Task, samples: Mapping[str, Sample], box: str | None) -> tuple[list[Item], list[str]]:
    protocol = task.family.protocol()
    grouped = isinstance(protocol, Mapping) and "group" in protocol  # items of a group share the cluster of one of them
    items, passed = [], []
    for outcome in found.outcomes:
        try:
            items.append(_item(found, outcome, samples.get(outcome.id), grouped, box))
        except MmbenchError as error:
            passed.append(f"item {outcome.id}: {error}")
    return items, passed


def _item(found: Items, outcome: Outcome, sample: Sample | None, grouped: bool, box: str | None) -> Item:
    if outcome.status != "ok" or outcome.prediction is None:
        raise UsageError(f"the run chose nothing ({outcome.message or outcome.status})")
    if sample is None:
        raise UsageError("it is no longer in the data")
    picture = sample.media[0] if sample.media else None
    if len(sample.media) != 1 or not isinstance(picture, Image):
        shown = "no picture" if not sample.media else "a clip" if len(sample.media) == 1 else "several pictures"
        raise UsageError(f"it shows {shown}, and maps are of one picture")
    if not grouped and outcome.cluster not in (picture.digest, picture.locator):
        raise UsageError("its picture is not the one that the run was shown; run the task again")
    size = picture.size()
    boxes = () if box is None else boxes_of(sample.facts, box, size)
    return Item(sample, outcome, picture, size, boxes, not is_wrong(found.metric, outcome))


def boxes_of(facts: Mapping[str, Json], name: str, size: tuple[int, int]) -> tuple[Box, ...]:
    """Return the boxes x1 y1 x2 y2 of a fact, in pixels. Raises UsageError for what is none, or lies outside.

    >>> boxes_of({"box": "[1, 2, 3, 4]"}, "box", (8, 8)), boxes_of({"box": [[1, 2, 3, 4.5]]}, "box", (8, 8))
    (((1.0, 2.0, 3.0, 4.0),), ((1.0, 2.0, 3.0, 4.5),))
    """
    if name not in facts:
        raise UsageError(f"it has no fact '{name}'; name the column of the boxes in the task, as in facts: [{name}]")
    cell = facts[name]
    try:
        given = json.loads(cell) if isinstance(cell, str) else cell
    except ValueError:
        given = None
    rows = given if isinstance(given, Sequence) and given and isinstance(given[0], Sequence) else [given]
    return tuple(_box(row, name, size) for row in rows)


def _box(row: object, name: str, size: tuple[int, int]) -> Box:
    numbers = row if isinstance(row, Sequence) and not isinstance(row, str) and len(row) == 4 else ()
    sides = [float(each) for each in numbers if isinstance(each, int | float) and not isinstance(each, bool)]
    if len(sides) == 4:
        left, top, right, bottom = sides
        if 0 <= left < right <= size[0] and 0 <= top < bottom <= size[1]:
            return left, top, right, bottom
    raise UsageError(f"its fact '{name}' is no box x1 y1 x2 y2 in pixels within {size[0]} x {size[1]}: {str(row)[:40]}")


def model_of(record: Record, spec: str | None, loading: Loading) -> Model:
    """Return the model that made a record, by its spec or else by its label; nothing is loaded, nothing is fetched.

    Raises UsageError where it cannot be made, is another by its fingerprint, or sends what it is asked.
    """
    try:
        found = choose_models(spec or record.model, loading, None)
    except UsageError as error:
        if spec is not None:
            raise
        raise UsageError(
            f"{record.model} cannot be made from its label ({error}); name the model of the run with --model, as it "
            "was run (a Python object cannot be made again)"
        ) from error
    if len(found) != 1:
        raise UsageError(f"'{spec}' stands for {len(found)} models; name the one that was run")
    model = found[0]
    if isinstance(model.adapter, Sends):
        raise UsageError(f"{model.label} is asked at a service, and hundreds of pictures for each item would be sent")
    try:
        with network(allowed=False):
            fingerprint = tamed(lambda: model.fingerprint)
    except Unavailable as error:
        raise UsageError(f"{model.label} cannot be asked: {error}") from error
    if fingerprint != record.fingerprint:
        raise UsageError(
            f"'{spec or record.model}' is not the model that was run as {record.model}: its fingerprint is "
            f"{fingerprint[:8]}, and that of the record {record.fingerprint[:8]}; name the weights, --device and "
            "--dtype of the run, or run it again"
        )
    return model
