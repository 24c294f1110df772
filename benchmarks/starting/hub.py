"""A first task file for a data set of the hub, from its card, its footers and its first rows."""

import re
from collections.abc import Mapping, Sequence

from mmbench.benchmarks.sources.hub import choices, part_at
from mmbench.benchmarks.sources.hub_sample import sample
from mmbench.benchmarks.starting.guess import SAMPLED, guess
from mmbench.benchmarks.starting.written import PREFERRED, flow, unknown, written
from mmbench.harness.errors import DataError
from mmbench.harness.hub.access import endpoint
from mmbench.harness.hub.repository import MAIN, Repository
from mmbench.harness.render.plain import plain

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_SHOWN = 20
"""Configurations or splits that a comment names."""


def is_hub_id(text: str) -> bool:
    """Tell whether a text may be `ORG/NAME`."""
    return _ID.fullmatch(text) is not None


def hub_task(name: str) -> str:
    """Return the text of a task file for a data set, pinned to the commit that its main branch stands for now.

    Raises DataError.
    """
    repository = Repository(name, MAIN)
    there = choices(repository)
    if not there:
        raise DataError(f"{name} has no files that are read (Parquet, tar, CSV, JSON, class folders of pictures)")
    config = next(iter(there))
    split = _split(there[config])
    part = part_at(repository, config, split)
    seen = sample(repository, part, SAMPLED)
    found = guess(seen)
    if found is None:
        raise DataError(unknown(name, seen.columns()))
    keys = {"kind": "hub", "id": name, "revision": repository.commit, "split": split}
    if len(there) > 1 or config != "default":
        keys["config"] = config
    rows = f"the first {len(seen)} rows of '{split}'" + (f", which has {seen.size}" if seen.size is not None else "")
    found.doubts += _doubts(there, config)
    gate = {"auto": "its terms must be accepted", "manual": "its owners give access"}.get(repository.gate, "")
    size = repository.bytes_of(part.files)
    card = [f"  url: {flow(f'{endpoint()}/datasets/{name}')}", f"  bytes: {size}"]
    card += [f"  items: {seen.size}"] if seen.size is not None else []
    card += [f"  licence: {flow(plain(repository.licence))}" if repository.licence else "  # licence: not stated"]
    card += [f"  gate: {flow(f'{gate} on its page')}"] if gate else []
    card += ["  # citation; human: the score of people, where it was measured"]
    return written(name, keys, seen.columns(), found, seen=plain(rows), card=card)


def _split(names: Sequence[str]) -> str:
    known = {name.lower(): name for name in names}
    return next((known[name] for name in PREFERRED if name in known), names[0])


def _doubts(there: Mapping[str, Sequence[str]], config: str) -> list[str]:
    made = []
    if len(there) > 1:
        made.append(f"'{config}' is the first of its configurations: {_some([*there])}")
    if len(there[config]) > 1:
        made.append(f"its splits: {_some(there[config])}")
    return made


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
