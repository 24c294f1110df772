"""Predictions of another system, as a file holds them: one JSON object a line."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmbench.harness.digest import Json, digest_json
from mmbench.harness.errors import DataError
from mmbench.harness.regular import open_regular
from mmbench.harness.render.figures import some
from mmbench.harness.strict_json import parse_json

_FEW = 6
"""Keys of a line that are named where it is no prediction."""
_NONE = re.compile(r'("prediction"\s*:\s*)None\b')
"""Nothing, as Python prints it: that item has no prediction, and the others are read."""


_HOW = "; docs/coming-from.md shows how files of other tools become such lines"


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a file holds: one prediction for each id."""

    by_id: dict[str, Json]
    conflicting: frozenset[str]
    """Ids that have two predictions which differ: neither is taken."""
    repeated: frozenset[str]
    """Ids that stand more than once."""

    @property
    def digest(self) -> str:
        """Identity of the predictions, whatever the order of the lines."""
        return digest_json([sorted(self.by_id.items()), sorted(self.conflicting)])


def read_predictions(path: Path) -> Predictions:
    """Read `{"id": …, "prediction": …}`, one object a line. Raises DataError that names the line."""
    by_id: dict[str, Json] = {}
    repeated: set[str] = set()
    conflicting: set[str] = set()
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        name, prediction = _prediction(line, f"{path.name} line {number}")
        if name in by_id:
            repeated.add(name)
            if digest_json(by_id[name]) != digest_json(prediction):
                conflicting.add(name)
        by_id.setdefault(name, prediction)
    return Predictions(by_id, frozenset(conflicting), frozenset(repeated))


def _lines(path: Path) -> Iterator[str]:
    try:
        with io.TextIOWrapper(open_regular(path), encoding="utf-8-sig") as lines:
            yield from lines
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read ({error}); predictions are UTF-8 text, one JSON object a line"
        ) from error


def _prediction(line: str, where: str) -> tuple[str, Json]:
    try:
        held = _parsed(line)
        if "\\u" in line:
            json.dumps(held, ensure_ascii=False).encode()  # an escape can be half a character, which no file can hold
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is not JSON ({error}); predictions are one JSON object a line{_HOW}") from error
    if not isinstance(held, dict) or not {"id", "prediction"} <= set(held):
        has = f"; it has {some(list(map(repr, held)), _FEW)}" if isinstance(held, dict) and held else ""
        raise DataError(f'{where}: expected an object such as {{"id": "7", "prediction": "a cat"}}{has}{_HOW}')
    name = held["id"]
    if isinstance(name, float) and name.is_integer():
        name = int(name)  # as tables write the integers of a column that has gaps
    if isinstance(name, bool) or not isinstance(name, (str, int)):
        raise DataError(f"{where}: the id is text or a whole number, not {name!r}")
    return str(name), held["prediction"]


def _parsed(line: str) -> Any:
    try:
        return parse_json(line)
    except ValueError:
        mended = _NONE.sub(r"\1null", line, count=1)
        if mended == line:
            raise
        return parse_json(mended)
