"""Columns made from buffers are those that `pyarrow.array` makes."""

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mmbench.harness.records import arrow as columns


@pytest.mark.parametrize(
    ("make", "cells", "kind"),
    [
        (columns.texts, ["a", None, "", "naïve 🐶"], pa.string()),
        (columns.texts, [], pa.string()),
        (columns.texts, [None] * 9, pa.string()),
        (columns.numbers, [0.5, None, -1e300, 3], pa.float64()),
        (columns.lists, [(1.0, 2.0), None, (), (3.0,)], pa.list_(pa.float64())),
        (columns.plain, [True, None, False] * 5, pa.bool_()),
        (columns.plain, [1, None, -(2**62)], pa.int64()),
        (columns.plain, [1, 2.5, None], pa.float64()),
        (columns.plain, ["x", None], pa.string()),
    ],
)
def test_columns_equal_those_of_pyarrow(make: Any, cells: list[Any], kind: Any) -> None:
    made = make(cells)
    made.validate(full=True)
    assert made.equals(pa.array(cells, kind))


def test_mixed_and_huge_cells_become_text() -> None:
    assert columns.plain([1, "x", None]).to_pylist() == ["1", "x", None]
    assert columns.plain([2**70, None, 0.5]).to_pylist() == [str(2**70), None, "0.5"]


def test_struct_is_null_where_a_row_lacks_a_name() -> None:
    made = columns.struct([{"a": 1.0}, {"b": 2.0}, {}], columns.numbers)
    made.validate(full=True)
    assert made.to_pylist() == [{"a": 1.0, "b": None}, {"a": None, "b": 2.0}, {"a": None, "b": None}]
    assert columns.struct([{}, {}], columns.numbers).to_pylist() == [{"none": None}] * 2


def test_pandas_is_not_imported() -> None:
    code = "import sys; from mmbench.harness.records import arrow; arrow.texts(['a']); print('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize("cells", [["b", "a", None, "b", ""], [], [None, None], ["x"] * 9])
def test_few_cells_are_numbered_and_taken_as_many_are(cells: list[str | None], monkeypatch: pytest.MonkeyPatch) -> None:
    column = pa.chunked_array([pa.array(cells[:2], pa.string()), pa.array(cells[2:], pa.string())])
    whole = pa.array([cell or "" for cell in cells], pa.string())
    rows = np.arange(0, len(cells), 2)
    with monkeypatch.context() as held:
        held.delitem(sys.modules, "pyarrow.compute", raising=False)
        few = columns.coded(column), columns.coded(column.combine_chunks()), columns.taken(whole, rows)
        assert "pyarrow.compute" not in sys.modules
    monkeypatch.setattr(columns, "_LEFT", [-1])
    many = columns.coded(column), columns.coded(column.combine_chunks()), columns.taken(whole, rows)
    for (codes, names), (codes_of_many, names_of_many) in zip(few[:2], many[:2], strict=True):
        assert codes.tolist() == codes_of_many.tolist()
        assert names == names_of_many
    assert few[2].equals(many[2])
