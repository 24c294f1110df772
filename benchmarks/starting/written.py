"""How a first task file is written: its keys, and comments on what a person should look at."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from mmbench.benchmarks.starting.guess import Guess
from mmbench.harness.render.plain import plain

PREFERRED = ("test", "validation", "train")
"""Of several splits, the one that is asked."""
_FIXED = ("folder",)
"""Kinds whose columns always mean the same, so that their fields need no line."""


def unknown(name: str, columns: Sequence[str]) -> str:
    """Return what to do where no column is known for what could be asked."""
    return (
        f"{name} has the columns {', '.join(columns)}, and none is known for a label, a question or captions; rename "
        "one of them (label; question and answers; captions), or write the task file by hand"
    )


def written(
    title: str,
    keys: Mapping[str, Any],
    columns: Sequence[str],
    found: Guess,
    *,
    seen: str,
    comment: str = "",
    card: Sequence[str] = (),
) -> str:
    """Return the text of a task file; `comment` stands behind its source, `card` are further lines of its card."""
    name = re.sub(r"[^a-z0-9]+", "-", title.rpartition("/")[2].partition(".")[0].lower()).strip("-") or "my-task"
    lines = [f"# A starting point, guessed from {seen}; the protocol is yours to settle before the first run."]
    lines += [f"# To look at: {plain(doubt)}." for doubt in found.doubts]
    lines += [f"name: {flow(name)}", "version: 1", f"family: {found.family}", f"source: {flow(dict(keys))}{comment}"]
    if keys["kind"] not in _FIXED:
        lines.append(f"fields: {flow(found.fields)}")
        spare = [column for column in columns if column not in _used(found)]
        lines += [f"# other columns: {', '.join(map(flow, spare))}"] if spare else []
    if found.facts:
        lines.append(f"facts: {flow(found.facts)}  # scores are broken down by these")
    lines += [f"{key}: {value}" for key, value in found.keys.items()]
    lines += _FAMILIES[found.family]
    lines += ["card:", f"  title: {flow(title)}", *card]
    return "\n".join(lines) + "\n"


def _used(found: Guess) -> set[str]:
    fields = {name for names in found.fields.values() for name in ([names] if isinstance(names, str) else names)}
    return fields | set(found.facts)


def flow(value: Any) -> str:
    """Return a value as YAML writes it within a line: nothing of the data stands where YAML is read otherwise."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    text = text.removesuffix("...\n").strip()
    return json.dumps(value) if "\n" in text else text  # which is YAML too, and writes the end of a line as \n


_FAMILIES: Mapping[str, Sequence[str]] = {
    "zero-shot-classification": [
        "# templates: ['a photo of a {}.']  # prompts; openai-imagenet for the 80 of CLIP",
        "# to learn from a few pictures instead: family: probe, with rows of train beside those of test",
    ],
    "retrieval": [],
    "vqa": ["# prompt: '{question}'  # as the benchmark words it", "# metrics: [vqa_accuracy]  # exact_match, anls, …"],
    "multiple-choice": ["# circular: true  # every rotation of the options is asked, in writing"],
    "yes-no": [],
    "pairs": [],
}
"""What a person may want to change next, by family."""
