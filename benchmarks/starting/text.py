"""The text of a first task file, with comments on what was found and on what a person should look at."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from mmbench.benchmarks.sources.folder import SPLIT_NAMES
from mmbench.benchmarks.starting.guess import SAMPLED, Guess, guess, splits_of
from mmbench.benchmarks.starting.look import source_of
from mmbench.harness.errors import DataError
from mmbench.harness.render.plain import plain
from mmbench.harness.tasks.plugins import find_source
from mmbench.harness.tasks.source import Source

_PATHS = ("path", "images", "annotations")
_PREFERRED = ("test", "validation", "train")
_FIXED = ("folder",)
"""Kinds whose columns always mean the same, so that their fields need no line."""


def starting_task(path: Path, base: Path) -> str:
    """Return the text of a task file, to stand in the folder `base`, for the data at a path.

    Raises DataError where the data is of no kind that is read, or says nothing that could be asked.
    """
    keys = source_of(path.resolve())
    keys |= {key: _relative(Path(keys[key]), base) for key in _PATHS if key in keys}
    source = _opened(keys, base)
    splits = splits_of(source)
    split = None if "split" in keys else _asked_split(splits)
    if split is not None:
        keys["split"] = split
        source = _opened(keys, base)
    found = guess(source)
    if found is None:
        raise DataError(
            f"{path.name} has the columns {', '.join(source.columns())}, and none is known for a label, a question or "
            "captions; rename one of them (label; question and answers; captions), or write the task file by hand"
        )
    return _written(path, keys, source, splits, found)


def _relative(path: Path, base: Path) -> str:
    return os.path.relpath(path, base.resolve())


def _opened(keys: Mapping[str, str], base: Path) -> Source:
    kind = find_source(keys["kind"])
    made: Source = kind.open(kind.Spec.model_validate(keys), base, keys.get("split"))
    return made


def _asked_split(splits: Mapping[str, int]) -> str | None:
    kinds = {SPLIT_NAMES[name.lower()]: name for name in splits if name.lower() in SPLIT_NAMES}
    return next((kinds[kind] for kind in _PREFERRED if kind in kinds), None)


def _written(path: Path, keys: Mapping[str, str], source: Source, splits: Mapping[str, int], found: Guess) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", path.name.partition(".")[0].lower()).strip("-") or "my-task"
    seen = f"its {len(source)} rows" if len(source) <= SAMPLED else f"the first {SAMPLED} of its {len(source)} rows"
    lines = [f"# A starting point, guessed from {seen}; the protocol is yours to settle before the first run."]
    lines += [f"# To look at: {plain(doubt)}." for doubt in found.doubts]
    lines += [f"name: {_flow(name)}", "version: 1", f"family: {found.family}", f"source: {_flow(dict(keys))}"]
    if splits:
        counts = ", ".join(f"{split} {count}" for split, count in splits.items())
        lines[-1] += f"  # rows of each split: {plain(counts)}"
    if keys["kind"] not in _FIXED:
        lines.append(f"fields: {_flow(found.fields)}")
        spare = [column for column in source.columns() if column not in _used(found)]
        lines += [f"# other columns: {', '.join(map(_flow, spare))}"] if spare else []
    if found.facts:
        lines.append(f"facts: {_flow(found.facts)}  # scores are broken down by these")
    lines += [f"{key}: {value}" for key, value in found.keys.items()]
    lines += _FAMILIES[found.family]
    lines += [
        "card:",
        f"  title: {_flow(path.name)}",
        "  # licence, citation and url of the data; human: the score of people, where it was measured",
    ]
    return "\n".join(lines) + "\n"


def _used(found: Guess) -> set[str]:
    fields = {name for names in found.fields.values() for name in ([names] if isinstance(names, str) else names)}
    return fields | set(found.facts)


def _flow(value: Any) -> str:
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
