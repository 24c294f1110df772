"""The text of a first task file, with comments on what was found and on what a person should look at."""

import os
from collections.abc import Mapping
from pathlib import Path

from mmbench.benchmarks.sources.folder import SPLIT_NAMES
from mmbench.benchmarks.starting.guess import SAMPLED, guess, splits_of
from mmbench.benchmarks.starting.hub import hub_task, is_hub_id
from mmbench.benchmarks.starting.look import source_of
from mmbench.benchmarks.starting.written import PREFERRED, unknown, written
from mmbench.harness.errors import DataError
from mmbench.harness.render.plain import plain
from mmbench.harness.tasks.plugins import find_source
from mmbench.harness.tasks.source import Source

_PATHS = ("path", "images", "annotations")


def starting_task(path: Path, base: Path) -> str:
    """Return the text of a task file, to stand in the folder `base`, for the data at a path, or
    of an id of the hub.

    Raises DataError where the data is of no kind that is read, or says nothing that could be asked.
    """
    if not path.exists() and is_hub_id(path.as_posix()):
        return hub_task(path.as_posix())
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
        raise DataError(unknown(path.name, source.columns()))
    seen = f"its {len(source)} rows" if len(source) <= SAMPLED else f"the first {SAMPLED} of its {len(source)} rows"
    counts = ", ".join(f"{split} {count}" for split, count in splits.items())
    comment = f"  # rows of each split: {plain(counts)}" if splits else ""
    card = ["  # licence, citation and url of the data; human: the score of people, where it was measured"]
    name = path.resolve().name
    return written(name, {**keys, **found.rows}, source.columns(), found, seen=seen, comment=comment, card=card)


def _relative(path: Path, base: Path) -> str:
    return os.path.relpath(path, base.resolve())


def _opened(keys: Mapping[str, str], base: Path) -> Source:
    kind = find_source(keys["kind"])
    made: Source = kind.open(kind.Spec.model_validate(keys), base, keys.get("split"))
    return made


def _asked_split(splits: Mapping[str, int]) -> str | None:
    kinds = {SPLIT_NAMES[name.lower()]: name for name in splits if name.lower() in SPLIT_NAMES}
    return next((kinds[kind] for kind in PREFERRED if kind in kinds), None)
