"""Under a label stands the newest model's attempt, whole; what was before it is told and never mixed in."""

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import pytest

from mmbench.harness.board.grid import board_notes
from mmbench.harness.board.results import Results
from mmbench.harness.compare.compare import compare
from mmbench.harness.errors import UsageError
from mmbench.harness.gate.check import check
from mmbench.harness.records.entry import find, in_results
from mmbench.harness.records.record import sealed
from mmbench.harness.records.selection import select
from mmbench.harness.records.unscored import Unscored, write_unscored
from mmbench.harness.tasks.metric_names import metric_named
from tests.builders import measured, put_measured

TRIED = Unscored(
    model="cand",
    fingerprint="new",
    task="pets",
    version=1,
    family="zero-shot-classification",
    dimension="",
    route=None,
    control=None,
    partial=False,
    status="failed",
    message="embed_images raised RuntimeError",
    created="2026-03",
)
tried = partial(replace, TRIED)


def put(folder: Path, task: str, fingerprint: str, created: str, right: float = 1.0, **changes: object) -> Path:
    metric = metric_named("zero-shot-classification", "accuracy")
    items = [measured(metric, i, float(i < right * 50), 50) for i in range(50)]
    given = {"model": "cand", "task": task, "fingerprint": fingerprint, "created": created}
    return put_measured(folder, metric, items, **{**given, **changes})


def standing(folder: Path, name: str = "cand") -> list[tuple[str, str]]:
    return [(entry.record.task, entry.record.fingerprint) for entry in select(name, folder).entries]


def test_one_task_from_new_weights_and_one_from_old_are_not_one_run(tmp_path: Path) -> None:
    put(tmp_path, "digits", "old", "2026-01")
    put(tmp_path, "pets", "old", "2026-01")
    put(tmp_path, "pets", "new", "2026-02")
    for task in ("digits", "pets"):
        put(tmp_path, task, "other", "2026-01", model="base")
    assert standing(tmp_path) == [("pets", "new")]
    made = check("cand", "base", output=tmp_path)
    assert (made.exit_code, made.as_json()["candidate_fingerprint"]) == (2, "new")
    assert made.as_json()["baseline_fingerprint"] == "other"
    (lost,) = made.incomparable
    assert lost.reason == "cand has no record of digits@1; another model of this label has one (fingerprint old)"
    assert compare("base", "cand", output=tmp_path).incomparable[0].reason == lost.reason
    board = Results(tmp_path).board()
    assert [(line.model, line.rank) for line in board.lines] == [("base", 1), ("cand", None)]
    said = "left out: 2 records of another model that was called cand before (fingerprint old; digits@1, pets@1)"
    assert any(note.startswith(said) for note in board_notes(board))
    assert any(note.startswith(said) for note in made.remarks)
    told = {row["task"] for row in board.rows() if row["model"] == "cand" and row["standing"] is None}
    assert told == {"digits", "pets"}, "what is left out is in the rows"


def test_three_models_under_one_label_are_one_line_and_are_told(tmp_path: Path) -> None:
    for i, right in enumerate((0.9, 0.5, 0.7)):
        put(tmp_path, "pets", f"weights {i}", f"2026-0{i + 1}", right)
    board = Results(tmp_path).board()
    assert [line.cells[0].score.value for line in board.lines if line.cells[0]] == [0.7]
    assert len([note for note in board_notes(board) if "was called cand before" in note]) == 2


@pytest.mark.parametrize("fingerprint", ["old", "new", None])
def test_a_failed_try_stands_before_the_older_record(tmp_path: Path, fingerprint: str | None) -> None:
    put(tmp_path, "pets", "old", "2026-01")
    put(tmp_path, "pets", "other", "2026-01", model="base")
    path = write_unscored(tried(fingerprint=fingerprint), tmp_path)
    with pytest.raises(UsageError, match="cand has no scores; .*failed .embed_images raised RuntimeError"):
        check("cand", "base", output=tmp_path)
    board = Results(tmp_path).board()
    assert [(line.model, line.rank) for line in board.lines] == [("base", 1), ("cand", None)]
    assert "no scores: cand on pets@1 failed (embed_images raised RuntimeError)" in board_notes(board)
    path.unlink()
    assert standing(tmp_path) == [("pets", "old")]


def test_the_rest_of_a_run_in_which_a_task_failed_stands(tmp_path: Path) -> None:
    put(tmp_path, "pets", "new", "2026-01")
    put(tmp_path, "digits", "new", "2026-02")
    put(tmp_path, "digits", "other", "2026-02", model="base")
    put(tmp_path, "pets", "other", "2026-02", model="base")
    write_unscored(TRIED, tmp_path)
    assert standing(tmp_path) == [("digits", "new")]
    made = check("cand", "base", output=tmp_path)
    assert [row.task for row in made.rows] == ["digits"]
    said = "cand has no record of pets@1: its last try failed (embed_images raised RuntimeError)"
    assert made.incomparable[0].reason == said


def test_a_later_record_takes_its_place(tmp_path: Path) -> None:
    write_unscored(tried(created="2026-02"), tmp_path)
    put(tmp_path, "pets", "new", "2026-03")
    assert standing(tmp_path) == [("pets", "new")]
    assert select("cand", tmp_path).attempt.remarks() == []


@pytest.mark.parametrize(
    "other",
    [{"control": "blind"}, {"partial": True}, {"task": "digits"}, {"route": "generate"}, {"version": 2}],
)
def test_a_failed_try_of_something_else_hides_nothing(tmp_path: Path, other: dict[str, object]) -> None:
    put(tmp_path, "pets", "new", "2026-01")
    write_unscored(tried(**other), tmp_path)
    assert standing(tmp_path) == [("pets", "new")]


def test_a_quick_trial_of_other_weights_hides_no_whole_run(tmp_path: Path) -> None:
    put(tmp_path, "pets", "old", "2026-01")
    put(tmp_path, "pets", "new", "2026-02", digest="y", partial=True)
    write_unscored(tried(fingerprint="newest", partial=True), tmp_path)
    assert standing(tmp_path) == [("pets", "old")]
    assert "fingerprint new" in select("cand", tmp_path).attempt.remarks()[0]


def test_files_of_predictions_tell_no_model(tmp_path: Path) -> None:
    put(tmp_path, "pets", "recorded 1", "2026-01", route="recorded")
    put(tmp_path, "digits", "recorded 2", "2026-02", route="recorded")
    assert [task for task, _ in standing(tmp_path)] == ["digits", "pets"]
    assert select("cand", tmp_path).attempt.fingerprint is None


def test_a_damaged_one_is_named(tmp_path: Path) -> None:
    path = write_unscored(TRIED, tmp_path)
    assert find(in_results(tmp_path)).unscored == (TRIED,)
    path.write_text(path.read_text().replace('"failed"', '"passed"'))
    (error,) = find(in_results(tmp_path)).errors
    assert str(error).startswith(f"{path} is damaged or was changed after it was written")
    path.write_text(sealed({**asdict(TRIED), "schema": 3, "status": "passed"}))
    (error,) = find(in_results(tmp_path)).errors
    assert str(error).startswith(f"{path} lacks or misspells a part of an unscored task (status is 'passed')")
