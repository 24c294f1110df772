"""METEOR is aggregated as its own program does, and equals COCO's evaluation where that program can run."""

import math
import subprocess
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from mmbench import metrics
from mmbench.benchmarks.metrics.caption import meteor as module
from mmbench.benchmarks.metrics.caption.meteor import Meteor, available, meteor, meteor_of_each
from mmbench.harness.errors import DataError, UsageError

needs_meteor = pytest.mark.skipif(available() is not None, reason=available() or "")

ANSWERS = """
2.0 5.0 1.0 3.0 1.0 1.0 1.0 1.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 1.0 2.0 2.0
0.0 5.0 0.0 3.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0
5.0 5.0 3.0 3.0 2.0 2.0 3.0 3.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 1.0 5.0 5.0
15.0 14.0 4.0 3.0 6.0 6.0 2.0 2.0 1.0 1.0 0.0 0.0 1.0 1.0 0.0 0.0 2.0 2.0 1.0 1.0 3.0 13.0 13.0
"""
"""What the program answers to `SCORE`; the third caption is its reference."""


def answers() -> np.ndarray:
    return np.array([[float(number) for number in line.split()] for line in ANSWERS.split("\n") if line])


def plain(rows: np.ndarray) -> float:
    """Return the score of Denkowski and Lavie 2014, section 2.2, of rows taken together."""
    chunks = sum(0 if row[4:20:2].sum() == row[0] and row[5:20:2].sum() == row[1] else row[20] for row in rows)
    total = rows.sum(axis=0)
    sides = []
    for side in (0, 1):
        content, function = total[4 + side : 20 : 4], total[6 + side : 20 : 4]
        matched = sum(w * (0.75 * c + 0.25 * f) for w, c, f in zip((1, 0.6, 0.8, 0.6), content, function, strict=True))
        sides.append((matched, 0.75 * (total[side] - total[2 + side]) + 0.25 * total[2 + side]))
    if not all(matched for matched, _ in sides):
        return 0.0
    precision, recall = (matched / length for matched, length in sides)
    mean = precision * recall / (0.85 * precision + 0.15 * recall)
    return mean * (1 - 0.6 * math.pow(chunks / ((total[21] + total[22]) / 2), 0.2))


def test_is_the_plain_one() -> None:
    made = module._sufficient(answers())
    assert meteor_of_each(made) == pytest.approx([plain(row[None]) for row in answers()], abs=1e-12)
    weights = np.array([[1, 1, 1, 1], [0, 0, 1, 0], [2, 1, 0, 3], [0, 1, 0, 0]])
    expected = [plain(np.repeat(answers(), row, axis=0)) for row in weights]
    assert meteor(made, weights.astype(np.float64)) == pytest.approx(expected, abs=1e-12)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "_folder", lambda: None)
    assert "pip install 'mmbench[meteor]'" in str(available())
    monkeypatch.setattr(module, "_folder", lambda: tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no java" in str(available())
    with pytest.raises(UsageError, match="no java"), Meteor.running():
        pass


@pytest.fixture
def java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A stand-in for Java, to be written; it is started in place of the program."""
    path = tmp_path / "java"
    path.touch(mode=0o755)
    monkeypatch.setattr(module, "_folder", lambda: tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return path


def test_what_the_program_says_as_it_fails_is_passed_on(java: Path) -> None:
    java.write_text("#!/bin/sh\necho 'Picked up JAVA_TOOL_OPTIONS' >&2\necho 'no memory' >&2\nexit 1\n")
    with pytest.raises(UsageError, match="position 0: no memory"), Meteor.running() as program:
        program.statistics(["a"], [["a"]])
    java.write_text("#!/bin/sh\nread line\necho 'Error: what?'\nread line\n")
    with pytest.raises(UsageError, match=r"position 0: Error: what\?"), Meteor.running() as program:
        program.statistics(["a"], [["a"]])
    java.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(UsageError, match="ended without a word"), Meteor.running() as program:
        program.statistics(["a"], [["a"]])


def test_the_program_ends_with_the_block(java: Path) -> None:
    java.write_text("#!/bin/sh\nwhile read line; do :; done\nexec sleep 600\n")
    started: list[subprocess.Popen[str]] = []

    def fail() -> None:
        with Meteor.running() as program:
            started.append(program.process)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert started[0].returncode is not None


def test_what_is_sent_is_one_line_of_texts(java: Path) -> None:
    sent = java.parent / "sent"
    numbers = " ".join(["0.0"] * 23)
    java.write_text(f"#!/bin/sh\nwhile read -r line; do echo \"$line\" >> '{sent}'; echo {numbers}; done\n")
    with Meteor.running() as program:
        made = program.statistics(["a ||| cat\nsat"], [["the  cat", "café|||"]])
        with pytest.raises(DataError, match="position 0 has no reference"):
            program.statistics(["a"], [[]])
        with pytest.raises(DataError, match="1 candidates and references of 0 items"):
            program.statistics(["a"], [])
        assert program.statistics([], []).shape == (0, 6)
    assert made.tolist() == [[0.0] * 6]
    assert sent.read_text(encoding="utf-8") == "SCORE ||| the cat ||| café ||| a cat sat\n"


@pytest.mark.slow
@needs_meteor
def test_is_that_of_the_reference_table(coco, monkeypatch: pytest.MonkeyPatch) -> None:
    items = coco["items"]
    some = items[::6]  # what it gives of one text does not depend on the others
    given = [item["candidate"] for item in items], [item["references"] for item in items]
    with Meteor.running() as program:
        made = program.statistics(
            [item["candidate_tokens"] for item in some], [item["reference_tokens"] for item in some]
        )
        edges = program.statistics(["", "a cat", "a cat"], [["a cat"], ["", "a cat"], [""]])
        monkeypatch.setattr(Meteor, "running", lambda: nullcontext(program))  # it takes seconds to start
        assert metrics.meteor(*given) == pytest.approx(coco["corpus"]["meteor"], abs=1e-9)
    assert meteor_of_each(made) == pytest.approx(np.array([item["scores"]["meteor"] for item in some]), abs=1e-12)
    assert meteor_of_each(edges) == pytest.approx([0, 1, 0])
