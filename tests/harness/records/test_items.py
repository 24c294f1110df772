"""The items of a run: the right ones, in the form that other programs read, with the questions that were asked."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.records import outcomes
from mmbench.harness.records.items import falls_short, find_items, is_wrong, item_value
from mmbench.harness.records.originals import find_samples, original_task
from mmbench.harness.records.outcomes import read_outcomes
from mmbench.harness.records.record import write
from mmbench.harness.records.selection import select
from mmbench.harness.run.predictions import item_json, score
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.metric_names import metric_named
from mmbench.harness.types import Outcome, Score
from tests.builders import outcome, record

Command = Callable[..., tuple[int, str, str]]

QUESTIONS = ["Which animal?", "Which [bold]animal[/] then?", "Which one\nof both?"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A results folder with one run of two tasks: one item right, one wrong, one without an answer."""
    rows = []
    for n, question in enumerate(QUESTIONS):
        PIL.Image.new("RGB", (4, 4), (60 * n, 0, 0)).save(tmp_path / f"{n}.png")
        rows.append({"image": f"{n}.png", "question": question, "options": ["cat", "dog"], "target": 0, "kind": "pet"})
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "theirs.jsonl").write_text(
        "".join(json.dumps({"id": str(n), "prediction": said}) + "\n" for n, said in enumerate(("cat", "dog", "???")))
    )
    for name in ("pets", "more-pets"):
        (tmp_path / f"{name}.yaml").write_text(
            f"name: {name}\nfamily: multiple-choice\nsource: {{kind: jsonl, path: data.jsonl}}\nfacts: [kind]\n"
        )
        score(str(tmp_path / f"{name}.yaml"), tmp_path / "theirs.jsonl", save=tmp_path / "results")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_items_of_every_task_or_of_one(folder: Path) -> None:
    selection = select("theirs", folder / "results")
    assert {items.entry.record.task for items in find_items(selection)} == {"more-pets", "pets"}
    for name in ("pets", "pets@1", "pets.yaml"):
        (items,) = find_items(selection, name)
        assert [outcome.id for outcome in items.outcomes] == ["0", "1", "2"]
    with pytest.raises(UsageError, match="no task 'pet'; did you mean 'pets'"):
        find_items(selection, "pet")


def test_wrong_is_short_of_the_best_or_not_answered(folder: Path) -> None:
    (items,) = find_items(select("theirs", folder / "results"), "pets", wrong=True)
    assert [(outcome.id, outcome.status) for outcome in items.outcomes] == [("1", "ok"), ("2", "unparsed")]
    (first,) = find_items(select("theirs", folder / "results"), "pets", wrong=True, limit=1)
    assert (first.outcomes, first.found) == (items.outcomes[:1], 2)


@pytest.mark.parametrize(
    ("metric", "value", "short"),
    [
        (Metric("accuracy", ""), 1.0 - 1e-12, False),
        (Metric("accuracy", ""), 0.5, True),
        (Metric("rank", "", higher_is_better=False, lowest=9.0, best=1.0), 2.0, True),
        (Metric("rank", "", higher_is_better=False, lowest=9.0, best=1.0), 1.0, False),
        (Metric("cider", "", best=None), 0.1, False),
        (Metric("yes_rate", "", higher_is_better=None), 0.1, False),
    ],
)
def test_short_of_the_best(metric: Metric, value: float, short: bool) -> None:
    assert falls_short(metric, value) is short


def test_a_corpus_metric_judges_an_item_alone() -> None:
    metric = Metric("precision", "", aggregate=lambda table, weights: weights @ table[:, 0] / (weights @ table[:, 1]))
    half, none = (Outcome("1", "ok", "", "", {}, statistics={"precision": (1.0, n)}) for n in (2.0, 0.0))
    with np.errstate(divide="ignore"):
        assert item_value(metric, half) == 0.5
        assert is_wrong(metric, half)
        assert item_value(metric, none) is None
        assert not is_wrong(metric, none)
    assert item_value(metric, Outcome("1", "ok", "", "", {})) is None


def test_json_has_every_item_as_score_prints_it(folder: Path, command: Command) -> None:
    code, out, err = command("show", "theirs", "--task", "pets", "--format", "json")
    assert (code, err) == (0, "")
    (path,) = (folder / "results" / "runs" / "theirs").glob("pets*.json")
    assert json.loads(out) == [{"task": "pets", "version": 1, **item_json(each)} for each in read_outcomes(path)]
    code, out, _ = command("show", str(path), "--wrong", "--limit", "1", "--format", "json")
    assert code == 0
    assert [item["id"] for item in json.loads(out)] == ["1"]


def test_table_shows_questions_where_the_task_is_known(folder: Path, command: Command) -> None:
    code, out, _ = command("show", "theirs", "--task", "pets.yaml", "--wrong")
    assert code == 0
    assert "Which [bold]animal[/] then?" in out
    assert "Which one of both?" in out
    assert "kind: pet" in out
    assert "Which animal?" not in out
    _, out, _ = command("show", "theirs", "--task", "pets", "--limit", "2")
    assert "Which" not in out
    assert "2 of 3 items; --limit 3 shows all" in out


