"""`mmbench score` on data without pictures: what stands where, what is named, and with which exit status."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from mmbench.harness.cli.app import main

ROW = ["model", "task", "version", "family", "metric", "value", "low", "high", "n", "coverage", "bounds", "chance"]
ROW += ["primary", "route", "control", "protocol", "partial", "few_clusters"]
NAMES = ["cat", "dog", "cow", "owl"]
Call = Callable[..., tuple[int, str, str]]

FAMILIES: Mapping[str, tuple[list[dict[str, Any]], str]] = {
    "vqa": ([{"question": "What is it?", "answers": [name] * 10} for name in NAMES], ""),
    "multiple-choice": ([{"question": "What is it?", "options": NAMES, "target": n} for n in range(4)], ""),
    "yes-no": ([{"question": "Is it?", "target": ["yes", "no"][n % 2]} for n in range(4)], ""),
    "captioning": (
        [{"references": [f"A {name} sits in the field.", f"a {name}"]} for name in NAMES],
        "metrics: [bleu@4, rouge_l, cider, length_ratio]\n",
    ),
    "pairs": ([{"captions": [f"a {name}", f"no {name}"]} for name in NAMES], "metrics: [pairwise_accuracy]\n"),
    "zero-shot-classification": ([{"label": name} for name in NAMES], ""),
}
RIGHT: Mapping[str, list[Any]] = {
    "vqa": NAMES,
    "multiple-choice": [0, "dog", "3", "The answer is (D)."],
    "yes-no": ["yes", False, True, "No, there is none."],
    "captioning": [f"a {name} sits in the field" for name in NAMES],
    "pairs": [[0.9, 0.1], [[2, 1]], [-1.0, -2.0], [1, 0]],
    "zero-shot-classification": ["cat", 2, "It is a cow.", [0, 0, 0, 1]],
}
"""Predictions that are all right, each written in another way. The classes are sorted: cow is 1, dog is 2."""


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs `mmbench score` here, after writing the task file of each family."""
    for family, (rows, keys) in FAMILIES.items():
        (tmp_path / f"{family}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        source = f"source: {{kind: jsonl, path: {family}.jsonl}}\n"
        (tmp_path / f"{family}.yaml").write_text(f"name: {family}\nfamily: {family}\n{source}{keys}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))

    def run(*arguments: str, command: str = "score") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mmbench", command, *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as done:
            main()
        out, err = capsys.readouterr()
        assert isinstance(done.value.code, int)
        return done.value.code, out, err

    return run


ITEM = ("id", "status", "prediction", "target", "values", "facts", "reply", "reason", "prompt")


def predict(lines: Mapping[Any, Any] | list[tuple[Any, Any]], name: str = "theirs.jsonl") -> str:
    pairs = lines.items() if isinstance(lines, Mapping) else lines
    Path(name).write_text("".join(json.dumps({"id": each, "prediction": held}) + "\n" for each, held in pairs))
    return name


def items(file: str = "items.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(file).read_text().splitlines()]


@pytest.mark.parametrize("family", FAMILIES)
def test_all_right(call: Call, family: str) -> None:
    file = predict(dict(enumerate(RIGHT[family])))
    code, out, err = call(f"{family}.yaml", file, "--format", "json", "--items", "items.jsonl")
    assert (code, err) == (0, "")
    rows = json.loads(out)
    assert all(sorted(row) == sorted(ROW) for row in rows)
    assert {(row["model"], row["family"], row["route"], row["n"]) for row in rows} == {
        ("theirs", family, "recorded", 4)
    }
    by_metric = {row["metric"]: row["value"] for row in rows}
    best = {metric: value for metric, value in by_metric.items() if metric not in ("cider", "length_ratio", "yes_rate")}
    assert best == pytest.approx(dict.fromkeys(best, 1.0))
    assert [row["primary"] for row in rows] == [True] + [False] * (len(rows) - 1)
    made = items()
    assert [sorted(item) for item in made] == [sorted(ITEM)] * 4
    assert [(item["id"], item["status"]) for item in made] == [(str(n), "ok") for n in range(4)]
    first = rows[0]["metric"]
    assert [item["values"][first] for item in made] == pytest.approx([1.0] * 4)


@pytest.mark.parametrize("family", FAMILIES)
def test_missing_extra_and_repeated_are_named(call: Call, family: str) -> None:
    right = RIGHT[family]
    file = predict([(0, right[0]), ("0", right[0]), (1, right[1]), ("9", right[1]), ("x", right[1]), (2, right[2])])
    code, out, err = call(f"{family}.yaml", file, "--format", "json", "--items", "items.jsonl")
    assert code == 1
    assert "warning: 1 id of the task without a prediction: 3" in err
    assert "warning: 2 ids in the file that the task does not have, passed over: 9, x" in err
    assert "warning: 1 id given more than once: 0" in err
    assert [item["status"] for item in items()] == ["ok", "ok", "ok", "error"]
    assert items()[3]["values"] == {}
    row = json.loads(out)[0]
    assert (row["n"], row["coverage"], row["value"]) == (3, 0.75, pytest.approx(1.0))


def test_two_predictions_that_differ(call: Call) -> None:
    file = predict([(0, "cat"), (0, "dog"), (1, "dog"), (2, "cow"), (3, "owl")])
    code, out, err = call("multiple-choice.yaml", file, "--format", "json")
    assert code == 1
    assert "the first: item 0 has two predictions that differ" in err
    assert json.loads(out)[0]["n"] == 3


def test_own_failures_of_the_other_system(call: Call) -> None:
    file = predict({0: "A", 1: "A cow, or is it an owl", 2: "I'm sorry, but I cannot see it.", 3: "C"})
    code, out, _ = call("multiple-choice.yaml", file, "--format", "json", "--items", "items.jsonl")
    assert code == 0
    assert [item["status"] for item in items()] == ["ok", "unparsed", "refused", "ok"]
    (row,) = json.loads(out)
    assert (row["value"], row["n"], row["coverage"], row["bounds"]) == (0.25, 4, 0.5, [0.25, 0.75])


def test_an_index_that_is_also_a_text(call: Call, tmp_path: Path) -> None:
    counts = [{"question": "How many?", "options": ["1", "2", "3"], "target": "3"} for _ in range(4)]
    (tmp_path / "multiple-choice.jsonl").write_text("".join(json.dumps(row) + "\n" for row in counts))
    file = predict({0: 2, 1: "3", 2: "1", 3: "There are 3."})
    code, out, err = call("multiple-choice.yaml", file, "--format", "json", "--items", "items.jsonl")
    assert (code, err) == (0, "")
    assert [item["prediction"] for item in items()] == ["3", "3", "1", "3"], "an index is an integer, a text is a text"
    assert [item["reply"] for item in items()] == ["2", "3", "1", "There are 3."]
    assert (json.loads(out)[0]["value"], json.loads(out)[0]["n"]) == (0.75, 4)


def test_numbers_are_the_marks_that_the_prompt_showed(call: Call, tmp_path: Path) -> None:
    rows = [{"question": "Which?", "options": ["two men", "a man", "a dog"], "target": 1} for _ in range(6)]
    (tmp_path / "multiple-choice.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = (tmp_path / "multiple-choice.yaml").read_text()
    (tmp_path / "numbered.yaml").write_text(task + "marks: (1)\n")
    file = predict(dict(enumerate(["(2)", "2", "2.", "Output (2).", "Caption 2", 1])))
    code, out, _ = call("numbered.yaml", file, "--format", "json")
    assert (code, json.loads(out)[0]["value"]) == (0, 1.0)
    shown = json.loads(out)[0]["protocol"]
    code, out, _ = call("multiple-choice.yaml", file, "--format", "json", "--items", "items.jsonl")
    assert json.loads(out)[0]["protocol"] != shown
    assert [item["status"] for item in items()] == ["unparsed"] * 5 + ["ok"], "two may be the men"


def test_marks_stand_in_the_prompt(call: Call, tmp_path: Path) -> None:
    task = (tmp_path / "yes-no.yaml").read_text()
    for keys, expected in (
        ("marks: (1)\n", "`marks: (1)` needs the placeholder {options} in `prompt`"),
        ("marks: '2.'\n", "marks"),
    ):
        (tmp_path / "marked.yaml").write_text(task + keys)
        code, _, err = call("marked.yaml", predict({0: "yes"}))
        assert code == 2
        assert expected in err
    (tmp_path / "marked.yaml").write_text(task + "marks: 1.\nprompt: '{question} {options}'\n")
    assert call("marked.yaml", predict({0: "1.", 1: "2", 2: "yes", 3: "(2)"}))[0] == 1, "0 and 1 may be truths"


@pytest.mark.parametrize(("held", "expected"), [(None, "item 3 is null"), (["D", None, "B", "A"], "item 3#1 is null")])
def test_one_reply_that_is_none_costs_its_item(call: Call, tmp_path: Path, held: object, expected: str) -> None:
    task = (tmp_path / "multiple-choice.yaml").read_text()
    (tmp_path / "circular.yaml").write_text(task + "circular: true\n")
    marks = [["ABCD"[(n - turn) % 4] for turn in range(4)] for n in range(3)]
    code, _, err = call("circular.yaml", predict(dict(enumerate([*marks, held]))), "--items", "items.jsonl")
    assert code == 1
    assert [item["status"] for item in items()] == ["ok"] * 3 + ["error"]
    assert f"the prediction of {expected}" in err
    assert json.loads(items()[0]["reply"]) == marks[0]


def test_nothing_as_python_prints_it_costs_its_item(call: Call) -> None:
    file = predict(dict(enumerate(["cat", "dog", None, "bird"])))
    Path(file).write_text(Path(file).read_text().replace("null", "None"))
    code, _, err = call("vqa.yaml", file, "--items", "items.jsonl")
    assert code == 1
    assert "the prediction of item 2 is null" in err
    assert [item["status"] for item in items()] == ["ok", "ok", "error", "ok"]


@pytest.mark.parametrize("family", ["vqa", "captioning", "multiple-choice", "yes-no", "zero-shot-classification"])
def test_thoughts_are_taken_off_in_every_family(call: Call, family: str) -> None:
    right = [f"<think>A dog? No.</think>{each}" if isinstance(each, str) else each for each in RIGHT[family]]
    code, out, _ = call(f"{family}.yaml", predict(dict(enumerate(right))), "--format", "json", "--items", "items.jsonl")
    first = json.loads(out)[0]
    assert (code, first["n"]) == (0, 4)
    assert [item["values"][first["metric"]] for item in items()] == pytest.approx([1.0] * 4)
    assert all(item["reply"] == each for each, item in zip(right, items(), strict=True) if isinstance(each, str))
    call(f"{family}.yaml", predict({0: "<think>cat", 1: "cat</think>", 2: right[2], 3: right[3]}), "--items", "i.jsonl")
    assert [item["status"] for item in items("i.jsonl")] == ["unparsed", "unparsed", "ok", "ok"]


@pytest.mark.parametrize("held", [1, 0, "1"])
def test_a_number_is_neither_yes_nor_no(call: Call, held: object) -> None:
    code, _, err = call("yes-no.yaml", predict({0: "yes", 1: "no", 2: "yes", 3: held}))
    assert code == 1
    assert f"item 3: {held} may mean yes or no; write the word" in err


@pytest.mark.parametrize("apart", [True, False])
def test_rotations(call: Call, tmp_path: Path, apart: bool) -> None:
    task = (tmp_path / "multiple-choice.yaml").read_text()
    (tmp_path / "circular.yaml").write_text(task + "circular: true\n")
    marks = [["ABCD"[(n - turn) % 4] for turn in range(4)] for n in range(4)]
    marks[3][2] = "A"
    if apart:
        file = predict({f"{n}#{turn}": mark for n in range(4) for turn, mark in enumerate(marks[n])})
    else:
        file = predict(dict(enumerate(marks)))
    code, out, err = call("circular.yaml", file, "--format", "json")
    assert (code, err) == (0, "")
    assert {row["metric"]: row["value"] for row in json.loads(out)} == {"accuracy": 1.0, "circular_accuracy": 0.75}
    file = predict(dict(enumerate([*marks[:3], marks[3][:3]])))
    code, out, err = call("circular.yaml", file, "--format", "json")
    assert code == 1
    assert "without a prediction: 3#3" in err
    assert [row["n"] for row in json.loads(out)] == [3, 3], "with a rotation missing the item is an error"


def test_saved_on_the_board(call: Call) -> None:
    right, half = dict(enumerate(NAMES)), dict(enumerate(["cat", "dog", "x", "y"]))
    assert call("vqa.yaml", predict(right), "--name", "good", "--save", "results")[0] == 0
    assert call("vqa.yaml", predict(half), "--name", "fair", "--save", "results")[0] == 0
    code, out, _ = call("--output", "results", "--format", "json", command="leaderboard")
    assert code == 0
    rows = [row for row in json.loads(out) if row["primary"]]
    assert [(row["model"], row["value"], row["route"]) for row in rows] == [
        ("good", 1.0, "recorded"),
        ("fair", 0.5, "recorded"),
    ]
    assert len({row["protocol"] for row in rows}) == 1
    assert {path.suffix for path in Path("results/runs/good").iterdir()} == {".json", ".parquet"}


def test_break_down_in_the_saved_record(call: Call, tmp_path: Path) -> None:
    rows = [{**row, "answer_type": kind} for row, kind in zip(FAMILIES["vqa"][0], ["a", "a", "b", "b"], strict=True)]
    (tmp_path / "vqa.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "vqa.yaml").write_text((tmp_path / "vqa.yaml").read_text() + "facts: [answer_type]\n")
    file = predict(dict(enumerate(["cat", "x", "cow", "owl"])))
    assert call("vqa.yaml", file, "--save", "results", "--items", "items.jsonl")[0] == 0
    (record,) = Path("results/runs/theirs").glob("*.json")
    held = [row for row in json.loads(record.read_text())["breakdown"] if row["metric"] == "vqa_accuracy"]
    assert [(row["fact"], row["level"], row["value"], row["n"]) for row in held] == [
        ("answer_type", "a", 0.5, 2),
        ("answer_type", "b", 1.0, 2),
    ]
    assert [item["facts"] for item in items()] == [{"answer_type": kind} for kind in "aabb"]


def test_clipscore_of_recorded_captions(call: Call, tmp_path: Path) -> None:
    rows = [{"image": f"{n}.png", **row} for n, row in enumerate(FAMILIES["captioning"][0])]
    for n in range(4):
        PIL.Image.new("RGB", (4, 4), (60 * n, 9, 0)).save(tmp_path / f"{n}.png")
    (tmp_path / "seen.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = "name: seen\nfamily: captioning\nsource: {kind: jsonl, path: seen.jsonl}\nmetrics: [rouge_l, clipscore]\n"
    (tmp_path / "seen.yaml").write_text(text)
    file = predict(dict(enumerate(RIGHT["captioning"])))
    code, out, err = call("seen.yaml", file, "--format", "json")
    assert code == 0
    assert {row["metric"]: row["value"] for row in json.loads(out)} == {
        "rouge_l": pytest.approx(1.0),
        "clipscore": None,
    }
    assert "clipscore and ref_clipscore are -: no scorer was given (--scorer)" in err
    code, out, err = call("seen.yaml", file, "--format", "json", "--scorer", "chance", "--items", "items.jsonl")
    assert (code, err) == (0, "")
    values = [item["values"]["clipscore"] for item in items()]
    assert json.loads(out)[1]["value"] == pytest.approx(sum(values) / 4)
    assert len(set(values)) > 1
    assert all(0 <= value <= 2.5 for value in values)
    (tmp_path / "1.png").write_bytes(b"nothing")
    code, out, err = call("seen.yaml", file, "--format", "json", "--scorer", "chance")
    assert code == 1
    assert "warning: 1 item could not be scored; the first: 1.png: not a readable picture" in err
    assert [row["n"] for row in json.loads(out)] == [3, 3]


def test_a_scorer_without_pictures(call: Call, tmp_path: Path) -> None:
    (tmp_path / "captioning.yaml").write_text(
        (tmp_path / "captioning.yaml").read_text().replace("length_ratio", "clipscore")
    )
    file = predict(dict(enumerate(RIGHT["captioning"])))
    code, out, err = call("captioning.yaml", file, "--format", "json", "--scorer", "chance")
    assert code == 0
    assert json.loads(out)[-1]["value"] is None
    assert "the data has no pictures" in err


def test_cider_of_one_caption_is_refused(call: Call, tmp_path: Path) -> None:
    (tmp_path / "captioning.jsonl").write_text(json.dumps(FAMILIES["captioning"][0][0]) + "\n")
    code, out, err = call("captioning.yaml", predict({0: "a cat"}), "--format", "json")
    assert (code, out) == (2, "")
    assert err.startswith("mmbench: CIDEr weighs n-grams")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("vqa.yaml", "none.jsonl"), "predictions file none.jsonl does not exist"),
        (("vq.yaml", "theirs.jsonl"), "there is no file vq.yaml"),
        (("vqa.yaml", "broken.jsonl"), "broken.jsonl line 2 is not JSON"),
        (("vqa.yaml", "bare.jsonl"), "bare.jsonl line 1: expected an object such as"),
        (("vqa.yaml", "theirs.jsonl", "--name", "a/b"), "a/b"),
        (("vqa.yaml", "theirs.jsonl", "--scorer", "chnce"), "did you mean 'chance'?"),
    ],
)
def test_bad_usage(call: Call, tmp_path: Path, arguments: tuple[str, ...], expected: str) -> None:
    predict({0: "cat"})
    (tmp_path / "broken.jsonl").write_text('{"id": 0, "prediction": "cat"}\n{"id": 1,\n')
    (tmp_path / "bare.jsonl").write_text('"cat"\n')
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert expected in err
    assert err.startswith("mmbench: ")
    assert err.count("\n") == 1
