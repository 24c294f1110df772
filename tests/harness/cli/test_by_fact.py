"""Scores by a fact, tasks chosen by name and shared tasks, as people meet them: on records of `mmbench score`."""

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mmbench

Command = Callable[..., tuple[int, str, str]]

TYPES = ("yes/no", "number", "other")
RIGHT = {"old": {"yes/no": 40, "number": 30, "other": 20}, "new": {"yes/no": 40, "number": 30, "other": 2}}
"""Right answers of each type, of 40."""


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The place of what is scored once, by the first test that needs it."""
    return tmp_path_factory.mktemp("scored")


@pytest.fixture
def folder(scored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> Path:
    """The working folder: two models on questions of three types, one of them also on numbers and words."""
    monkeypatch.setenv("COLUMNS", "120")
    if not (scored / "data").exists():
        with monkeypatch.context() as there:
            there.chdir(scored)
            there.setenv("MMBENCH_HOME", str(scored / "home"))
            score_all(scored, command)
    shutil.copytree(scored, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))
    return tmp_path


def score_all(tmp_path: Path, command: Command) -> None:
    (tmp_path / "data").mkdir()
    for task in ("questions", "numbers", "words"):
        rows = [
            {"id": f"{kind}{i}", "question": f"{i}?", "answers": ["a"], "answer_type": kind, "uid": f"{kind} {i}"}
            for kind in TYPES
            for i in range(40)
        ]
        (tmp_path / f"data/{task}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        facts = "facts: [answer_type, uid]" if task == "questions" else ""
        (tmp_path / f"data/{task}.yaml").write_text(
            f"name: {task}\nfamily: vqa\nmetrics: [exact_match]\nsource: {{kind: jsonl, path: {task}.jsonl}}\n{facts}\n"
        )
    for label, right in RIGHT.items():
        said = [
            {"id": f"{kind}{i}", "prediction": "a" if i < number else "b"}
            for kind, number in right.items()
            for i in range(40)
        ]
        (tmp_path / "p.jsonl").write_text("".join(json.dumps(line) + "\n" for line in said))
        for task in ("questions", "numbers", "words") if label == "old" else ("questions", "numbers"):
            assert command("score", f"data/{task}.yaml", "p.jsonl", "--name", label, "--save", "results")[0] == 0


def values(levels: list[dict[str, Any]]) -> dict[str, tuple[float, int]]:
    return {each["level"]: (each["value"], each["n"]) for each in levels}


OLD = {"yes/no": (1.0, 40), "number": (0.75, 40), "other": (0.5, 40)}
NEW = {"yes/no": (1.0, 40), "number": (0.75, 40), "other": (0.05, 40)}


def test_show(folder: Path, command: Command) -> None:
    code, out, _ = command("show", "old", "--by", "answer_type", "--format", "json")
    rows = json.loads(out)
    by = {row["task"]: row["by"] for row in rows}
    assert (code, sorted(by)) == (0, ["numbers", "questions", "words"])
    assert values(by["questions"]["levels"]) == OLD
    assert by["numbers"]["levels"] == []
    assert "items of numbers@1 have no fact 'answer_type'" in by["numbers"]["reason"]
    code, out, _ = command("show", "old", "--by", "answer_type")
    assert code == 0
    assert re.search(r"number\s+0\.750\s+0\.565 … 0\.886\s+0\.000\s+40", out), "for three values at once"
    assert re.search(r"all\s+0\.750\s+", out)
    assert "no scores by answer_type: numbers@1, words@1" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "old", "--by", "answertype"], "no fact 'answertype'; did you mean 'answer_type'?"),
        (["show", "old", "--by", "uid"], "has 120 values, and at most 50"),
        (["show", "old", "--by", "uid", "--wrong"], "leave one of them out"),
        (["leaderboard", "--by", "answertype"], "did you mean 'answer_type'?"),
        (["leaderboard", "--by", "uid"], "has 120 values, and at most 50"),
        (["compare", "old", "new", "--by", "answertype"], "did you mean 'answer_type'?"),
        (["compare", "old", "new", "--by", "uid"], "has 120 values, and at most 50"),
        (["run", "--model", "chance", "--task", "digits", "--by", "kind"], "no fact 'kind'; `facts` in a task file"),
        (["run", "--model", "chance", "--task", "data/x*.yaml"], "no task matches 'data/x*.yaml'"),
        (["run", "--model", "chance", "--task", "digits-q*"], "no task matches 'digits-q*'"),
        (["leaderboard", "--task", "question"], "this folder has no task 'question'; did you mean 'questions'?"),
        (["compare", "old", "new", "--task", "x"], "the runs together has no task 'x'"),
        (["compare", "old", "new", "--suite", "digits"], "no run has a task of suite 'digits'"),
        (["run", "--task", "perception"], "there is no task 'perception', but a suite: --suite perception"),
    ],
)
def test_what_cannot_be_had_is_told_in_a_sentence(
    folder: Path, command: Command, arguments: list[str], said: str
) -> None:
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_leaderboard(folder: Path, command: Command) -> None:
    code, out, _ = command("leaderboard", "--by", "answer_type", "--task", "data/q*.yaml", "--format", "json")
    rows = json.loads(out)
    assert (code, {row["task"] for row in rows}) == (0, {"questions"})
    assert {row["model"]: values(row["by"]["levels"]) for row in rows} == {"old": OLD, "new": NEW}
    new = next(row["by"] for row in rows if row["model"] == "new")
    assert (new["worst"]["level"], new["worst"]["value"], new["gap"]["value"]) == ("other", 0.05, 0.95)
    assert new["ratio"]["value"] == pytest.approx(0.05)
    other = next(each for each in new["levels"] if each["level"] == "other")
    assert other["low_adjusted"] < other["low"] < other["high"] < other["high_adjusted"]
    assert new["worst"]["high"] == pytest.approx(other["high"]), "it is surely the worst: its interval is its own"
    code, out, _ = command("leaderboard", "--by", "answer_type", "--format", "csv")
    old, new = csv.DictReader(io.StringIO(out))
    name = "questions@1 exact_match [answer_type=other]"
    assert (code, old["model"], old[name], new[name], old[f"{name} n"]) == (0, "old", "0.5", "0.05", "40")
    code, out, _ = command("leaderboard", "--by", "answer_type")
    assert "questions@1 exact_match by answer_type" in out
    assert re.search(r"yes/no\s+40\s+1\.000 \(0\.903 … 1\.000\)\s+1\.000 \(0\.903 … 1\.000\)", out)
    assert "no scores by answer_type: numbers@1, words@1" in out
    code, out, _ = command("leaderboard", "--by", "answer_type", "--format", "markdown")
    assert "| other | 40 | 0.500 ±0.183 | 0.050 (0.005 … 0.185) |" in out
    assert re.search(r"\| worst \| 120 \| 0\.500 [^|]+\| 0\.050 [^|]+\|", out)
    assert re.search(r"\| gap \| 120 \| 0\.500 [^|]+\| 0\.950 [^|]+\|", out)
    assert (
        "by answer_type: intervals hold with 95 % for all values of a model at once (Šidák); worst, gap, ratio" in out
    )
    code, out, _ = command("leaderboard", "--by", "answer_type", "--format", "html")
    assert "exact_match by answer_type" in out
    assert (code, command("leaderboard", "--format", "json")[0]) == (0, 0)
    assert "by" not in json.loads(command("leaderboard", "--format", "json")[1])[0]


def test_compare(folder: Path, command: Command) -> None:
    code, out, _ = command("compare", "old", "new", "--by", "answer_type", "--task", "questions", "--format", "json")
    made = json.loads(out)
    assert (code, [row["task"] for row in made["rows"]], made["incomparable"]) == (0, ["questions"], [])
    assert made["by"]["fact"] == "answer_type"
    rows = {row["level"]: row for row in made["by"]["rows"]}
    assert {level: (row["a"], row["b"], row["n"], row["verdict"]) for level, row in rows.items()} == {
        "number": (0.75, 0.75, 40, "tied"),
        "other": (0.5, 0.05, 40, "worse"),
        "yes/no": (1.0, 1.0, 40, "tied"),
    }
    other = rows["other"]
    assert other["p_adjusted"] == pytest.approx(3 * other["p"]), "the least of three (Holm)"
    apart = {row["apart"]: row for row in json.loads(out)["by"]["apart"]}
    assert [(name, row["a"], row["b"], row["verdict"]) for name, row in apart.items()] == [
        ("worst", 0.5, 0.05, "worse"),
        ("gap", 0.5, pytest.approx(0.95), "worse"),
        ("ratio", 0.5, 0.05, "worse"),
    ]
    assert other["low_adjusted"] < other["low"] < other["high"] < other["high_adjusted"] < 0
    _, out, _ = command("compare", "old", "new", "--by", "answer_type")
    assert re.search(r"other\s+0\.500\s+0\.050\s+-0\.450\s+-0\.\d+ … -0\.\d+\s+<0\.001\s+40\s+worse", out)
    told = "by answer_type: interval and p adjusted over all 3 rows (Holm); worst, gap and ratio apart; not by"
    assert f"{told} answer_type: numbers@1" in " ".join(out.split())
    assert re.search(r"\n(.*\n)*worst\s+0\.500\s+0\.050\s+-0\.450.*worse\s*\ngap\s+0\.500\s+0\.950.*worse", out)
    _, out, _ = command("compare", "old", "new", "--by", "answer_type", "--format", "markdown")
    assert "| questions@1 | exact_match | other | 0.500 | 0.050 | -0.450 |" in out
    assert "by" not in json.loads(command("compare", "old", "new", "--format", "json")[1])


def test_compare_has_a_table_for_each_metric(folder: Path, command: Command) -> None:
    task = folder / "data/questions.yaml"
    task.write_text(task.read_text().replace("[exact_match]", "[exact_match, token_f1]"))
    for label, right in (("old", 40), ("new", 10)):
        lines = [{"id": f"{kind}{i}", "prediction": "ab"[i >= right]} for kind in TYPES for i in range(40)]
        (folder / "p.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        command("score", str(task), "p.jsonl", "--name", label, "--save", "two")
    asked = ("--by", "answer_type", "--metric", "exact_match", "--metric", "token_f1")
    _, out, _ = command("compare", "old", "new", "--output", "two", *asked)
    parts = re.split(r"questions@1 (\S+) by answer_type", out)
    assert parts[1::2] == ["exact_match", "token_f1"]
    assert all(len(re.findall(r"^(?:number|other|yes/no|worst|gap|ratio)\s", part, re.M)) == 6 for part in parts[2::2])


def test_ranked_on_what_all_share(folder: Path, command: Command) -> None:
    _, out, _ = command("leaderboard")
    assert "not ranked: new (no score on words@1)" in " ".join(out.split())
    note = (
        "shared: ranked on the 2 tasks that all models have, of 3; left out, with those that lack them: words@1 (new)"
    )
    _, out, _ = command("leaderboard", "--shared")
    assert note in " ".join(out.split())
    assert "Leaderboard: all tasks, those that all models share" in out
    assert "not ranked" not in out
    assert note in command("leaderboard", "--shared", "--format", "markdown")[1]
    assert f"S{note[1:]}." in command("leaderboard", "--shared", "--format", "html")[1]
    old, new = csv.DictReader(io.StringIO(command("leaderboard", "--shared", "--format", "csv")[1]))
    assert (old["rank"], new["rank"], new["score"]) == ("1", "2", "0.6")
    assert (new["shared tasks"], new["left out"]) == ("numbers@1, questions@1", "words@1")
    rows = json.loads(command("leaderboard", "--shared", "--format", "json")[1])
    standing = {(row["model"], row["task"]): row["standing"] for row in rows}
    assert standing["new", "numbers"]["shared"] == ["numbers@1", "questions@1"]
    assert standing["old", "words"] is None, "it stands apart"
    alone = command("leaderboard", "--shared", "--model", "old")[1]
    assert "that all models have, which are all" in alone
    code, _, err = command("leaderboard", "--shared", "--task", "words")
    assert (code, "no task has scores of all" in err) == (0, False), "nobody else is on a board of words alone"
    frame = mmbench.load("results").leaderboard(shared=True, by="answer_type")
    assert frame["questions@1 exact_match [answer_type=other]"].tolist() == [0.5, 0.05]


def test_nothing_is_shared(folder: Path, command: Command) -> None:
    assert command("score", "data/words.yaml", "p.jsonl", "--name", "third", "--save", "results")[0] == 0
    code, out, err = command("leaderboard", "--shared")
    assert (code, out) == (2, "")
    assert "no task has scores of all 3 models; third has the fewest, 1 of 3 tasks; keep the others with --model" in err
    code, _, err = command("compare", "new", "third", "--shared")
    assert (code, "no task is shared by all 2 runs; third has 1 task" in err) == (2, True)
    _, out, _ = command("compare", "old", "new", "third", "--task", "words")
    assert "not comparable words: new has no record of words@1" in out
    _, out, _ = command("compare", "old", "new", "--shared")
    assert (
        "shared: compared on the 2 tasks that all runs have; left out, with those that lack them: words@1 (new)" in out
    )
    assert "not comparable" not in out


def test_a_run(folder: Path, command: Command) -> None:
    code, out, _ = command("run", "--model", "chance", "--task", "scenes-v*", "--by", "kind", "--limit", "60")
    assert code == 0
    assert "scenes-vqa@1 exact_match by kind: chance" in out
    made = mmbench.run("chance", task="scenes-vqa", limit=60)
    frame = made.table(by="kind")
    first = frame[frame["primary"]]
    assert first[first["fact"] == "kind"]["n"].sum() == 60
    assert len(first[first["fact"].isna()]) == 1
    with pytest.raises(mmbench.harness.errors.UsageError, match="did you mean 'kind'"):
        made.table(by="kinds")


def test_the_report_has_every_fact(folder: Path, command: Command) -> None:
    assert command("report")[0] == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "exact_match by answer_type" in page
    assert "by uid" not in page
