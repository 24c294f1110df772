"""Answers move between stores whole: what is taken in is what was written, what is here stays, damage is left out."""

import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmbench.harness.engine.kinds.text import TEXT
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.question import Question
from mmbench.harness.errors import DataError
from mmbench.harness.store import transfer
from mmbench.harness.store.store import Store
from tests import fakes

MakeEngine = Callable[..., LocalEngine]
Command = Callable[..., tuple[int, str, str]]
WORDS = ("a", "b", "c", "d")


class Other(fakes.Dual):
    """Gives other numbers, as another machine may for the same model."""

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        return super().embed_texts(texts) + np.float32(1e-6)


def questions(words: tuple[str, ...] = WORDS) -> list[Question]:
    return [Question(TEXT, texts=(word,)) for word in words]


def filled(path: Path, engine: MakeEngine, words: tuple[str, ...] = WORDS, model: str = "m") -> Path:
    with closing(Store(path)) as store:
        store.name(model, f"name of {model}")
        list(store.ask(engine(fakes.Dual(model)), model, questions(words)))
        store.parameters(model, 7)
    return path


def rows(path: Path) -> list[tuple[object, ...]]:
    query = (
        "SELECT fingerprint, kind, key, truncated, value, checksum FROM answers JOIN models ON model=id ORDER BY 1, 3"
    )
    with closing(sqlite3.connect(path)) as file:
        return file.execute(query).fetchall()


def moved(source: Path, target: Path, file: Path) -> transfer.Moved:
    with closing(Store(source)) as store:
        store.export(file)
    with closing(Store(target)) as store:
        return store.take_in(file)


def test_what_is_taken_in_is_what_was_written(tmp_path: Path, engine: MakeEngine) -> None:
    source = filled(filled(tmp_path / "a.sqlite", engine), engine, WORDS[:2], "n")
    assert moved(source, tmp_path / "b.sqlite", tmp_path / "e.parquet") == transfer.Moved(models=2, answers=6)
    assert rows(tmp_path / "b.sqlite") == rows(source)
    with closing(Store(tmp_path / "b.sqlite")) as store:
        assert {(each.name, each.answers, each.damaged) for each in store.holdings()} == {
            ("name of m", 4, 0),
            ("name of n", 2, 0),
        }
        assert store.parameters("m", None) == 7
        made = fakes.Dual("m")
        list(store.ask(engine(made), "m", questions()))
        assert made.asked == 0, "nothing is asked again"


def test_two_stores_are_merged_and_nothing_is_taken_twice(tmp_path: Path, engine: MakeEngine) -> None:
    here = filled(tmp_path / "a.sqlite", engine, ("a", "b"))
    there = filled(tmp_path / "b.sqlite", engine, ("b", "c", "d"))
    assert moved(there, here, tmp_path / "e") == transfer.Moved(models=1, answers=2, known=1)
    assert rows(here) == rows(filled(tmp_path / "c.sqlite", engine))


def test_the_own_answer_stays_where_they_differ(tmp_path: Path, engine: MakeEngine) -> None:
    here, there = filled(tmp_path / "a.sqlite", engine), tmp_path / "b.sqlite"
    with closing(Store(there)) as store:
        list(store.ask(engine(Other()), "m", questions()))
    before = rows(here)
    assert moved(there, here, tmp_path / "e") == transfer.Moved(models=1, known=4, differing=4)
    assert rows(here) == before


def test_damage_is_left_out(tmp_path: Path, engine: MakeEngine) -> None:
    source = filled(tmp_path / "a.sqlite", engine)
    with closing(sqlite3.connect(source)) as file:
        file.execute("UPDATE answers SET truncated=1 WHERE rowid=1")
        file.commit()
    with closing(Store(source)) as store:
        assert store.export(tmp_path / "e") == transfer.Moved(models=1, answers=3, damaged=1)
    table = pq.read_table(tmp_path / "e")
    values = table["value"].to_pylist()
    values[0] = values[1]
    changed = table.set_column(table.column_names.index("value"), "value", pa.array(values, pa.binary()))
    pq.write_table(changed, tmp_path / "e")
    with closing(Store(tmp_path / "b.sqlite")) as store:
        assert store.take_in(tmp_path / "e") == transfer.Moved(models=1, answers=2, damaged=1)


def test_answers_of_an_older_store_come_with_a_checksum(tmp_path: Path, engine: MakeEngine) -> None:
    source = filled(tmp_path / "a.sqlite", engine)
    expected = rows(source)
    with closing(sqlite3.connect(source)) as file:
        file.execute("ALTER TABLE answers DROP COLUMN checksum")
    assert moved(source, tmp_path / "b.sqlite", tmp_path / "e").answers == 4
    assert rows(tmp_path / "b.sqlite") == expected


def test_two_versions_of_a_served_model_are_not_mixed(tmp_path: Path, engine: MakeEngine) -> None:
    paths = [filled(tmp_path / f"{name}.sqlite", engine) for name in "ab"]
    for path, version in zip(paths, ("v1", "v2"), strict=True):
        with closing(sqlite3.connect(path)) as file:
            file.execute("INSERT INTO snapshots VALUES (1, ?)", (version,))
            file.commit()
    with pytest.raises(DataError, match="answers of name of m that come from 'v1', and those of this store come from"):
        moved(paths[0], paths[1], tmp_path / "e")
    assert moved(paths[0], tmp_path / "c.sqlite", tmp_path / "e").answers == 4
    with closing(Store(tmp_path / "c.sqlite")) as store:
        assert store._snapshots.change(1, "v2") is not None, "the version came with the answers"


