"""Predictions of another system are scored as a model's own answers are, and nothing is asked."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

import mmbench
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.records.outcomes import read_outcomes
from mmbench.harness.records.record import read
from mmbench.harness.run.predictions import Scored, score, write_items
from tests import fakes

COUNT = 6
WORDS = ["a cat", "a dog", "a red ball"]
FAMILIES = {
    "animals": ("zero-shot-classification", ""),
    "choice": ("multiple-choice", "circular: true\n"),
    "open": ("vqa", f"candidates: {json.dumps(WORDS)}\n"),
    "order": ("pairs", "fields: {captions: pair}\n"),
    "search": ("retrieval", ""),
    "captions": ("captioning", f"candidates: {json.dumps(WORDS)}\nmetrics: [cider, clipscore]\n"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a task of each family, on pictures and without."""
    rows = []
    for n in range(COUNT):
        PIL.Image.new("RGB", (4, 4), (40 * max(n, 1), 0, 0)).save(tmp_path / f"{n}.png")
        row: dict[str, Any] = {"image": f"{n}.png", "label": ["cat", "dog"][n % 2], "question": f"What is {n}?"}
        row |= {"options": ["x", "y", "z"], "target": n % 3, "answers": [WORDS[n % 3]] * 10, "captions": ["c"]}
        row |= {"references": [WORDS[n % 3], "a thing"], "images": [f"{n}.png"], "pair": ["a on b", "b on a"]}
        rows.append(row)
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    bare = [{name: held for name, held in row.items() if name not in ("image", "images")} for row in rows]
    (tmp_path / "text.jsonl").write_text("".join(json.dumps(row) + "\n" for row in bare))
    for name, (family, more) in FAMILIES.items():
        text = f"name: {name}\nfamily: {family}\nsource: {{kind: jsonl, path: data.jsonl}}\n{more}"
        (tmp_path / f"{name}.yaml").write_text(text)
        (tmp_path / f"text-{name}.yaml").write_text(text.replace("data.jsonl", "text.jsonl"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def predict(by_id: Mapping[Any, object], name: str = "theirs.jsonl") -> Path:
    lines = [json.dumps({"id": each, "prediction": held}) for each, held in by_id.items()]
    Path(name).write_text("".join(line + "\n" for line in lines))
    return Path(name)


def values(made: Scored) -> dict[str, float | None]:
    return {each.metric: each.value for each in made.record.scores}


@pytest.mark.parametrize("prefix", ["", "text-"])
@pytest.mark.parametrize(
    ("task", "right"),
    [
        ("animals", lambda n: ["cat", "dog"][n % 2]),
        ("choice", lambda n: ["xyz"[n % 3]] * 3),
        ("open", lambda n: WORDS[n % 3]),
        ("order", lambda n: [0.75, 0.25]),
    ],
)
def test_all_right_scores_one_with_or_without_pictures(
    folder: Path, prefix: str, task: str, right: Callable[[int], object]
) -> None:
    made = score(f"{prefix}{task}.yaml", predict({n: right(n) for n in range(COUNT)}))
    assert {round(value, 9) for value in values(made).values() if value is not None} == {1.0}
    assert (made.exit_code, made.missing, made.extra, made.repeated) == (0, [], [], [])
    assert (made.record.route, made.record.control, made.record.scorer) == ("recorded", None, None)
    assert (made.record.asked, made.record.remembered, made.record.hardware["device"]) == (0, 0, "none")
    assert made.record.model == "theirs"


@pytest.mark.parametrize("route", ["embed", "likelihood", "generate"])
@pytest.mark.parametrize("task", ["animals", "open", "captions"])
def test_a_models_answers_score_as_the_model_did(folder: Path, task: str, route: str) -> None:
    run = mmbench.run("chance", task=f"{task}.yaml", route=route, store="s.sqlite")
    (record,) = run.records
    own = read_outcomes(Path("results", "runs", "chance", record.file_name))
    made = score(f"{task}.yaml", predict({each.id: each.prediction or "" for each in own}))
    assert [(s.metric, s.value, s.n, s.bounds) for s in made.record.scores] == [
        (s.metric, s.value, s.n, s.bounds) for s in record.scores
    ]
    assert made.record.protocol == record.protocol, "so that they stand on one board"
    for theirs, mine in zip(made.outcomes, own, strict=True):
        for name in ("id", "status", "target", "values", "statistics", "cluster", "locator", "facts"):
            assert getattr(theirs, name) == getattr(mine, name), name


def test_missing_extra_and_repeated_are_named(folder: Path) -> None:
    path = predict({n: "cat" for n in (0, 1, 2, 4, "x")})
    path.write_text(path.read_text() + '{"id": 1, "prediction": "cat"}\n{"id": 2, "prediction": "dog"}\n')
    made = score("animals.yaml", path)
    assert (made.missing, made.extra, made.repeated) == (["3", "5"], ["x"], ["1", "2"])
    assert made.exit_code == 1
    assert [each.status for each in made.outcomes] == ["ok", "ok", "error", "error", "ok", "error"]
    first = made.record.scores[0]
    assert (first.value, first.n, first.coverage, first.bounds) == (2 / 3, 3, 0.5, (2 / 6, 5 / 6))
    assert (made.record.errors, made.record.first_error) == (3, "item 2 has two predictions that differ")
    assert (made.missing, made.record.errors) == (["3", "5"], 3), "a conflict is no absence"


def test_nothing_predicted_is_no_score(folder: Path) -> None:
    made = score("animals.yaml", predict({}))
    assert (values(made)["accuracy"], made.record.scores[0].coverage, made.exit_code) == (None, 0.0, 1)


def test_a_wrong_or_unreadable_reply_is_no_error(folder: Path) -> None:
    made = score("animals.yaml", predict(dict.fromkeys(range(COUNT), "I see a fish.")))
    assert (values(made)["accuracy"], made.record.scores[0].n, made.exit_code) == (0.0, COUNT, 0)
    assert {each.status for each in made.outcomes} == {"unparsed"}


def test_rotations_may_be_predicted_apart_or_in_a_list(folder: Path) -> None:
    apart = {f"{n}#{turn}": "xyz"[n % 3] for n in range(COUNT) for turn in range(3)}
    listed = {n: ["xyz"[n % 3]] * 3 for n in range(COUNT)}
    for given in (apart, listed):
        made = score("choice.yaml", predict(given))
        assert values(made) == {"accuracy": 1.0, "circular_accuracy": 1.0}
        assert not made.extra
    first = score("choice.yaml", predict({n: 0 for n in range(COUNT)}))
    assert first.exit_code == 1, "one prediction is no three"
    always = score("choice.yaml", predict({n: [0, 0, 0] for n in range(COUNT)}))
    assert values(always) == {"accuracy": pytest.approx(1 / 3), "circular_accuracy": 0.0}


def test_the_label_is_the_name_of_the_file(folder: Path) -> None:
    given = {n: "cat" for n in range(COUNT)}
    assert score("animals.yaml", predict(given, "my model/v2.jsonl".replace("/", "-"))).record.model == "my-model-v2"
    assert score("animals.yaml", predict(given, "..jsonl")).record.model == "model"
    assert score("animals.yaml", predict(given), name="GPT-4o_v1.2+x").record.model == "GPT-4o_v1.2+x"


@pytest.mark.parametrize("name", ["a/b", "../up", "..", "", "a b", "/abs", "a\\b"])
def test_a_name_that_cannot_be_a_folder_is_refused(folder: Path, name: str) -> None:
    path = predict({n: "cat" for n in range(COUNT)})
    with pytest.raises(UsageError, match="cannot name a folder of results; '.+' can"):
        score("animals.yaml", path, name=name, save="results")
    assert not Path("results").exists()


def test_a_record_is_written_where_it_is_wished(folder: Path) -> None:
    path = predict({n: "cat" for n in range(COUNT)})
    assert score("animals.yaml", path)
    assert not Path("results").exists()
    made = score("animals.yaml", path, name="theirs", save="results")
    file = Path("results", "runs", "theirs", made.record.file_name)
    assert read(file) == made.record
    assert [each.id for each in read_outcomes(file)] == [str(n) for n in range(COUNT)]
    changed = score("animals.yaml", predict({n: "dog" for n in range(COUNT)}), name="theirs", save="results")
    assert changed.record.file_name != made.record.file_name, "the predictions are the identity"
    mmbench.run("chance", task="animals.yaml", store="s.sqlite")
    board = mmbench.load("results").board()
    assert sorted((line.model, line.cells[0].route) for line in board.lines) == [
        ("chance", "embed"),
        ("theirs", "recorded"),
    ]


def test_rows_items_and_table(folder: Path) -> None:
    made = score("animals.yaml", predict({0: "cat", 1: "I see a fish.", 2: [0.1, 0.9]}))
    ran = mmbench.run("chance", task="animals.yaml", store="s.sqlite").rows()
    assert list(made.rows()[0]) == list(ran[0])
    assert list(made.table()["metric"]) == ["accuracy", "mean_per_class_recall"]
    write_items(made.outcomes, Path("items.jsonl"))
    with pytest.raises(UsageError, match="nowhere/items.jsonl cannot be written"):
        write_items(made.outcomes, Path("nowhere", "items.jsonl"))
    items = [json.loads(line) for line in Path("items.jsonl").read_text(encoding="utf-8").splitlines()]
    assert items == made.items()
    assert [list(item) for item in items] == [
        ["id", "status", "prediction", "target", "values", "facts", "reply", "reason", "prompt"]
    ] * COUNT
    assert [(i["status"], i["prediction"], i["target"], i["values"]) for i in items[:4]] == [
        ("ok", "cat", "cat", {"accuracy": 1.0}),
        ("unparsed", "I see a fish.", "dog", {"accuracy": 0.0}),
        ("ok", "dog", "cat", {"accuracy": 0.0}),
        ("error", None, "dog", {}),
    ]


def test_the_scorer_stands_in_the_record_and_is_asked_once(folder: Path) -> None:
    path = predict({n: WORDS[n % 3] for n in range(COUNT)})
    without = score("captions.yaml", path)
    assert (values(without)["clipscore"], without.record.scorer) == (None, None)
    assert without.record.notes[1:] == ("clipscore and ref_clipscore are -: no scorer was given (--scorer)",)
    second = fakes.Dual("the second")
    made = score("captions.yaml", path, scorer=second, store="s.sqlite")
    assert made.record.scorer == {"model": "Dual", "fingerprint": "the second"}
    assert (values(made)["clipscore"] is not None, values(made)["cider"]) == (True, values(without)["cider"])
    assert made.record.asked == second.asked == COUNT - 1 + 3
    again = fakes.Dual("the second")
    warm = score("captions.yaml", path, scorer=again, store="s.sqlite")
    assert (again.asked, warm.record.asked, warm.record.remembered) == (0, 0, second.asked)
    assert values(warm) == values(made)
    with pytest.raises(UsageError, match="the scorer Writer has no embed_images and no embed_texts"):
        score("captions.yaml", path, scorer=fakes.Writer(), store="s.sqlite")
    text = score("text-captions.yaml", path, scorer=second, store="s.sqlite")
    assert text.record.notes == ("clipscore and ref_clipscore are -: the data has no pictures",)


def test_what_cannot_be_scored_says_why(folder: Path) -> None:
    path = predict({0: "x"})
    with pytest.raises(UsageError, match="cannot be scored for retrieval, which ranks whole galleries"):
        score("search.yaml", path)
    with pytest.raises(UsageError, match="there is no file nowhere.yaml"):
        score("nowhere.yaml", path)
    with pytest.raises(DataError, match="nowhere.jsonl cannot be read"):
        score("animals.yaml", "nowhere.jsonl")


LAZY = """
import sys
import mmbench
from mmbench.harness.run.predictions import score
made = score("animals.yaml", "theirs.jsonl", save="results")
assert made.exit_code == 0
print([name for name in ("torch", "open_clip", "pandas", "scipy", "sklearn", "datasets") if name in sys.modules])
"""


def test_scoring_loads_nothing_heavy(folder: Path) -> None:
    predict({n: "cat" for n in range(COUNT)})
    done = subprocess.run([sys.executable, "-c", LAZY], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
