"""Ids and facts of a row are what was meant, whatever the table made of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench.harness.tasks.source import Data, Row


def data(**fields: str) -> Data:
    source: Any = None
    return Data(source, fields, ("fact",), Path())


def row(**cells: object) -> Row:
    return Row(cells, "labels.csv line 7", Path())


@pytest.mark.parametrize(
    ("cell", "expected"),
    [(2.0, "2"), (np.float32(2), "2"), (2, "2"), (2.5, "2.5"), ("2.0", "2.0"), ("", "9"), (None, "9"), (True, "True")],
)
def test_ids(cell: object, expected: str) -> None:
    assert data().id_of(row(id=cell), 9) == expected
    assert data(id="key").id_of(row(key=cell), 9) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("['a', 'b']", ["a", "b"]),
        ("['a' 'b']", ["a", "b"]),
        ('["a"]', ["a"]),
        ("[0.5 1.2]", [0.5, 1.2]),
        (["a", 1], ["a", 1]),
        ("[citation needed]", "[citation needed]"),
        ("[0, 1) interval", "[0, 1) interval"),
        ("plain", "plain"),
        (None, None),
        (2.5, 2.5),
    ],
)
def test_facts(cell: object, expected: object) -> None:
    assert data().facts_of(row(fact=cell)) == {"fact": expected}
