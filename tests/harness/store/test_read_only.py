"""A store that cannot be written to answers what it holds, and what it lacks is refused, not asked and lost."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mmbench.harness.engine.kinds.text import TEXT
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.question import Question
from mmbench.harness.errors import DataError
from mmbench.harness.store import answers
from mmbench.harness.store.store import Store
from tests import fakes

MakeEngine = Callable[..., LocalEngine]
Command = Callable[..., tuple[int, str, str]]


def texts(*given: str) -> list[Question]:
    return [Question(TEXT, texts=(text,)) for text in given]


def lock(path: Path) -> None:
    """Make SQLite take a file for one that newer programs alone may write to: for it a file of a read-only disk."""
    with path.open("r+b") as file:
        file.seek(18)
        file.write(b"\x03")


@pytest.fixture(params=[False, True])
def kept(request: pytest.FixtureRequest, tmp_path: Path, engine: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of three answers, in a second case with one of them still among the recent ones."""
    path = tmp_path / "s p?a#c%20e.sqlite"
    monkeypatch.setattr(answers, "_SHARE", 1)
    with closing(Store(path)) as store:
        store.name("m", "a model")
        list(store.ask(engine(fakes.Dual("m")), "m", texts("a", "b")))
        list(store.ask(engine(fakes.Dual("m")), "m", texts("c")))
        if request.param:  # as a process that was killed leaves them
            monkeypatch.setattr(store._answers, "settle", lambda: None)
    with closing(sqlite3.connect(path)) as file:
        assert bool(file.execute("SELECT count(*) FROM recent").fetchone()[0]) == request.param
    lock(path)
    return path


def test_what_it_holds_is_answered_and_what_it_lacks_refused(kept: Path, engine: MakeEngine) -> None:
    before = kept.read_bytes()
    made = fakes.Dual("m")
    with closing(Store(kept)) as store:
        assert len(list(store.ask(engine(made), "m", texts("a", "b", "c")))) == 3
        assert (store.parameters("m", 7), store.parameters("m", None)) == (7, 7)
        with pytest.raises(DataError, match=r"lacks an answer and cannot be written to .*: copy it there, or choose"):
            list(store.ask(engine(made), "m", texts("c", "d")))
    assert not made.texts
    assert kept.read_bytes() == before


def test_it_is_shown_and_exported_and_not_changed(kept: Path, tmp_path: Path, command: Command) -> None:
    before = kept.read_bytes()
    status, out, _ = command("store", "info", "--store", str(kept))
    assert (status, "a model        3" in out) == (0, True)
    file = tmp_path / "answers.parquet"
    status, out, _ = command("store", "export", str(file), "--store", str(kept))
    assert (status, out.startswith("wrote 3 answers of 1 model")) == (0, True)
    for wanted in (["vacuum"], ["prune", "--model", "a model"], ["prune", "--most", "1"]):
        status, _, err = command("store", *wanted, "--store", str(kept))
        assert (status, "a store must lie where it can be written to" in err) == (2, True)
    assert kept.read_bytes() == before
    assert command("store", "import", str(file), "--store", str(tmp_path / "other.sqlite"))[0] == 0


def test_a_store_of_an_older_version_is_read(tmp_path: Path, engine: MakeEngine) -> None:
    path = tmp_path / "old.sqlite"
    with closing(Store(path)) as store:
        list(store.ask(engine(fakes.Dual("m")), "m", texts("a")))
    with closing(sqlite3.connect(path)) as file:
        file.execute("ALTER TABLE answers DROP COLUMN checksum")
        file.execute("DROP TABLE recent")
        file.execute("DROP TABLE labels")
    lock(path)
    with closing(Store(path)) as store:
        assert [(each.answers, each.unchecked, each.damaged) for each in store.holdings()] == [(1, 1, 0)]
        assert len(list(store.ask(engine(fakes.Dual("m")), "m", texts("a")))) == 1