def test_row_groups_are_small(tmp_path: Path, engine: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_ROWS", 3)
    source = filled(tmp_path / "a.sqlite", engine)
    assert moved(source, tmp_path / "b.sqlite", tmp_path / "e").answers == 4
    assert pq.ParquetFile(tmp_path / "e").num_row_groups == 2
    monkeypatch.setattr(transfer, "_ROWS", 50)
    monkeypatch.setattr(transfer, "_BYTES", 1)
    (tmp_path / "e").unlink()
    moved(source, tmp_path / "c.sqlite", tmp_path / "e")
    assert pq.ParquetFile(tmp_path / "e").num_row_groups == 4
    assert rows(tmp_path / "b.sqlite") == rows(tmp_path / "c.sqlite") == rows(source)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {b"mmbench.store": b"{"},
        {b"mmbench.store": b'{"schema": 2, "models": []}'},
        {b"mmbench.store": b'{"schema": 1, "models": [{}]}'},
        {b"mmbench.store": b'{"schema": 1, "models": [{"fingerprint": 3}]}'},
        {b"mmbench.store": b"[" * 5000},
    ],
    ids=["none", "cut", "version", "empty model", "number", "deep"],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, wrong: dict[bytes, bytes]) -> None:
    pq.write_table(transfer._schema().with_metadata(wrong).empty_table(), tmp_path / "e")
    with closing(Store(tmp_path / "a.sqlite")) as store, pytest.raises(DataError, match="export"):
        store.take_in(tmp_path / "e")


def test_damaged_files_are_told_in_a_sentence(tmp_path: Path, engine: MakeEngine) -> None:
    with closing(Store(filled(tmp_path / "a.sqlite", engine))) as store:
        store.export(tmp_path / "e")
    whole = (tmp_path / "e").read_bytes()
    draw = random.Random(3)
    with closing(Store(tmp_path / "b.sqlite")) as store:
        for _ in range(200):
            data = bytearray(whole)
            for _ in range(draw.randint(1, 3)):
                data[draw.randrange(len(data))] = draw.randrange(256)
            (tmp_path / "e").write_bytes(data[: draw.choice([len(data), len(data), draw.randrange(len(data))])])
            try:
                store.take_in(tmp_path / "e")
            except DataError as error:
                assert "\n" not in str(error)
        assert sum(each.damaged for each in store.holdings()) == 0


# Size and age


def test_the_longest_unused_go_and_the_oldest_answers_first(tmp_path: Path, engine: MakeEngine) -> None:
    path = tmp_path / "a.sqlite"
    for model in ("old", "new"):
        filled(path, engine, WORDS, model)
    with closing(sqlite3.connect(path)) as file:
        file.execute("UPDATE models SET used=1000 WHERE fingerprint='old'")
        file.commit()
    with closing(Store(path)) as store:
        each = store.sizes()[0].bytes // 4
        assert store.sizes() == store.holdings()
        assert store.prune(most=8 * each) == []
        (gone,) = store.prune(most=7 * each - 1)
        assert (gone.fingerprint, gone.answers, gone.bytes) == ("old", 2, 2 * each)
        assert store.known("old", [question.read().key for question in questions()[:2]]) == 0, "the oldest"  # type: ignore[union-attr]
        assert [(held.fingerprint, held.answers) for held in store.prune(most=3 * each)] == [("old", 2), ("new", 1)]
        assert [held.fingerprint for held in store.holdings()] == ["new"]
        assert [held.fingerprint for held in store.prune(before=2000)] == []
        assert [held.fingerprint for held in store.prune(before=4e9)] == ["new"]


# From the command line


def test_from_one_machine_to_another(command: Command, tmp_path: Path, engine: MakeEngine) -> None:
    here, there = filled(tmp_path / "a.sqlite", engine), tmp_path / "b.sqlite"
    file = str(tmp_path / "answers.parquet")
    code, _, err = command("store", "export", file, "--store", str(here), "--model", "name of n")
    assert (code, "has no answers of 'name of n'; did you mean 'name of m'?" in " ".join(err.split())) == (2, True)
    assert not Path(file).exists()
    code, out, err = command("store", "export", file, "--store", str(here))
    assert (code, err) == (0, "") and out.startswith("wrote 4 answers of 1 model to ")
    code, _, err = command("store", "export", file, "--store", str(here))
    assert code == 2 and "exists already" in err
    code, out, err = command("store", "import", file, file, "--store", str(there))
    assert (code, err) == (0, "")
    assert [line.rpartition(": ")[2] for line in out.splitlines()] == [
        "4 answers of 1 model added",
        "0 answers of 1 model added; 4 answers it had before",
    ]
    assert rows(here) == rows(there)
    code, out, _ = command("store", "prune", "--most", "0MB", "--store", str(there))
    assert (code, out) == (0, "removed 4 answers of 1 model\n")
    code, out, _ = command("store", "vacuum", "--store", str(there))
    assert code == 0 and " MB before, " in out
    assert json.loads(command("store", "info", "--store", str(there), "--format", "json")[1])["models"] == []
    for asked in (("prune", "--most", "3 apples"), ("import", "none.parquet"), ("vacuum", "--store", "none")):
        code, _, err = command("store", *asked)
        assert code == 2 and len(err.strip().splitlines()) <= 3


def test_of_several_files_none_is_added_and_no_store_made_where_one_is_no_export(
    tmp_path: Path, engine: MakeEngine, command: Command
) -> None:
    good, foreign, target = tmp_path / "good.parquet", tmp_path / "foreign.parquet", tmp_path / "new.sqlite"
    with closing(Store(filled(tmp_path / "s.sqlite", engine))) as store:
        store.export(good)
    pq.write_table(pa.table({"a": [1]}), foreign)
    status, out, err = command("store", "import", str(good), str(foreign), "--store", str(target))
    assert (status, out, target.exists()) == (2, "", False)
    assert "foreign.parquet is no export of a store" in err
