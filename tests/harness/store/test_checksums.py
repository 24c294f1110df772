"""A flipped byte in a store is never scored: the answer is forgotten and asked again, and the user is told."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest

from mmbench.harness.engine.kinds.text import TEXT
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.question import Question
from mmbench.harness.store.store import Store
from tests import fakes

MakeEngine = Callable[..., LocalEngine]
WORDS = ("a", "b", "c")
QUESTIONS = [Question(TEXT, texts=(word,)) for word in WORDS]
KEYS = [question.read().key for question in QUESTIONS]


@pytest.fixture
def path(tmp_path: Path, engine: MakeEngine) -> Path:
    """A store of three answers of model `m`, and one of another model."""
    store = Store(tmp_path / "held.sqlite")
    list(store.ask(engine(fakes.Dual("m")), "m", QUESTIONS))
    list(store.ask(engine(fakes.Dual("n")), "n", QUESTIONS[:1]))
    store.close()
    return tmp_path / "held.sqlite"


def change(path: Path, statement: str, *values: object) -> None:
    file = sqlite3.connect(path)
    file.execute(statement, values)
    file.commit()
    file.close()


DAMAGE = {
    "a number": "UPDATE answers SET value=CAST(substr(value,1,9)||x'7f'||substr(value,11) AS BLOB) WHERE key=?",
    "cut short": "UPDATE answers SET value=substr(value, 1, 12) WHERE key=?",
    "empty": "UPDATE answers SET value=x'' WHERE key=?",
    "a text": "UPDATE answers SET value='v' WHERE key=?",
    "truncated": "UPDATE answers SET truncated=1 WHERE key=?",
    "odd truncated": "UPDATE answers SET truncated='x' WHERE key=?",
    "the checksum": "UPDATE answers SET checksum=checksum+1 WHERE key=?",
    "no checksum": "UPDATE answers SET checksum=NULL, value=(SELECT value FROM answers ORDER BY key DESC) WHERE key=?",
    "an odd checksum": "UPDATE answers SET checksum='x' WHERE key=?",
    "another answer": "UPDATE answers SET value=(SELECT value FROM answers ORDER BY key DESC LIMIT 1) WHERE key=?",
}


@pytest.mark.parametrize("statement", DAMAGE.values(), ids=list(DAMAGE))
def test_a_damaged_answer_is_asked_again(path: Path, engine: MakeEngine, statement: str) -> None:
    damaged = min(KEYS)
    change(path, statement, damaged)
    store, made = Store(path), fakes.Dual("m")
    touched = sum(each.damaged for each in store.holdings())
    assert touched == 1 + (damaged == KEYS[0])  # the other model may hold an answer under the same key
    assert store.known("m", KEYS) == 2
    got = list(store.ask(engine(made), "m", QUESTIONS))
    assert all((value == fakes.vector(word.encode())).all() for value, word in zip(got, WORDS, strict=True))
    assert (made.asked, store.meter.damaged, store.meter.remembered) == (1, 1, 2)
    store.close()
    again, untouched = Store(path), fakes.Dual("m")
    list(again.ask(engine(untouched), "m", QUESTIONS))
    assert (untouched.asked, again.meter.damaged) == (0, 0)
    again.close()


def test_the_answer_of_another_model_does_not_fit(path: Path, engine: MakeEngine) -> None:
    change(path, "DELETE FROM answers WHERE model=1 AND key=?", KEYS[0])
    change(path, "UPDATE answers SET model=1 WHERE model=2")
    store, made = Store(path), fakes.Dual("m")
    list(store.ask(engine(made), "m", QUESTIONS))
    assert (made.asked, store.meter.damaged) == (1, 1)
    store.close()


def test_a_store_without_checksums_is_used_as_it_is(path: Path, engine: MakeEngine) -> None:
    change(path, "ALTER TABLE answers DROP COLUMN checksum")
    store, made = Store(path), fakes.Dual("m")
    assert [(each.name, each.answers, each.unchecked, each.damaged) for each in store.holdings()] == [
        ("n", 1, 1, 0),
        ("m", 3, 3, 0),
    ]
    list(store.ask(engine(made), "m", [*QUESTIONS, Question(TEXT, texts=("new",))]))
    assert made.texts == {"new": 1}
    assert [(each.name, each.unchecked) for each in store.holdings()] == [("m", 3), ("n", 1)]
    store.close()


def test_what_is_cut_short_is_noticed_without_checksum(path: Path, engine: MakeEngine) -> None:
    change(path, "UPDATE answers SET checksum=NULL, value=substr(value, 1, 12) WHERE key=?", KEYS[0])
    store, made = Store(path), fakes.Dual("m")
    list(store.ask(engine(made), "m", QUESTIONS))
    assert (made.asked, store.meter.damaged) == (1, 1)
    store.close()


def test_a_run_says_what_was_damaged(
    tmp_path: Path, command: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for i, label in enumerate(["cat", "dog"]):
        (tmp_path / "photos" / label).mkdir(parents=True)
        PIL.Image.new("RGB", (4, 4), (90 * i, 0, 0)).save(tmp_path / "photos" / label / "0.png")
    (tmp_path / "t.yaml").write_text(
        "name: t\nfamily: zero-shot-classification\nsource: {kind: folder, path: photos}\n"
    )
    ask = ("run", "--model", "chance", "--task", "t.yaml", "--store", "s.sqlite", "--format", "json")
    before = command(*ask)
    assert (before[0], "damaged" in before[2]) == (0, False)
    change(tmp_path / "s.sqlite", "UPDATE answers SET value=x'00'||substr(value, 2) WHERE rowid=1")
    code, out, err = command("store", "info", "--store", "s.sqlite", "--format", "json")
    assert (code, [each["damaged"] for each in json.loads(out)["models"]]) == (0, [1])
    assert "warning: 1 remembered answer is damaged" in err
    code, out, err = command(*ask)
    assert (code, out) == before[:2]
    assert "s.sqlite: 1 remembered answer is damaged, left out and asked again" in err
    assert "damaged" not in command(*ask)[2]
