"""A sample is the same for every model, has its share of each stratum, and makes a run partial."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mmbench
from mmbench.harness.errors import UsageError
from mmbench.harness.run.settings import RunSettings
from mmbench.harness.tasks.catalogue import find_task
from mmbench.harness.tasks.part import Part, drawn
from mmbench.harness.tasks.rows import task

Command = Callable[..., tuple[int, str, str]]


def choices(levels: list[str]) -> Any:
    rows = [
        {"id": str(i), "question": "Which?", "options": ["a", "b"], "target": "a", "kind": level, "text": f"{i}"}
        for i, level in enumerate(levels)
    ]
    return task("multiple-choice", rows, facts=["kind", "text"])


def test_each_class_has_its_share() -> None:
    digits = find_task("digits")
    labels = [sample.target for sample in digits.family.samples()]
    places = drawn(digits.family, 100, 0)
    assert len(places) == 100
    counts = Counter(labels[place] for place in places)
    assert set(counts.values()) <= {9, 10, 11}
    assert drawn(digits.family, 100, 0) == places
    assert drawn(digits.family, 100, 1) != places
    assert drawn(digits.family, 5000, 0) == frozenset(range(len(labels)))


def test_without_classes_facts_divide_as_long_as_they_have_few_levels() -> None:
    held = choices(["x"] * 300 + ["y"] * 100)
    counts = Counter("x" if place < 300 else "y" for place in drawn(held.family, 40, 3))
    assert counts == {"x": 30, "y": 10}


def test_an_item_is_drawn_by_its_id_wherever_it_stands() -> None:
    levels = ["x"] * 50
    one, other = choices(levels), choices(levels)
    assert drawn(one.family, 10, 0) == drawn(other.family, 10, 0)


def test_a_part_of_items() -> None:
    assert [*Part().of("abcd")] == ["a", "b", "c", "d"]  # type: ignore[arg-type, list-item]
    assert [*Part(limit=2).of("abcd")] == ["a", "b"]  # type: ignore[arg-type, list-item]
    assert [*Part(places=frozenset({1, 3})).of("abcd")] == ["b", "d"]  # type: ignore[arg-type, list-item]


def test_a_limit_and_a_sample_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="give one of the two"):
        RunSettings(limit=3, sample=3)
    with pytest.raises(UsageError, match="the sample must be at least 1"):
        RunSettings(sample=0)


def test_runs_of_a_sample_are_partial_and_compare(tmp_path: Path) -> None:
    made = [
        mmbench.run(model, task="digits", sample=60, output=tmp_path / "r", store=tmp_path / "s.sqlite")
        for model in ("chance", "tiny-coca")
    ]
    records = [run.records[0] for run in made]
    assert all(record.partial and record.dataset == records[0].dataset for record in records)
    assert records[0].dataset["n"] == 60
    assert records[0].dataset["sample"] == 0
    assert records[0].protocol == records[1].protocol
    (row,) = mmbench.compare("chance", "tiny-coca", output=tmp_path / "r").rows
    assert row.n == 60
    other = mmbench.run("chance", task="digits", limit=60, output=tmp_path / "o", store=tmp_path / "s.sqlite")
    assert other.records[0].protocol != records[0].protocol
    whole = mmbench.run("chance", task="digits", sample=5000, output=tmp_path / "o", store=tmp_path / "s.sqlite")
    assert not whole.records[0].partial
    assert "sample" not in whole.records[0].dataset


def test_through_the_command_line(tmp_path: Path, command: Command) -> None:
    more = ("--task", "scenes-vqa", "--sample", "30", "--output", str(tmp_path), "--store", str(tmp_path / "s"))
    status, out, _ = command("run", "--model", "chance", *more, "--controls", "blind")
    assert status == 0
    assert "(sample of 30 items)" in out
    status, out, _ = command("run", "--model", "chance", *more, "--dry-run", "--format", "json")
    assert status == 0
    assert json.loads(out)[0]["items"] == 30
    status, _, err = command("run", "--model", "chance", *more, "--limit", "5")
    assert status == 2
    assert "give one of the two" in err
