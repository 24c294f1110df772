"""Counting: what was not read is no error of some size, and the median is what guessing gets."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mmbench
from tests.builders import fails
from tests.fakes import Dual


def made(counts: list[Any], **keys: Any) -> Any:
    return mmbench.task("counting", [{"question": "How many?", "count": count} for count in counts], **keys)


def scored(tmp_path: Path, counts: list[Any], said: list[Any]) -> dict[str, Any]:
    lines = [json.dumps({"id": str(n), "prediction": each}) for n, each in enumerate(said)]
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    return {score.metric: score for score in mmbench.score(made(counts), tmp_path / "p.jsonl").record.scores}


def test_the_figures_of_the_formulas(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    gold, said = random.integers(0, 400, 25), random.integers(0, 400, 25)
    found = scored(tmp_path, gold.tolist(), said.tolist())
    error = (said - gold).astype(float)
    assert found["mae"].value == pytest.approx(np.abs(error).mean())
    assert found["rmse"].value == pytest.approx(np.sqrt((error**2).mean()))
    assert found["bias"].value == pytest.approx(error.mean())
    assert found["within_10_percent"].value == pytest.approx(np.mean(np.abs(error) <= 0.1 * gold + 1e-9))
    assert found["accuracy"].value == np.mean(error == 0)


def test_an_unread_reply_has_no_error_and_is_not_right(tmp_path: Path) -> None:
    found = scored(tmp_path, [10, 20, 300], ["12", "between 3 and 5", "No idea."])
    assert (found["mae"].value, found["rmse"].value, found["bias"].value) == (2, 2, 2)
    assert found["mae"].coverage == found["accuracy"].coverage == pytest.approx(1 / 3)
    assert found["mae"].bounds is None
    assert found["accuracy"].value == 0
    assert found["within_10_percent"].value == 0
    assert found["accuracy"].bounds == (0, pytest.approx(2 / 3))


def test_where_nothing_is_read_there_is_no_error_to_tell(tmp_path: Path) -> None:
    found = scored(tmp_path, [10, 20], ["many", "some"])
    assert found["mae"].value is None
    assert found["accuracy"].value == 0


def test_guessing_says_the_median(tmp_path: Path) -> None:
    counts = [1, 2, 2, 3, 50]
    found = scored(tmp_path, counts, [2] * 5)
    assert all(found[name].value == pytest.approx(found[name].chance) for name in found)


def test_candidates_are_numbers_and_are_ranked(tmp_path: Path) -> None:
    rows = [{"image": np.full((4, 4, 3), n, np.uint8), "question": "How many?", "count": n} for n in range(3)]
    task = mmbench.task("counting", rows, candidates=["zero", "1", "two"])
    run = mmbench.run(model=Dual(), task=task, output=tmp_path, store=tmp_path / "s.sqlite")
    (record,) = run.records
    assert (record.route, record.scores[0].coverage) == ("embed", 1)
    wrong = mmbench.task("counting", rows, candidates=["several", "two"])
    fails(lambda: wrong.family.outcomes(None, []), "'several' is no number")  # type: ignore[arg-type]


def test_a_count_is_a_whole_number(tmp_path: Path) -> None:
    for count in (-1, 2.5, "many", None, True):
        fails(lambda count=count: list(made([count]).family.samples()), "expected a count")  # type: ignore[misc]
    assert [s.references for s in made(["three", 4.0, "1,204"]).family.samples()] == [("3",), ("4",), ("1204",)]
