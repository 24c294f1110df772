"""Anchors: published figures of models, each with its protocol, tolerance and source."""

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmbench.harness.errors import DataError, nearest
from mmbench.harness.regular import read_regular

KNOBS = ("split", "items", "templates", "prompt", "route", "resolution", "dtype")
"""Columns in which an anchor may state a setting of its protocol, to be held against that of the task here."""
_NEEDED = ("model", "metric", "value")
_TEXTS = ("spec", "dataset", "task", "measure", "tolerance", "tolerance_note", "protocol", "source", "data", "download")
COLUMNS = (*_NEEDED, *_TEXTS, "gated", *KNOBS)
_MOST = 64 << 20
_SHOWN = 40
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*(%|points?\b)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Anchor:
    """One published figure, in the words of its source; an empty text was not stated."""

    model: str
    metric: str
    value: str
    """As printed: `0.6332`, `74.0 %`."""
    spec: str = ""
    """The model as `--model` takes it, where it is known."""
    dataset: str = ""
    task: str = ""
    """The task here that measures the same; empty where there is none."""
    measure: str = ""
    """The metric of that task."""
    tolerance: str = ""
    tolerance_note: str = ""
    protocol: str = ""
    source: str = ""
    data: str = ""
    """Where the data, or a copy, can be had."""
    download: str = ""
    gated: str = ""
    knobs: Mapping[str, str] | None = None
    """Settings that are stated, of `KNOBS`."""

    @property
    def published(self) -> float:
        """The figure, per cent as a share. Raises ValueError."""
        return number(self.value)

    @property
    def allowed(self) -> float:
        """How far a measured figure may lie apart. Raises ValueError."""
        return number(self.tolerance)


def number(text: str) -> float:
    """Return the number a text is, per cent and points of them as a share. Raises ValueError.

    >>> number("0.6332"), number("74.0 %"), number("0.5 points")
    (0.6332, 0.74, 0.005)
    """
    found = _NUMBER.fullmatch(text.strip())
    if found is None or math.isinf(float(found[1])):
        raise ValueError(f"'{text[:_SHOWN]}' is no figure such as 0.6332 or 74.0 %")
    return float(found[1]) / 100 if found[2] else float(found[1])


def read_anchors(path: Path) -> list[Anchor]:
    """Return the rows of a CSV or TSV file with a header; lines that begin with # are comments. Raises DataError."""
    try:
        text = read_regular(path, _MOST).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}); published figures are a CSV or TSV file in UTF-8") from error
    numbered = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    if not numbered:
        raise DataError(f"{path} is empty; its first line names the columns, of {', '.join(COLUMNS)}")
    tabs = path.suffix.lower() == ".tsv"
    lines = (line for _, line in numbered)
    try:
        table = [line.split("\t") for line in lines] if tabs else list(csv.reader(lines, strict=True))
    except csv.Error as error:
        raise DataError(f"{path} cannot be read as CSV ({error})") from error
    header = [name.strip() for name in table[0]]
    _check_header(header, path)
    if len(table) != len(numbered):
        raise DataError(f"{path} has a cell of several lines; write each figure in one")
    return [_anchor(header, row, f"{path} line {n}") for (n, _), row in zip(numbered[1:], table[1:], strict=True)]


def _check_header(header: Sequence[str], path: Path) -> None:
    for name in header:
        if name not in COLUMNS:
            raise DataError(f"{path}: unknown column '{name}'{nearest(name, COLUMNS)}")
    missing = next((name for name in _NEEDED if name not in header), None)
    if missing or len(set(header)) < len(header):
        raise DataError(f"{path} needs the columns {', '.join(_NEEDED)}, each once")


def _anchor(header: Sequence[str], row: Sequence[str], where: str) -> Anchor:
    if len(row) != len(header):
        raise DataError(f"{where} has {len(row)} cells, and the header {len(header)}")
    cells = {name: cell.strip() for name, cell in zip(header, row, strict=True)}
    knobs = {name: cells.pop(name) for name in KNOBS if name in cells}
    anchor = Anchor(**cells, knobs={name: said for name, said in knobs.items() if said})
    for name in _NEEDED:
        if not cells[name]:
            raise DataError(f"{where} has no {name}")
    if anchor.task:
        try:
            _ = anchor.published, anchor.allowed
        except ValueError as error:
            raise DataError(f"{where}: {error}; a row with a task has a value and a tolerance") from error
    return anchor
