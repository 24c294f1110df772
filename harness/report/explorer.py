"""Item explorer of a report: pictures, question, reference, and the answers of each model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmbench.harness.digest import Json
from mmbench.harness.errors import Unreadable
from mmbench.harness.media.image import Image
from mmbench.harness.media.video import Video
from mmbench.harness.records.originals import find_samples, sample_id
from mmbench.harness.report.answers import Answer
from mmbench.harness.report.gather import Asked
from mmbench.harness.report.picks import Pick
from mmbench.harness.report.thumbnails import Thumbnails
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Outcome, Sample

_LONG = 320
"""Characters of a question or reference."""

_SAID = 220
"""Characters of an answer."""

_ASKED = 1000
"""Characters of a prompt or reply."""

_PLACED = "grounding"
"""Family whose answers are places, which are drawn over the picture; `size` is that of which they are pixels."""

_MOST_OPTIONS = 12
_MOST_PICTURES = 4
_MOST_FRAMES = 8
"""Frames of a clip, evenly chosen of those that were shown."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The items of one task."""

    items: list[dict[str, Json]]
    """Items in the form that the page's script reads; see `report.js`."""
    pictures: list[list[str]]
    """Keys of the thumbnails of each item."""


def explore(
    asked: Asked,
    task: Task | None,
    picks: Sequence[Pick],
    answers: Mapping[str, Mapping[str, Answer]],
    thumbnails: Thumbnails,
    models: Sequence[str],
) -> Shown:
    """Return the picked items; without their task, or where its samples are not found, without question and options.

    `answers` are those of each model to them, by id.
    """
    unit = asked.metric.unit
    samples = find_samples(task, {sample_id(item.id, unit) for item in picks}) if task else {}
    made = []
    pictures = []
    for item in picks:
        rows = {i: answers[model][item.id] for i, model in enumerate(models) if item.id in answers.get(model, ())}
        if not rows:
            continue
        first = next(iter(rows.values())).outcome
        sample = samples.get(sample_id(item.id, unit))
        sample, still = _still(sample, first, thumbnails)
        made.append(_item(item.id, sample, first, still, rows))
        if task is not None and task.family_name == _PLACED and sample is not None and still.keys:
            shown = sample.media[0]
            made[-1].update({"size": list(shown.size())} if isinstance(shown, Image) else {})
        pictures.append(list(still.keys))
    return Shown(made, pictures)


@dataclass(frozen=True, slots=True)
class _Pictures:
    """What is seen of an item."""

    keys: Sequence[str] = ()
    """Of thumbnails."""
    frames: Sequence[str] = ()
    """What each of them is, where they are the frames of a clip."""


def _still(sample: Sample | None, outcome: Outcome, thumbnails: Thumbnails) -> tuple[Sample | None, _Pictures]:
    """Return the sample, if it is what was asked, and its pictures; else the picture at the locator."""
    if sample is not None:
        clip = next((medium for medium in sample.media if isinstance(medium, Video)), None)
        if clip is not None:
            made = _strip(clip, thumbnails)
        else:
            shown = [medium for medium in sample.media[:_MOST_PICTURES] if isinstance(medium, Image)]
            made = _Pictures([key for image in shown if (key := thumbnails.add(image))])
        # The first picture is read by now, so that a sample knows its cluster; data that changed have another.
        if sample.cluster == outcome.cluster:
            return sample, made
    key = thumbnails.add_file(outcome.locator or "", outcome.cluster)
    return None, _Pictures([key] if key else [])


def _strip(clip: Video, thumbnails: Thumbnails) -> _Pictures:
    """Return frames of a clip in the order of time, each with its number in the clip and its moment."""
    try:
        frames = clip.frames()
    except Unreadable:
        return _Pictures()
    chosen = sorted({place * (len(frames) - 1) // max(_MOST_FRAMES - 1, 1) for place in range(_MOST_FRAMES)})
    indices, times = clip.indices, clip.timestamps
    told = [f"frame {indices[i]}" + (f", {times[i]:.3f} s" if times else "") for i in chosen]
    keys = [thumbnails.add(frames[i]) for i in chosen]
    kept = [(key, said) for key, said in zip(keys, told, strict=True) if key]
    return _Pictures([key for key, _ in kept], [said for _, said in kept])


def _item(
    name: str, sample: Sample | None, first: Outcome, still: _Pictures, rows: Mapping[int, Answer]
) -> dict[str, Json]:
    item: dict[str, Json] = {
        "id": name,
        "target": _cut(first.target, _LONG),
        "pictures": list(still.keys),
        "frames": list(still.frames),
        "answers": [_answer(number, row) for number, row in rows.items()],
    }
    if sample is not None:
        item["question"] = _cut(sample.question, _LONG)
        item["options"] = [_cut(option.label, _SAID) for option in sample.options[:_MOST_OPTIONS]]
    if first.locator:
        item["locator"] = first.locator
    prompt = next((row.outcome.prompt for row in rows.values() if row.outcome.prompt), None)
    if prompt:
        item["prompt"] = _told(prompt)
    if first.facts:
        item["facts"] = {fact: _cut(cell, _SAID) for fact, cell in first.facts.items()}
    return {key: value for key, value in item.items() if value not in ("", None, [])}


def _answer(model: int, row: Answer) -> Json:
    """Return `[model, wrong, status, value, text]`, and where a reply says more it and why it was read so."""
    outcome = row.outcome
    value = None if np.isnan(row.value) else round(row.value, 4)
    said = outcome.message if outcome.status == "error" else outcome.prediction
    made: list[Json] = [model, int(row.wrong), outcome.status, value, _cut(said, _SAID)]
    reply = outcome.reply
    if reply is None or (reply == outcome.prediction and len(reply) <= _SAID):
        return made
    reason = outcome.message if outcome.status != "error" else None
    return [*made, _told(reply), *([_cut(reason, _SAID)] if reason else [])]


def _told(text: str) -> str:
    """Return a text, cut where it is long with a word about it.

    >>> len(_told("a" * 2_000_000)), _told("a" * 2_000_000)[-24:]
    (1024, '… (2,000,000 characters)')
    """
    return text if len(text) <= _ASKED else f"{text[:_ASKED]}… ({len(text):,} characters)"


def _cut(cell: object, length: int) -> str | None:
    """Return a text, cut where it is longer.

    >>> _cut("abcdef", 4), _cut(None, 4)
    ('abc…', None)
    """
    if cell is None:
        return None
    text = str(cell)
    return text if len(text) <= length else f"{text[: length - 1]}…"
