"""Answers of small commits wait in a table without index: whoever looks finds them, and none is lost or kept twice."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from mmbench.harness.digest import digest_bytes
from mmbench.harness.engine.kinds.image import IMAGE
from mmbench.harness.engine.question import Answered, Question
from mmbench.harness.store import answers
from mmbench.harness.store.store import Store


@pytest.fixture(autouse=True)
def waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many answers may wait as the table with the index has."""
    monkeypatch.setattr(answers, "_SHARE", 1)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A store of 40 answers with the index and 12 that wait, in use."""
    with closing(Store(tmp_path / "store.sqlite")) as store:
        keep(store, range(40))
        for first in range(40, 52, 4):
            keep(store, range(first, first + 4))
        yield tmp_path / "store.sqlite"


def key(number: int) -> bytes:
    return bytes.fromhex(digest_bytes(b"%d" % number))[:16]


def keep(store: Store, numbers: range, value: float | None = None) -> None:
    vectors = ((n, np.array([n if value is None else value, 0.5], np.float32)) for n in numbers)
    store.keep(store._model("m"), [Answered(Question(IMAGE, key=key(n)), vector) for n, vector in vectors], 1.0)


def found(store: Store, numbers: range) -> dict[int, float]:
    held = store.lookup(store._model("m"), IMAGE, [key(n) for n in numbers])
    return {n: float(np.asarray(held[key(n)][0])[0]) for n in numbers if key(n) in held}


def counts(path: Path) -> tuple[int, int]:
    """Return how many answers have an index, and how many wait."""
    with closing(sqlite3.connect(path)) as file:
        query = "SELECT (SELECT count(*) FROM answers), (SELECT count(*) FROM recent)"
        return file.execute(query).fetchone()


def test_whoever_looks_finds_them_and_the_first_answer_stays(path: Path) -> None:
    assert counts(path) == (40, 12)
    with closing(Store(path)) as one, closing(Store(path)) as other:
        for store in (one, other):
            assert found(store, range(60)) == {n: n for n in range(52)}
            assert store.known("m", [key(n) for n in range(60)]) == 52
        model = one._model("m")
        assert one.claim(model, [key(50), key(52), key(53)]) == {key(52), key(53)}
        keep(other, range(50, 53))
        keep(one, range(51, 54), value=-1)
        assert one.claim(model, [key(53)]) == set()
        for store in (one, other):
            assert found(store, range(48, 60)) == {**{n: n for n in range(48, 53)}, 53: -1}
        assert counts(path) == (40, 14)


def test_they_move_on_when_there_are_many(path: Path) -> None:
    with closing(Store(path)) as store, closing(Store(path)) as other:
        assert len(found(other, range(52))) == 52
        keep(store, range(52, 82))
        assert counts(path) == (82, 0)
        keep(store, range(82, 84))
        assert counts(path) == (82, 2)
        for each in (store, other):
            assert found(each, range(90)) == {n: n for n in range(84)}
        keep(other, range(80, 86), value=-1)
        assert found(store, range(80, 90)) == {80: 80, 81: 81, 82: 82, 83: 83, 84: -1, 85: -1}
        assert counts(path) == (82, 4)
    assert counts(path) == (86, 0)


def test_a_killed_process_leaves_all_that_it_committed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "killed").mkdir()
    for part in tmp_path.glob("store.sqlite*"):
        shutil.copyfile(part, tmp_path / "killed" / part.name)
    copy = tmp_path / "killed" / "store.sqlite"
    assert counts(copy) == (40, 12)
    with closing(Store(copy)) as store:
        assert found(store, range(60)) == {n: n for n in range(52)}
    assert counts(copy) == (52, 0)


def test_a_move_that_fails_leaves_them_where_they_were(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Store(path)) as store:
        monkeypatch.setattr(answers, "_INSERT", answers._INSERT.replace("INSERT", "INSRT"))
        with pytest.raises(Exception, match="cannot be used as a store"):
            keep(store, range(52, 82))
        assert counts(path) == (40, 12)
        monkeypatch.undo()
        keep(store, range(52, 82))
        assert found(store, range(90)) == {n: n for n in range(82)}


def test_what_counts_moves_and_removes_answers_has_all(path: Path, tmp_path: Path) -> None:
    with closing(Store(path)) as store, closing(Store(tmp_path / "other.sqlite")) as other:
        assert [(each.answers, each.damaged) for each in store.holdings()] == [(52, 0)]
        keep(store, range(52, 54))
        assert store.export(tmp_path / "all.parquet").answers == 54
        keep(store, range(54, 55))
        keep(other, range(30))
        keep(other, range(50, 56), value=-1)
        moved = other.take_in(tmp_path / "all.parquet")
        assert (moved.answers, moved.known, moved.differing, moved.damaged) == (20, 34, 4, 0)
        assert found(other, range(60)) == {n: n if n < 50 else -1 for n in range(56)}
        assert [each.answers for each in store.prune()] == [55]
        assert counts(path) == (0, 0)
        keep(store, range(3))
        assert found(store, range(60)) == {0: 0, 1: 1, 2: 2}


def test_a_damaged_one_is_forgotten(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE recent SET value=CAST(substr(value,1,9)||x'7f'||substr(value,11) AS BLOB) WHERE number=3")
        file.execute("UPDATE recent SET key='k' WHERE number=5")
    with closing(Store(path)) as store:
        assert found(store, range(60)) == {n: n for n in range(52) if n not in (42, 44)}
        assert store.meter.damaged == 1
        keep(store, range(42, 45))
        assert found(store, range(60)) == {n: n for n in range(52)}
    with closing(Store(path)) as store:
        assert [(each.answers, each.damaged) for each in store.holdings()] == [(53, 1)]
