"""Sums beside the records change nothing but the time: one more model is the only one read, damage is made again."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from mmbench.harness.board import evidence, pairs, sums
from mmbench.harness.board.cache import NAME
from mmbench.harness.board.results import Results
from mmbench.harness.digest import digest_bytes
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records.record import Record, write
from mmbench.harness.tasks.card import Card
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.types import Score
from tests.builders import outcomes, record

ITEMS = 60


def put(folder: Path, model: str, task: str, values: Floats, pictures: str) -> None:
    scores = (Score("accuracy", float(values.mean()), 0.1, 0.9, len(values), 1.0, None, 0.1, True, len(values)),)
    data = {"digest": task, "n": len(values), "partial": False}
    made = record(model=model, fingerprint=model, task=task, dataset=data, scores=scores, card=Card(best=1.0))
    shown = [digest_bytes(f"{pictures} {i // 2}".encode())[:32] for i in range(len(values))]
    write(made, outcomes(values, clusters=shown), folder)


def model(folder: Path, name: str, skill: float, items: int = ITEMS) -> None:
    """Two tasks of the same pictures, and one whose values are no whole numbers."""
    dice = np.random.default_rng(len(name) + ord(name[0]))
    for task in ("one", "two"):
        put(folder, name, task, (dice.random(ITEMS if task == "one" else items) < skill).astype(float), "shared")
    put(folder, name, "three", dice.random(ITEMS) * skill, "own")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, skill in (("a", 0.9), ("b", 0.6), ("c", 0.6)):
        model(tmp_path, name, skill)
    return tmp_path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Labels of the records whose outcomes are read."""
    found: list[str] = []
    measured = evidence.read_measured

    def note(path: Path, record: Record, metric: Metric) -> object:
        found.append(record.model)
        return measured(path, record, metric)

    monkeypatch.setattr(evidence, "read_measured", note)
    return found


def p_values(folder: Path) -> Floats:
    """Return the p of all pairs of a board's models, which are made anew."""
    from mmbench.harness.board.cache import load_cache, save_cache

    held = load_cache(folder)
    held.pairs.clear()
    save_cache(folder, held)
    results = Results(folder)
    results.board()
    assert results.errors == []
    (made,) = load_cache(folder).pairs.values()
    return made


def afresh(folder: Path) -> Floats:
    (folder / NAME).unlink(missing_ok=True)
    shutil.rmtree(folder / sums.FOLDER, ignore_errors=True)
    return p_values(folder)


def test_of_one_more_model_alone_outcomes_are_read(folder: Path, read: list[str]) -> None:
    p_values(folder)
    assert set(read) == {"a", "b", "c"} and len(read) == 9
    read.clear()
    model(folder, "d", 0.8)
    made = p_values(folder)
    assert read == ["d"] * 3
    assert made.shape == (4, 4) and (made == afresh(folder)).all() and 0 < abs(made[0, 3]) < 1


def test_what_changed_is_read_again(folder: Path, read: list[str]) -> None:
    before = p_values(folder)
    read.clear()
    put(folder, "c", "two", np.arange(ITEMS) % 2.0, "shared")
    made = p_values(folder)
    assert set(read) == {"c"}
    assert (made == afresh(folder)).all() and not (made == before).all()


@pytest.mark.parametrize("items", [ITEMS - 10, ITEMS])
def test_by_moments_and_by_rows_p_is_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch, items: int) -> None:
    model(folder, "d", 0.7, items)
    model(folder, "ee", 0.2, items)
    expected = p_values(folder)
    monkeypatch.setattr(pairs, "_MANY", 10)
    monkeypatch.setattr(pairs, "_HELD", 200)  # two models at a time
    monkeypatch.setattr(pairs, "sign_flip_of_moments", lambda *_: None)
    assert np.allclose(p_values(folder), expected, rtol=1e-12, atol=0)
    heard: list[tuple[float, ...]] = []
    monkeypatch.setattr(pairs, "sign_flip_of_moments", lambda *moments: heard.append(moments) or 0.25)
    assert (np.abs(p_values(folder)[np.triu_indices(5, 1)]) == 0.25).all()
    assert len(heard) == 10 and all(square > 0 and fourth > 0 for _, square, fourth in heard)


@pytest.mark.parametrize("damage", ["cut", "text", "flipped", "values", "keys", "scale", "names", "folder"])
def test_damaged_sums_are_made_again(folder: Path, read: list[str], damage: str) -> None:
    expected = p_values(folder)
    read.clear()
    for path in (folder / sums.FOLDER).iterdir():
        data = path.read_bytes()
        if damage in ("cut", "text"):
            path.write_bytes(data[:400] if damage == "cut" else b"no archive")
        elif damage == "flipped":
            path.write_bytes(bytes([*data[:-3000], data[-3000] ^ 1, *data[-2999:]]))
        elif damage == "folder":
            path.unlink()
            path.mkdir()
        else:
            with np.load(path) as held:
                arrays = dict(held)
            part = {"values": "whole0", "keys": "keys0", "scale": "scales0", "names": "names0"}[damage]
            if damage == "values" and not arrays[part].size:
                part = "plain0"
            arrays[part] = arrays[part][:-1] if damage in ("keys", "names") else arrays[part] + 1
            with path.open("wb") as file:
                np.savez(file, **arrays)
    assert (p_values(folder) == expected).all()
    assert len(read) == 9 if damage != "scale" else read


def test_a_folder_that_cannot_be_written_to_goes_without(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Results(folder).board()
    (folder / NAME).unlink()
    shutil.rmtree(folder / sums.FOLDER)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(np, "savez", refuse)
    results = Results(folder)
    assert (results.board(), results.errors) == (expected, [])
