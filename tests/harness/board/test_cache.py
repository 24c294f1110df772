"""The cache changes nothing but the time: it is made again when records change, and never trusted when damaged."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mmbench.harness.board import evidence
from mmbench.harness.board.cache import NAME, BoardCache, load_cache, save_cache, signature
from mmbench.harness.board.results import Results
from mmbench.harness.records import gains
from mmbench.harness.records.record import Record, write
from mmbench.harness.records.replicates import REPLICATES
from mmbench.harness.scores.gain import Gain
from mmbench.harness.tasks.card import Card
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.types import Score
from tests.builders import outcomes, record


def put(folder: Path, model: str, share: float, control: str | None = None) -> Path:
    right = (np.random.default_rng(0).random(60) < share).astype(float)
    scores = (Score("accuracy", float(right.mean()), 0.1, 0.9, 60, 1.0, None, 0.1, True, 60),)
    data = {"digest": "d", "n": 60, "partial": False}
    made = record(model=model, fingerprint=model, control=control, dataset=data, scores=scores, card=Card(best=1.0))
    return write(made, outcomes(right), folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for model, share in (("a", 0.9), ("b", 0.6)):
        put(tmp_path, model, share)
    put(tmp_path, "a", 0.2, control="blind")
    return tmp_path


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The records whose outcomes are read from now on."""
    read: list[Path] = []
    measured, outcomes = evidence.read_measured, gains.read_outcomes

    def note_measured(path: Path, record: Record, metric: Metric) -> object:
        read.append(path)
        return measured(path, record, metric)

    def note_outcomes(path: Path, digest: str | None) -> object:
        read.append(path)
        return outcomes(path, digest)

    monkeypatch.setattr(evidence, "read_measured", note_measured)
    monkeypatch.setattr(gains, "read_outcomes", note_outcomes)
    return read


def test_the_second_board_reads_no_outcomes_and_is_the_same(folder: Path, unread: list[Path]) -> None:
    first = Results(folder).board()
    assert {path.parent.name for path in unread} == {"a", "b"}
    unread.clear()
    again = Results(folder).board()
    assert (unread, again) == ([], first)
    assert first.lines[0].cells[0].gains["visual"] is not None  # type: ignore[union-attr]
    for one, other in zip(first.lines, again.lines, strict=True):
        assert (one.cells[0].replicates == other.cells[0].replicates).all()  # type: ignore[union-attr]


def test_the_second_board_imports_little(folder: Path) -> None:
    Results(folder).board()
    script = (
        "import sys\nfrom mmbench.harness.board.results import Results\n"
        f"Results({str(folder)!r}).board()\n"
        "print([name for name in ('pandas', 'pyarrow', 'rich', 'yaml', 'PIL', 'torch') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_changed_is_read_again_and_what_is_gone_is_dropped(folder: Path, unread: list[Path]) -> None:
    Results(folder).board()
    before = load_cache(folder)
    unread.clear()
    changed = put(folder, "b", 0.3)
    os.utime(changed, ns=(1, 1))
    lines = Results(folder).board().lines
    assert changed in unread, "and what it is tested against"
    assert round(lines[1].cells[0].replicates.mean(), 1) < 0.5  # type: ignore[union-attr]
    after = load_cache(folder)
    assert len(after.replicates) == len(before.replicates) == 2
    assert after.gains == before.gains and len(before.gains) == 1
    assert len(after.replicates.keys() - before.replicates.keys()) == 1


def test_a_board_of_few_models_keeps_what_is_known_of_the_rest(folder: Path, unread: list[Path]) -> None:
    from mmbench.harness.board.eligible import Filter

    Results(folder).board(keep=Filter(models=("a",)))
    Results(folder).board(keep=Filter(models=("b",)))
    before = load_cache(folder)
    unread.clear()
    Results(folder).board()
    assert {path.parent.name for path in unread} == {"a", "b"}, "the two were never tested together"
    after = load_cache(folder)
    assert after.replicates.keys() == before.replicates.keys() and len(after.pairs) == 1
    unread.clear()
    Results(folder).board()
    assert unread == []


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "flipped", "folder", "layout"])
def test_a_damaged_cache_is_made_again(folder: Path, damage: str) -> None:
    expected = Results(folder).board()
    path = folder / NAME
    data = path.read_bytes()
    if damage == "layout":
        save_cache(folder, BoardCache({"x": np.zeros(REPLICATES, np.float32)}))
        with np.load(path) as held:
            arrays = {**held, "layout": np.array(0)}
        with path.open("wb") as file:
            np.savez(file, **arrays)
    elif damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        flipped = bytes([*data[:3000], data[3000] ^ 1, *data[3001:]])
        path.write_bytes({"cut": data[:500], "text": b"no archive", "empty": b"", "flipped": flipped}[damage])
    assert load_cache(folder) == BoardCache()
    results = Results(folder)
    assert (results.board(), results.errors) == (expected, [])
    assert sorted(each.name for each in folder.iterdir()) == [NAME, "runs"], "nothing is left lying about"
    assert (len(load_cache(folder).replicates) == 2) == (damage != "folder")


def test_a_folder_that_cannot_be_written_to_goes_without(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("read-only")

    expected = Results(folder).board()
    (folder / NAME).unlink()
    monkeypatch.setattr(np, "savez", refuse)
    results = Results(folder)
    assert (results.board(), results.errors) == (expected, [])
    assert [each.name for each in folder.iterdir()] == ["runs"]


def test_everything_comes_back(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random((2, REPLICATES)).astype(np.float32)
    rows[0, 0] = np.nan
    kept = {"a": Gain(0.1, 0.05, 0.2, "blind:none"), "b": Gain(-0.3, None, None, "shuffled"), "c": None}
    save_cache(tmp_path, BoardCache(dict(zip(("x", "y"), rows, strict=True)), kept))
    held = load_cache(tmp_path)
    assert held.gains == kept
    assert all(np.array_equal(held.replicates[name], row, equal_nan=True) for name, row in zip("xy", rows, strict=True))


def test_a_signature_tells_either_file(folder: Path) -> None:
    (path,) = (folder / "runs" / "b").glob("*.json")
    before = signature(path)
    assert signature(path) == before
    for file in (path, path.with_suffix(".parquet")):
        os.utime(file, ns=(5, 5))
        assert signature(path) != before
        before = signature(path)
    path.with_suffix(".parquet").unlink()
    with pytest.raises(FileNotFoundError):
        signature(path)


def test_gains_without_their_control_are_forgotten(folder: Path) -> None:
    Results(folder).board()
    (control,) = (path for path in (folder / "runs" / "a").glob("*.json") if '"blind"' in path.read_text())
    control.unlink()
    put(folder, "c", 0.5)
    assert not Results(folder).board().gains
    assert load_cache(folder).gains == {}
