"""Item explorer of a report: pictures, question, reference, and the answers of each model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmbench.harness.digest import Json
from mmbench.harness.records.originals import find_samples, sample_id
from mmbench.harness.report.answers import Answers
from mmbench.harness.report.gather import Asked
from mmbench.harness.report.picks import Pick
from mmbench.harness.report.thumbnails import Thumbnails
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Sample

_LONG = 320
"""Characters of a question or reference."""

_SAID = 220
"""Characters of an answer."""

_ASKED = 1000
"""Characters of a prompt or reply."""

_MOST_OPTIONS = 12
_MOST_PICTURES = 4


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
    answers: Sequence[Answers],
    thumbnails: Thumbnails,
    models: Sequence[str],
) -> Shown:
    """Return the picked items; without their task, or where its samples are not found, without question and options."""
    unit = asked.metric.unit
    samples = find_samples(task, {sample_id(item.id, unit) for item in picks}) if task else {}
    held = {each.model: _rows(each, picks) for each in answers}
    numbers = {model: number for number, model in enumerate(models)}
    made = []
    pictures = []
    for item in picks:
        rows = {numbers[model]: held[model][item.id] for model in item.rows}
        first = next(iter(rows.values()))
        sample = samples.get(sample_id(item.id, unit))
        sample, keys = _still(sample, first, thumbnails)
        made.append(_item(item.id, sample, first, keys, rows))
        pictures.append(keys)
    return Shown(made, pictures)


def _rows(answers: Answers, picks: Sequence[Pick]) -> dict[str, dict[str, Any]]:
    at = np.array([item.rows[answers.model] for item in picks if answers.model in item.rows], dtype=np.intp)
    found = answers.rows(at)
    for row, number in zip(found, at.tolist(), strict=True):
        row["value"], row["wrong"] = answers.values[number], bool(answers.wrong[number])
    return {row["id"]: row for row in found}


def _still(sample: Sample | None, row: Mapping[str, Any], thumbnails: Thumbnails) -> tuple[Sample | None, list[str]]:
    """Return the sample, if it is what was asked, and keys of its pictures; else of the picture at the locator."""
    if sample is not None:
        keys = [key for image in sample.media[:_MOST_PICTURES] if (key := thumbnails.add(image))]
        # The first picture is read by now, so that a sample knows its cluster; data that changed have another.
        if sample.cluster == row["cluster"]:
            return sample, keys
    key = thumbnails.add_file(row["locator"] or "", row["cluster"] or "")
    return None, [key] if key else []


def _item(
    name: str,
    sample: Sample | None,
    first: Mapping[str, Any],
    keys: Sequence[str],
    rows: Mapping[int, Mapping[str, Any]],
) -> dict[str, Json]:
    item: dict[str, Json] = {
        "id": name,
        "target": _cut(first["target"], _LONG),
        "pictures": list(keys),
        "answers": [_answer(number, row) for number, row in sorted(rows.items())],
    }
    if sample is not None:
        item["question"] = _cut(sample.question, _LONG)
        item["options"] = [_cut(option.label, _SAID) for option in sample.options[:_MOST_OPTIONS]]
    if first["locator"]:
        item["locator"] = first["locator"]
    prompt = next((row["prompt"] for row in rows.values() if row.get("prompt")), None)
    if prompt:
        item["prompt"] = _told(prompt)
    facts = {fact: cell for fact, cell in (first["facts"] or {}).items() if cell is not None}
    if facts:
        item["facts"] = {fact: _cut(cell, _SAID) for fact, cell in facts.items()}
    return {key: value for key, value in item.items() if value not in ("", None, [])}


def _answer(model: int, row: Mapping[str, Any]) -> Json:
    """Return `[model, wrong, status, value, text]`, and the reply where it says more: null where there is none."""
    value = None if np.isnan(row["value"]) else round(float(row["value"]), 4)
    said = row["message"] if row["status"] == "error" else row["prediction"]
    made: list[Json] = [model, int(row["wrong"]), row["status"], value, _cut(said, _SAID)]
    reply = row.get("reply")
    if reply is None or (reply == row["prediction"] and len(reply) <= _SAID):
        return made
    return [*made, _told(reply)]


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
