"""Small JSON files beside the store in which one run tells the next what it learnt; each may be deleted at any time."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mmbench.harness.digest import Json
from mmbench.harness.regular import read_regular
from mmbench.harness.strict_json import parse_json

_MOST = 1 << 28
"""Bytes of a file that is read."""


def recall(file: Path) -> dict[str, Json]:
    """Return what a file holds; nothing where it is not there, damaged, or no mapping."""
    try:
        found = parse_json(read_regular(file, _MOST).decode())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def keep(file: Path, content: Mapping[str, Json]) -> None:
    """Write a file whole, or not at all: on a disk that is full or not ours the next run learns it again."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f"{file.name}.{os.getpid()}")
        fresh.write_text(json.dumps(content), encoding="utf-8")
        fresh.replace(file)
