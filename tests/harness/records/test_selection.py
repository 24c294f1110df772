"""A run is found by its label, its file or its folder."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from mmbench.harness.errors import UsageError
from mmbench.harness.records.record import Record, write
from mmbench.harness.records.selection import select
from mmbench.harness.types import Score
from tests import builders
from tests.builders import outcome

record = partial(builders.record, scores=(Score("accuracy", 1.0, 1.0, 1.0, 1, 1.0, None, 0.1, True),))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for model in ("mine", "theirs"):
        for task in ("digits", "pets"):
            write(record(model=model, task=task), [outcome("a", 1.0)], tmp_path / "results")
    return tmp_path / "results"


def tasks(results: Path, name: str | Path) -> list[str]:
    return [entry.record.reference for entry in select(name, results).entries]


def test_a_label_a_file_or_a_folder(results: Path) -> None:
    folder = results / "runs" / "mine"
    file = next(folder.glob("pets*.json"))
    both = tasks(results, "mine")
    assert [name.partition("@")[0] for name in both] == ["digits", "pets"]
    assert tasks(results, folder) == both
    assert tasks(results, file) == both[1:]
    assert tasks(results, file.with_suffix(".parquet")) == both[1:]
    assert select(folder, "elsewhere").label == "mine"
    assert select("mine", results).entries[1].path == file


def test_a_results_folder_with_one_label(results: Path, tmp_path: Path) -> None:
    write(record(model="mine"), [outcome("a", 1.0)], tmp_path / "single")
    assert select(tmp_path / "single").label == "mine"
    with pytest.raises(UsageError, match="holds records of mine, theirs; name one"):
        select(results)


def test_no_such_run_names_the_nearest(results: Path) -> None:
    with pytest.raises(UsageError, match="there is no run 'mime' in .*; did you mean 'mine'"):
        select("mime", results)
    with pytest.raises(UsageError, match="it holds mine, theirs"):
        select("zzz", results)
    (results / "empty").mkdir()
    with pytest.raises(UsageError, match="there are no records in"):
        select(results / "empty", results)


def test_the_newest_whole_record_stands_and_a_damaged_one_is_told(results: Path) -> None:
    def own() -> Record:
        return select("mine", results).own()[f"digits@{record().version}"].record

    later = replace(record(), model="mine", task="digits", fingerprint="g", created="2026-12-01T00:00:00.000+00:00")
    write(later, [outcome("a", 1.0)], results)
    assert own().fingerprint == "g"
    cut = replace(later, created="2027-01-01T00:00:00.000+00:00", dataset={**later.dataset, "partial": True})
    write(cut, [outcome("a", 1.0)], results)
    assert not own().partial
    write(replace(later, control="blind", created="2027-01-01T00:00:00.000+00:00"), [outcome("a", 1.0)], results)
    assert own().control is None
    (results / "runs" / "mine" / "x.json").write_text("nothing")
    (error,) = select("mine", results).errors
    assert "x.json is not a readable record" in str(error)


def test_imported_figures_are_no_record(results: Path, tmp_path: Path) -> None:
    write(record(model="mine"), [outcome("a", 1.0)], tmp_path / "single")
    (tmp_path / "single" / "reported.json").write_text('{"schema": 1, "figures": []}')
    assert select(tmp_path / "single").errors == ()
