"""Tests of remembered rows: equal to those that were made, and made again where anything is not sure."""

from pathlib import Path

import pytest

from mmbench.benchmarks.scenes import remembered, rows
from mmbench.harness.media.image import Image
from mmbench.harness.tasks.source import Cell, Row

KINDS = [name for name in rows.SIZES if name != "scenes-many"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder for what is remembered, and a process that holds nothing yet."""
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(rows, "_HELD", {})
    return tmp_path / "home"


def rows_of(name: str, split: str | None = None) -> list[Row]:
    """Return the rows of a split as a process that holds nothing finds them."""
    rows._HELD.clear()
    return list(rows.rows(name, split))


def plain(made: list[Row]) -> list[object]:
    """Return all that rows say, with their types and the identity of their pictures."""

    def told(cell: Cell) -> object:
        if isinstance(cell, tuple):
            return tuple(map(told, cell))
        return (cell.locator, cell.digest, cell.drawn) if isinstance(cell, Image) else (type(cell), cell)

    return [(row.where, row.base, [(name, told(cell)) for name, cell in row.cells.items()]) for row in made]


def pictures(row: Row) -> list[Image]:
    """Return all pictures of a row."""
    cells = [cell if isinstance(cell, tuple) else (cell,) for cell in row.cells.values()]
    return [each for cell in cells for each in cell if isinstance(each, Image)]


@pytest.mark.parametrize("name", KINDS)
def test_remembered_rows_are_those_that_were_made(name: str, home: Path) -> None:
    made = rows_of(name)
    again = rows_of(name)
    assert again[0] is not made[0]  # they come from the file
    assert plain(again) == plain(made)
    for one, other in zip(pictures(made[3]), pictures(again[3]), strict=True):
        assert one.pil().tobytes() == other.pil().tobytes()
    assert plain(rows_of(name, "mini")) == plain(made)[: len(made) // 10]
    assert [file.name for file in (home / "scenes").iterdir()] == [f"{name}-test"]


def test_a_part_of_a_split_is_not_remembered(home: Path) -> None:
    assert next(rows.rows("scenes-count", None)).cells["id"] == "0"
    assert len(rows_of("scenes-count", "mini")) == 24
    assert not home.exists()


@pytest.mark.parametrize("harm", ["cut", "changed", "empty", "a folder", "of other code"])
def test_what_is_damaged_is_made_again(harm: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = plain(rows_of("scenes-count"))
    file = home / "scenes" / "scenes-count-test"
    whole = file.read_bytes()
    if harm == "a folder":
        file.unlink()
        file.mkdir()
    elif harm == "of other code":
        monkeypatch.setattr(remembered, "_maker", lambda: "another")
    else:
        file.write_bytes({"cut": whole[:-9], "changed": whole[:-9] + b"otherwise", "empty": b""}[harm])
    assert remembered.recall("scenes-count", "test", 240) is None
    assert plain(rows_of("scenes-count")) == made
    if harm != "a folder":  # nothing can take its place, and nothing is lost
        assert remembered.recall("scenes-count", "test", 240) is not None


def test_a_home_that_cannot_be_written_is_done_without(home: Path) -> None:
    home.write_text("a file where the folder would be")
    assert len(rows_of("scenes-count")) == 240


def test_what_is_held_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "KEPT", 250)
    for name in ("scenes-count", "scenes-arrows", "scenes-patterns"):
        list(rows.rows(name, None))
    assert sum(map(len, rows._HELD.values())) <= 250
