"""Item table at the terminal: question, answer and reference, one line each."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from mmbench.harness.records.items import Items, is_wrong, item_value, other_reply
from mmbench.harness.records.originals import find_samples, original_task, sample_id
from mmbench.harness.render.figures import number
from mmbench.harness.render.plain import plain
from mmbench.harness.terminal.tables import empty_table
from mmbench.harness.types import Outcome, Sample

_LONGEST = 160
"""Characters of a text that a cell shows; the JSON has all."""

_LONGEST_REPLY = 300
"""Characters of a reply, its beginning and its end."""

_MOST_FRAMES = 8
"""Frames of a clip that are named."""

_TEXTS = ("question", "frames", "reply", "prediction", "target", "facts")

_MOST_VALUES = 3
"""A probe has fifteen values an item; a table shows the primary alone where there are more than these."""


def items_table(items: Items, files: Sequence[Path] = ()) -> Group:
    """Return the items of one task as a table, and a line on what it leaves out.

    Questions are those of the task in the catalogue, or in one of these files, where it still asks the same.
    """
    record = items.entry.record
    samples = _samples(items, files)
    others = _other_values(items)
    asked = any(sample.question for sample in samples.values())
    replied = any(other_reply(outcome) is not None for outcome in items.outcomes)
    read = any(_reason(outcome) for outcome in items.outcomes)
    said = [*(["reply"] if replied else []), *(["read because"] if read else [])]
    shown = [*(["question"] if asked else []), *(["frames"] if any(each.frames for each in items.outcomes) else [])]
    names = ["id", "status", *shown, *said, "prediction", "target"]
    under = f" ({record.control})" if record.control else ""
    title = f"{record.model} · {record.reference}{under}"
    facts = any(outcome.facts for outcome in items.outcomes)
    table = empty_table(title, names, [items.metric.name, *others], ["facts"] if facts else [], texts=_TEXTS)
    for outcome in items.outcomes:
        sample = samples.get(sample_id(outcome.id, outcome.unit)) if asked else None
        _add(table, items, outcome, sample, others, shown=shown, replied=replied, read=read)
    return Group(table, *(Text(note, style="dim") for note in _notes(items)))


def _add(
    table: Table,
    items: Items,
    outcome: Outcome,
    sample: Sample | None,
    others: Collection[str],
    *,
    shown: Collection[str],
    replied: bool,
    read: bool,
) -> None:
    made = [item_value(items.metric, outcome), *(outcome.values.get(name) for name in others)]
    facts = "\n".join(f"{name}: {_short(cell)}" for name, cell in outcome.facts.items())
    answer = outcome.prediction if outcome.status != "error" else outcome.message
    reply = other_reply(outcome)
    style = "yellow" if is_wrong(items.metric, outcome) else ""
    table.add_row(
        outcome.id,
        Text(outcome.status, style="red" if outcome.status == "error" else style),
        *([Text(_short(sample.question if sample else None))] if "question" in shown else []),
        *([Text(_strip(outcome))] if "frames" in shown else []),
        *([Text("" if reply is None else plain(reply, _LONGEST_REPLY))] if replied else []),
        *([Text(_short(_reason(outcome)))] if read else []),
        Text(_short(answer), style=style),
        Text(_short(outcome.target)),
        *map(number, made),
        *([Text(facts)] if facts else []),
    )


def _strip(outcome: Outcome) -> str:
    """Return which frames of a clip were shown, and from when to when.

    >>> _strip(Outcome("0", "ok", None, None, {}, frames='{"indices": [0, 3, 6], "timestamps": [0.0, 0.1, 0.2]}'))
    'frames 0 3 6, 0.00 to 0.20 s'
    """
    held = json.loads(outcome.frames) if outcome.frames else []
    return "\n".join(_named_frames(each) for each in (held if isinstance(held, list) else [held]))


def _named_frames(clip: Mapping[str, Any]) -> str:
    indices, times = clip["indices"], clip["timestamps"]
    more = [f"and {len(indices) - _MOST_FRAMES:,} more"] if len(indices) > _MOST_FRAMES else []
    said = " ".join([f"frame{'s' * (len(indices) > 1)}", *map(str, indices[:_MOST_FRAMES]), *more])
    if not times:
        return said
    return f"{said}, {times[0]:.2f} s" if len(times) == 1 else f"{said}, {min(times):.2f} to {max(times):.2f} s"


def _reason(outcome: Outcome) -> str | None:
    """Return why a reply was read as it was."""
    return outcome.message if outcome.reply is not None and outcome.status != "error" else None


def _samples(items: Items, files: Sequence[Path]) -> Mapping[str, Sample]:
    task = original_task(items.entry.record, files) if items.outcomes else None
    if task is None:
        return {}
    return find_samples(task, {sample_id(outcome.id, outcome.unit) for outcome in items.outcomes})


def _other_values(items: Items) -> list[str]:
    names = dict.fromkeys(name for outcome in items.outcomes for name in outcome.values)
    others = [name for name in names if name != items.metric.name]
    return others if len(others) < _MOST_VALUES else []


def _notes(items: Items) -> list[str]:
    shown = len(items.outcomes)
    return [f"{shown:,} of {items.found:,} items; --limit {items.found} shows all"] if shown < items.found else []


def _short(cell: object) -> str:
    """Return a text on one line, cut where it is long.

    >>> _short("a cat\\nor a dog"), _short(None)
    ('a cat or a dog', '-')
    """
    if cell is None:
        return "-"
    line = plain(str(cell))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