def test_a_reply_is_shown_where_it_differs_from_what_was_read(folder: Path, command: Command) -> None:
    said = ["<think>\x1b[2J" + "hm " * 9000 + "</think>cat", "dog", "(A)"]
    rows = [{"id": n, "question": "Which?", "options": ["cat", "dog"], "target": 0} for n in range(3)]
    (folder / "replies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "replies.yaml").write_text(
        "name: replies\nfamily: multiple-choice\nsource: {kind: jsonl, path: replies.jsonl}\n"
    )
    lines = [json.dumps({"id": n, "prediction": each}) + "\n" for n, each in enumerate(said)]
    (folder / "said.jsonl").write_text("".join(lines))
    score("replies.yaml", "said.jsonl", save="results")
    code, out, _ = command("show", "said", "--task", "replies")
    assert code == 0
    assert "reply" in out
    assert "</think>cat" in "".join(out.split())
    assert "\x1b" not in out
    assert "because" in out
    assert len(out) < 10_000
    _, out, _ = command("show", "said", "--task", "replies", "--format", "json")
    assert [(item["reply"], item["prediction"]) for item in json.loads(out)] == list(
        zip(said, ["cat", "dog", "cat"], strict=True)
    )
    assert any(item["reason"] for item in json.loads(out))


def test_refusals_are_one_sentence(folder: Path, command: Command) -> None:
    assert command("show", "their")[0] == 2
    code, _, err = command("show", "theirs", "--task", "dogs")
    assert (code, err.count("\n")) == (2, 1)
    assert command("show", "theirs", "--task", "nowhere.yaml")[0] == 2


def test_no_best_value_is_said(folder: Path, command: Command) -> None:
    (folder / "captions.yaml").write_text(
        "name: captions\nfamily: captioning\nsource: {kind: jsonl, path: data.jsonl}\nmetrics: [cider]\n"
        "fields: {references: question}\n"
    )
    score("captions.yaml", "theirs.jsonl", save="results")
    code, _, err = command("show", "theirs", "--task", "captions", "--wrong")
    assert code == 0
    assert "cider has no best value" in err
    assert "no wrong items" in err


def test_a_task_that_changed_since_is_not_the_one(folder: Path) -> None:
    (items,) = find_items(select("theirs", folder / "results"), "pets")
    record, files = items.entry.record, [Path("pets.yaml")]
    task = original_task(record, files)
    assert task is not None
    assert list(find_samples(task, {"2", "1", "9"})) == ["1", "2"]
    assert original_task(record, [Path("more-pets.yaml")]) is None
    Path("pets.yaml").write_text(Path("pets.yaml").read_text() + "prompt: 'Say: {question} {options}'\n")
    assert original_task(record, files) is None
    assert original_task(record) is None


def test_a_split_of_the_catalogue_is_found() -> None:
    baselines = Path(__file__).parents[3] / "results" / "baselines"
    (items,) = find_items(select("tiny-coca", baselines / "mini"), "scenes-choice-mini")
    task = original_task(items.entry.record)
    assert task is not None
    samples = find_samples(task, {outcome.id for outcome in items.outcomes[:3]})
    assert [sample.media[0].digest for sample in samples.values()] == [each.cluster for each in items.outcomes[:3]]


def test_damaged_data_give_what_was_read(folder: Path) -> None:
    (items,) = find_items(select("theirs", folder / "results"), "pets")
    task = original_task(items.entry.record, [Path("pets.yaml")])
    assert task is not None
    lines = Path("data.jsonl").read_text().splitlines()
    Path("data.jsonl").write_text("\n".join([lines[0], "{", lines[2]]))
    assert list(find_samples(task, {"0", "2"})) == ["0"]


@pytest.mark.parametrize("metric", ["accuracy", "precision"])
def test_no_more_is_read_whole_than_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: str) -> None:
    """The items are those of a reader of everything, for a value of each item and for statistics of all."""
    rng = np.random.default_rng(0)
    family = "zero-shot-classification" if metric == "accuracy" else "yes-no"
    items = []
    for n, right in enumerate((rng.random(3000) < 0.99).tolist()):
        own = {"values": {"accuracy": float(right)}}
        of_all = {"statistics": {"precision": (float(right), float(not right), 0.0, 1.0)}, "values": {}}
        status = "error" if n % 1000 == 999 else "unparsed" if n % 500 == 7 else "ok"
        items.append(outcome(n, status=status, reply=f"reply {n}", **(own if metric == "accuracy" else of_all)))
    scores = (Score(metric, 0.5, None, None, 3000, 1.0, None, None, True),)
    path = write(record(family=family, scores=scores), items, tmp_path)
    held = metric_named(family, metric)
    wrong = [each for each in read_outcomes(path) if is_wrong(held, each)]
    assert len(wrong) > 30
    made: list[Outcome] = []
    row_by_row = outcomes._outcome
    monkeypatch.setattr(outcomes, "_outcome", lambda row: made.append(row_by_row(row)) or made[-1])
    (few,) = find_items(select(path), limit=10)
    assert (list(few.outcomes), few.found, len(made)) == (read_outcomes(path)[:10], 3000, 10)
    for limit in (1, 25, None):
        made.clear()
        (some,) = find_items(select(path), wrong=True, limit=limit)
        assert (list(some.outcomes), some.found) == (wrong[:limit], len(wrong))
        assert sum(each.reply is not None for each in made) == len(wrong[:limit])
    path.with_suffix(".parquet").write_bytes(path.with_suffix(".parquet").read_bytes() + b"\0")
    with pytest.raises(DataError, match="it is not what its record was written with"):
        find_items(select(path), limit=1)
