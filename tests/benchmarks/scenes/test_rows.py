"""Rows of scenes are made once, are those that they always were, and cannot be changed by who reads them."""

import pytest

from mmbench.benchmarks.scenes.data import SETS
from mmbench.benchmarks.scenes.rows import SIZES
from mmbench.benchmarks.sources.builtin import Builtin


def test_rows_are_made_once_for_all_who_read_them() -> None:
    first, again, mini = (list(Builtin("scenes-many", split)) for split in ("mini", "mini", "test"))
    assert all(one is other is third for one, other, third in zip(first, again, mini[: len(first)], strict=True))
    assert len(first) == 100
    assert len(mini) == 1000


def test_each_data_set_has_a_size_and_a_world() -> None:
    assert list(SETS) == list(SIZES)


@pytest.mark.parametrize("name", SETS)
def test_shared_rows_cannot_be_changed(name: str) -> None:
    row = next(iter(Builtin(name, None)))
    with pytest.raises(TypeError):
        row.cells["id"] = "other"  # type: ignore[index]
    assert not [key for key, cell in row.cells.items() if isinstance(cell, list | dict | set)]


def test_rows_that_are_read_in_turns_are_those_that_are_read_one_after_the_other() -> None:
    one, other = Builtin("scenes-words", "mini"), Builtin("scenes-words", "mini")
    turns = [[row.cells["id"] for row in pair] for pair in zip(one, other, strict=True)]
    assert turns == [[str(i)] * 2 for i in range(16)]
