"""CSV as text, for other programs and spreadsheets."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from mmbench.harness.digest import Json
from mmbench.harness.render.plain import plain


def csv_text(names: Sequence[str], rows: Iterable[Mapping[str, Json]]) -> str:
    """Return a header and a line for each row; a cell that a row lacks, or that is None, is empty.

    >>> csv_text(["a", "b"], [{"a": 1.5, "b": "=1+1"}, {"a": None}]).splitlines()
    ['a,b', "1.5,'=1+1", ',']
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(names), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(cell) for name, cell in row.items()} for row in rows)
    return text.getvalue().rstrip("\n")


def _cell(cell: Json) -> Json:
    """Return a text in one line that no spreadsheet takes for a formula; other cells as they are."""
    if not isinstance(cell, str):
        return cell
    text = plain(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
