"""The commands as people and CI jobs meet them: what stands on which stream, and with which exit status."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmbench.harness import registry
from mmbench.harness.cli.app import main
from mmbench.harness.tasks.listing import TERMS

ROW = ["model", "task", "version", "family", "metric", "value", "low", "high", "n", "coverage", "bounds", "chance"]
ROW += ["primary", "route", "control", "protocol", "partial", "few_clusters"]

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: photos of two classes, and a task over them in each kind of source."""
    rows = []
    for i, label in enumerate(["cat", "dog"] * 3):
        file = tmp_path / "photos" / label / f"{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("RGB", (5, 4), (40 * i, 10, 0)).save(file)
        rows.append({"image": f"photos/{label}/{i}.png", "label": label})
    (tmp_path / "t.csv").write_text("image,label\n" + "".join("{image},{label}\n".format(**row) for row in rows))
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns = {name: [row[name] for row in rows] for name in ("image", "label")}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    for kind, path in (("folder", "photos"), ("csv", "t.csv"), ("jsonl", "t.jsonl"), ("parquet", "t.parquet")):
        text = f"name: my-{kind}\nfamily: zero-shot-classification\nsource: {{kind: {kind}, path: {path}}}\n"
        (tmp_path / f"{kind}.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("COLUMNS", raising=False)
    return tmp_path


@pytest.fixture
def call(photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs a command in this process and returns its exit status and both streams."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mmbench", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as done:
            main()
        out, err = capsys.readouterr()
        code = done.value.code
        return (code if isinstance(code, int) else 0 if code is None else 1), out, err

    return run


def sentence(err: str) -> str:
    """The one line of an error."""
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("mmbench: ")
    return lines[0].removeprefix("mmbench: ")


def one(call: Call, *more: str) -> tuple[int, str, str]:
    return call("run", "--model", "chance", "--task", "folder.yaml", *more)


# run


@pytest.mark.parametrize("kind", ["folder", "csv", "jsonl", "parquet"])
def test_own_photos(call: Call, photos: Path, kind: str) -> None:
    code, out, err = call("run", "--model", "chance", "--task", f"{kind}.yaml", "--format", "json")
    assert code == 0
    rows = json.loads(out)
    assert [(row["model"], row["task"], row["metric"], row["n"]) for row in rows] == [
        ("chance", f"my-{kind}", "accuracy", 6),
        ("chance", f"my-{kind}", "mean_per_class_recall", 6),
    ]
    assert all(sorted(row) == sorted(ROW) for row in rows)
    assert f"done chance · my-{kind}@1: 8 asked" in err
    files = sorted(path.suffix for path in (photos / "results" / "runs" / "chance").iterdir())
    assert files == [".json", ".parquet"]
    assert (photos / "home" / "store.sqlite").is_file()


def test_the_same_photos_are_asked_once(call: Call) -> None:
    code, _, err = call("run", "--model", "chance", "--task", "folder.yaml", "--task", "csv.yaml", "--task", "csv.yaml")
    assert code == 0
    assert "my-folder@1: 8 asked" in err
    assert err.count("my-csv@1: 0 asked, 8 remembered") == 1


def test_json_alone_on_standard_output(photos: Path) -> None:
    command = [sys.executable, "-m", "mmbench", "run", "--model", "chance", "--task", "csv.yaml", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=photos, check=False)
    assert done.returncode == 0
    assert len(json.loads(done.stdout)) == 2
    assert done.stdout.count("\n") == 1
    assert "done chance" in done.stderr
    assert "NaN" not in done.stdout


def test_table_for_a_person(call: Call) -> None:
    code, out, err = one(call)
    assert code == 0
    lines = [line.rstrip() for line in out.splitlines()]
    assert lines[0] == "Scores, route embed"
    assert lines[2].split() == ["task", "and", "metric", "model", "score", "95", "%", "interval", "chance", "n"]
    assert lines[4].strip() == "my-folder@1"
    assert lines[5].split()[:2] == ["accuracy", "chance"]
    assert lines[5].split()[-2:] == ["0.500", "6"]
    assert "Next: mmbench leaderboard --output results" in err


def test_tables_fit_and_fold_no_number(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in (80, 140):  # in one test, so that the digits are asked once
        monkeypatch.setenv("COLUMNS", str(columns))
        tables = [
            call("run", "--model", "chance", "--model", "chance:1", "--task", "digits")[1],
            call("leaderboard")[1],
        ]
        tables += [call("list", what)[1] for what in ("models", "tasks", "suites", "metrics")]
        tables += [
            call("store", "info")[1].partition("\n")[2],
            call("run", "--dry-run", "--suite", "perception-mini")[1].partition("\ninputs: ")[0],
        ]
        for table in tables:
            lines = [line for line in table.splitlines() if not line.startswith(("score: ", "time unknown"))]
            assert max(map(len, lines)) <= columns, columns
            assert not any("…" in line.replace(" … ", "").replace(":…", "") for line in lines), "nothing is cut off"
        assert "mean_per_class_recall" in tables[0], columns
        assert "0.100  1,797" in tables[0], columns
        assert "openclip-convnext-base-laion2b" in tables[2], columns


def test_an_unreadable_picture(call: Call, photos: Path) -> None:
    (photos / "photos" / "cat" / "0.png").write_bytes(b"nothing")
    code, out, err = one(call, "--format", "json")
    assert code == 1
    first = json.loads(out)[0]
    assert (first["n"], round(first["coverage"], 4)) == (5, 0.8333)
    assert first["bounds"][0] < first["value"] < first["bounds"][1] or first["value"] in (0.0, 1.0)
    assert "warning 1 item could not be scored" in err
    code, out, _ = one(call)
    assert code == 1
    assert "83.3%" in out


def test_a_task_that_fails_leaves_the_others(call: Call, photos: Path) -> None:
    (photos / "t.csv").write_text("image,label\nphotos/cat/0.png,cat\nphotos/dog/1.png,cow\n")
    with (photos / "csv.yaml").open("a") as file:
        file.write("classes: [cat, dog]\n")
    code, out, err = call("run", "--model", "chance", "--task", "csv.yaml", "--task", "folder.yaml", "--format", "json")
    assert code == 1
    rows = json.loads(out)
    assert {row["task"] for row in rows if row["value"] is not None} == {"my-folder"}
    (reason,) = {row["reason"] for row in rows if row["task"] == "my-csv"}
    assert reason.startswith("t.csv line 3: 'cow' is neither one of the 2 class names")
    assert "failed chance · my-csv@1: t.csv line 3: 'cow' is neither one of the 2 class names" in err


UNABLE = "class Sees:\n    fingerprint = 'sees'\n    def embed_images(self, images): ...\n"


def test_what_a_model_cannot_be_asked_has_rows_without_a_value(call: Call, photos: Path) -> None:
    (photos / "cli_sees.py").write_text(UNABLE)
    code, out, err = call("run", "--model", "cli_sees.py:Sees", "--task", "folder.yaml", "--format", "json")
    assert code == 1, "it was scored on nothing at all"
    assert [(row["value"], row["route"], row["n"]) for row in json.loads(out)] == [(None, None, 0)] * 2
    assert all(sorted(row) == sorted([*ROW, "reason"]) for row in json.loads(out))
    assert "- Sees · my-folder@1: choose needs embed_texts or score_texts or generate; Sees has none" in err


def test_limit_is_partial_and_never_ranked(call: Call, photos: Path) -> None:
    assert one(call, "--limit", "4")[0] == 0
    code, out, _ = call("leaderboard", "--format", "json")
    assert (code, {row["partial"] for row in json.loads(out)}) == (0, {True})
    assert "apart: chance on my-folder@1 (only part of its items)" in call("leaderboard")[1]
    assert one(call)[0] == 0
    assert "first 3 items" in one(call, "--limit", "3")[1]
    rows = json.loads(call("leaderboard", "--format", "json")[1])
    assert sorted((row["partial"], row["n"]) for row in rows if row["primary"]) == [(False, 6), (True, 3), (True, 4)]
    assert "1  chance" in call("leaderboard")[1]


def test_route(call: Call) -> None:
    for route in ("embed", "likelihood", "generate"):
        rows = json.loads(one(call, "--route", route, "--format", "json")[1])
        assert {row["route"] for row in rows} == {route}


def test_mixed_routes_are_a_column(call: Call, photos: Path) -> None:
    (photos / "written.yaml").write_text(
        (photos / "csv.yaml").read_text().replace("my-csv", "written") + "routes: [generate]\n"
    )
    code, out, _ = call("run", "--model", "chance", "--task", "folder.yaml", "--task", "written.yaml")
    assert code == 0
    assert [line.split()[-1] for line in out.splitlines() if " chance " in line] == [
        "route",
        *["embed"] * 2,
        *["generate"] * 2,
    ]


def test_name(call: Call, photos: Path) -> None:
    assert one(call, "--name", "yesterday")[0] == 0
    assert (photos / "results" / "runs" / "yesterday").is_dir()


def test_dry_run_asks_nothing(call: Call, photos: Path) -> None:
    code, out, err = one(call, "--dry-run", "--format", "json")
    assert (code, err) == (0, "")
    assert json.loads(out) == [
        {
            "model": "chance",
            "task": "my-folder@1",
            "control": None,
            "items": 6,
            "inputs": 8,
            "remembered": 0,
            "seconds": None,
            "download": 0,
            "unsupported": None,
        }
    ]
    assert not (photos / "results").exists()
    assert one(call)[0] == 0
    (again,) = json.loads(one(call, "--dry-run", "--format", "json")[1])
    assert (again["inputs"], again["remembered"], again["seconds"]) == (8, 8, 0.0)
    assert "Dry run: nothing was asked" in one(call, "--dry-run")[1]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--task", "folder.yml"], "there is no file folder.yml"),
        (["--task", "digit"], "there is no task 'digit'; did you mean 'digits'?"),
        (["--suite", "digist"], "there is no suite 'digist'; did you mean 'digits'?"),
        (["--model", "chanse"], "there is no model 'chanse'; did you mean 'chance'?"),
        (["--task", "bad.yaml"], "bad.yaml line 4: the data has no column 'lable'; did you mean 'label'?"),
        (["--batch-size", "0"], "--batch-size must be 'auto' or a whole number from 1, not '0'"),
        (["--controls", "blind,shufled"], "there is no control 'shufled'; did you mean 'shuffled'?"),
        (["--seed", "-1"], "the seed must be at least 0, not -1"),
        (["--scorer", "chanse"], "there is no model 'chanse'; did you mean 'chance'?"),
        (["--scorer", "cli_ok.py:Mine"], "the scorer Mine has no embed_texts; it must embed both"),
        (["--name", "a/b"], "--name 'a/b' cannot name a folder of results; 'a-b' can"),
        (["--model", "none.py:Mine"], "there is no file none.py"),
        (["--model", "cli_bad.py:Mine"], "cli_bad.py cannot be imported (ImportError: no such thing)"),
        (["--model", "cli_ok.py:Mime"], "cli_ok.py has no class 'Mime'; did you mean 'Mine'?"),
        (["--model", "cli_ok.py:Args"], "cli_ok.py:Args must be constructible without arguments"),
        (["--model", "cli_ok.py:Nameless"], "cli_ok.py:Nameless has no 'fingerprint: str'"),
    ],
)
def test_bad_usage_is_one_sentence(call: Call, photos: Path, arguments: list[str], expected: str) -> None:
    (photos / "bad.yaml").write_text((photos / "csv.yaml").read_text() + "fields: {label: lable}\n")
    (photos / "cli_bad.py").write_text("raise ImportError('no such thing')\n")
    (photos / "cli_ok.py").write_text(
        "class Mine:\n    fingerprint = 'm'\n    def embed_images(self, images): ...\n"
        "class Args(Mine):\n    def __init__(self, size): ...\n"
        "class Nameless:\n    def embed_images(self, images): ...\n"
    )
    defaults = [] if "--model" in arguments else ["--model", "chance"]
    code, out, err = call("run", *defaults, *arguments)
    assert (code, out) == (2, "")
    assert expected in sentence(err)
    assert not (photos / "results").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--limit", "0"],
        ["run", "--route", "guess"],
        ["run", "--format", "xml"],
        ["run", "--modl", "x"],
        ["list"],
        ["list", "things"],
        ["leaderbord"],
    ],
)
def test_what_the_parser_refuses(call: Call, arguments: list[str]) -> None:
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert "Error" in err
    assert "Traceback" not in err


def test_debug_shows_where(photos: Path) -> None:
    command = [sys.executable, "-m", "mmbench", "run", "--model", "chance", "--task", "digit"]
    plain = subprocess.run(command, capture_output=True, text=True, cwd=photos, check=False)
    assert (plain.returncode, "Traceback" in plain.stderr) == (2, False)
    debug = subprocess.run([*command, "--debug"], capture_output=True, text=True, cwd=photos, check=False)
    assert debug.returncode != 0
    assert "Traceback" in debug.stderr
    assert "UsageError: there is no task 'digit'" in debug.stderr


# controls


def test_controls(call: Call, photos: Path) -> None:
    (photos / "search.yaml").write_text(
        "name: search\nfamily: retrieval\nsource: {kind: csv, path: t.csv}\nfields: {captions: label}\n"
    )
    arguments = ("run", "--model", "chance", "--task", "csv.yaml", "--task", "search.yaml")
    code, out, err = call(*arguments, "--controls", "shuffled,blind", "--format", "json")
    assert code == 0
    rows = json.loads(out)
    assert all(sorted(row) == sorted([*ROW, *["reason"] * (row["value"] is None)]) for row in rows)
    first = [(row["task"], row["control"], row["n"]) for row in rows if row["primary"]]
    assert sorted(first, key=repr) == sorted(
        [
            *[("my-csv", control, 6) for control in (None, "blind", "shuffled")],
            ("search", None, 6),
            *[("search", control, 0) for control in ("blind", "shuffled")],
        ],
        key=repr,
    )
    assert len({row["protocol"] for row in rows if row["task"] == "my-csv"}) == 1
    assert "done chance · my-csv@1 (blind): 1 asked, 2 remembered" in err
    assert "done chance · my-csv@1 (shuffled): 0 asked, 8 remembered" in err
    assert "- chance · search@1 (blind): a control has no meaning for retrieval" in err
    assert len(list((photos / "results" / "runs" / "chance").glob("my-csv@1-*.json"))) == 3

    code, out, _ = call(*arguments, "--controls", "blind")
    assert code == 0
    assert "chance (blind)" in out
    ranked = json.loads(call("leaderboard", "--format", "json")[1])
    assert {row["control"] for row in ranked} == {None}
    assert call("leaderboard", "--format", "csv")[1].count("\n") == 2, "one header, one model"


def test_controls_in_a_dry_run(call: Call) -> None:
    code, out, _ = one(call, "--controls", "blind,shuffled", "--dry-run", "--format", "json")
    assert code == 0
    plans = [(plan["control"], plan["inputs"], plan["remembered"]) for plan in json.loads(out)]
    assert plans == [(None, 8, 0), ("blind", 3, 2), ("shuffled", 8, 8)], (
        "prompts, and the pictures themselves, are known"
    )
    assert "my-folder@1 (shuffled)" in one(call, "--controls", "shuffled", "--dry-run")[1]


# probes


DIGITS = "name: few\nfamily: probe\nsource: {kind: builtin, path: sklearn-digits}\nclasses: digits\nshots: [1, 2]\n"


def learn(photos: Path, *more: str) -> tuple[str, ...]:
    """A probe over real digits, and the command that asks it."""
    (photos / "few.yaml").write_text(DIGITS + "".join(f"{line}\n" for line in more))
    return ("run", "--task", "few.yaml", "--model")


def test_a_probe_of_pixels(call: Call, photos: Path) -> None:
    task = learn(photos, "method: prototype", "seeds: 3")
    code, out, err = call(*task, "pixels", "--limit", "600", "--format", "json")
    assert code == 0
    assert "note 0-shot is -: prototypes need embed_texts; pixels has none" in err
    rows = {row["metric"]: row for row in json.loads(out)}
    assert all(sorted(row) == sorted(ROW) for row in rows.values())
    assert rows["full/accuracy"]["value"] > rows["2-shot/accuracy"]["value"] > 0.5
    assert rows["2-shot/accuracy"]["low"] < rows["2-shot/accuracy"]["value"] < rows["2-shot/accuracy"]["high"]
    assert rows["0-shot/accuracy"]["value"] is None
    (path,) = (photos / "results").rglob("*.json")
    details = json.loads(path.read_text())["details"]
    assert set(details) == {"episodes", "chosen", "curve"}
    code, out, _ = call(*task, "pixels", "--limit", "600")
    assert (code, "2-shot/accuracy" in out) == (0, True)
    assert json.loads(path.read_text())["asked"] == 0
    assert json.loads(path.read_text())["details"] == details


def test_a_dry_run_of_a_probe(call: Call, photos: Path) -> None:
    code, out, _ = call(*learn(photos, "method: knn"), "pixels", "--limit", "300", "--dry-run", "--format", "json")
    assert code == 0
    (plan,) = json.loads(out)
    assert (plan["items"], plan["inputs"], plan["remembered"], plan["unsupported"]) == (300, 300, 0, None)


def test_a_probe_has_too_few_examples(call: Call, photos: Path) -> None:
    code, _, err = call(*learn(photos, "method: prototype"), "pixels", "--limit", "20")
    assert code == 2
    assert "class 'zero' has 1 training items, and 2 are needed; ask fewer shots or add items" in err


@pytest.mark.slow
def test_prompt_learning_tells_its_time_and_keeps_what_it_learnt(call: Call, photos: Path) -> None:
    pytest.importorskip("open_clip")
    task = (*learn(photos, "method: coop", "seeds: 1"), "untrained-tiny", "--limit", "60")
    code, _, err = call(*task, "--max-minutes", "0")
    assert code == 2
    told, _, refused = err.partition("failed untrained-tiny · few@1: prompt learning would take about")
    assert "prompts to learn: 2, about" in told
    assert "over --max-minutes 0; allow more, or ask fewer shots or seeds" in refused
    assert not [*(photos / "results").rglob("*.parquet")]
    code, out, err = call(*task, "--format", "json")
    assert code == 0
    assert "2 asked" in err, "the pictures and class names are remembered"
    first = json.loads(out)
    code, out, err = call(*task, "--max-minutes", "0", "--format", "json")
    assert (code, json.loads(out)) == (0, first)
    assert "0 asked" in err
    assert "prompts to learn" not in err


@pytest.mark.slow
def test_digits_probe(call: Call, photos: Path) -> None:
    """The task of the catalogue with two seeds, on a part of the digits: a few shots beat one, all beat a few."""
    file = registry.files(registry.TASKS)["digits-probe"]
    Path("fewer.yaml").write_text(file.read_text(encoding="utf-8") + "seeds: 2\n", encoding="utf-8")
    code, out, _ = call("run", "--model", "pixels:4", "--task", "fewer.yaml", "--limit", "320", "--format", "json")
    assert code == 0
    values = {row["metric"]: row["value"] for row in json.loads(out)}
    assert values["full/accuracy"] > values["4-shot/accuracy"] > values["1-shot/accuracy"] > 0.4
    assert values["full/accuracy"] > 0.8


def test_recorded_predictions_of_a_probe_are_refused(call: Call, photos: Path) -> None:
    (photos / "theirs.jsonl").write_text('{"id": "0", "prediction": "zero"}\n')
    code, out, err = call("score", "digits-probe", "theirs.jsonl")
    assert (code, out) == (2, "")
    assert sentence(err) == "digits-probe@1: recorded predictions hold no features"


# score


def predict(photos: Path, *lines: str, name: str = "theirs.jsonl") -> str:
    (photos / name).write_text("".join(line + "\n" for line in lines))
    return name


ALL = [json.dumps({"id": n, "prediction": ["cat", "dog"][n % 2]}) for n in range(6)]


def test_score(call: Call, photos: Path) -> None:
    code, out, err = call("score", "csv.yaml", predict(photos, *ALL), "--format", "json")
    assert (code, err) == (0, "")
    rows = json.loads(out)
    assert all(sorted(row) == sorted(ROW) for row in rows)
    assert [(row["model"], row["metric"], row["value"], row["route"], row["control"]) for row in rows] == [
        ("theirs", "accuracy", 1.0, "recorded", None),
        ("theirs", "mean_per_class_recall", 1.0, "recorded", None),
    ]
    assert not (photos / "results").exists()
    assert not (photos / "home").exists(), "no model, no store"
    code, out, err = call("score", "csv.yaml", predict(photos, *ALL))
    assert (code, err) == (0, "")
    assert out.startswith("my-csv@1: theirs")


def test_score_saves_and_is_ranked(call: Call, photos: Path) -> None:
    path = predict(photos, *ALL)
    assert call("score", "csv.yaml", path, "--name", "gpt", "--save", "out", "--items", "items.jsonl")[0] == 0
    assert call("run", "--model", "chance", "--task", "csv.yaml", "--output", "out")[0] == 0
    board = call("leaderboard", "--output", "out")[1]
    assert "1  gpt" in board
    assert "(recorded)" in board
    items = [json.loads(line) for line in (photos / "items.jsonl").read_text().splitlines()]
    assert items[0] == {
        "id": "0",
        "status": "ok",
        "prediction": "cat",
        "target": "cat",
        "values": {"accuracy": 1.0},
        "facts": {},
        "reply": "cat",
        "reason": None,
        "prompt": None,
    }


def test_score_names_what_is_wrong(call: Call, photos: Path) -> None:
    lines = [
        *ALL[:2],
        ALL[3],
        '{"id": 3, "prediction": "cat"}',
        '{"id": "x", "prediction": 0}',
        '{"id": 5, "prediction": 7}',
    ]
    code, out, err = call("score", "csv.yaml", predict(photos, *lines))
    assert code == 1
    assert err.splitlines() == [
        "warning: 2 ids of the task without a prediction: 2, 4",
        "warning: 1 id in the file that the task does not have, passed over: x",
        "warning: 1 id given more than once: 3",
        "warning: 4 items could not be scored; the first: item 2 has no prediction",
    ]
    assert "33.3%" in out
    many = [json.dumps({"id": f"more {n}", "prediction": "cat"}) for n in range(25)]
    err = call("score", "csv.yaml", predict(photos, *ALL, *many))[2]
    assert "25 ids in the file" in err
    assert "more 9 and 15 more" in err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["csv.yaml", "nowhere.jsonl"], "predictions file nowhere.jsonl does not exist; predictions are JSON lines"),
        (["csv.yaml", "photos"], "predictions file photos does not exist"),
        (["digit", "p.jsonl"], "there is no task 'digit'; did you mean 'digits'?"),
        (["csv.yaml", "bad.jsonl"], "bad.jsonl line 2 is not JSON (NaN is no JSON number; write null"),
        (["csv.yaml", "p.jsonl", "--name", "../up"], "--name '../up' cannot name a folder of results; 'up' can"),
        (["csv.yaml", "p.jsonl", "--scorer", "chanse"], "there is no model 'chanse'"),
    ],
)
def test_bad_usage_of_score(call: Call, photos: Path, arguments: list[str], expected: str) -> None:
    predict(photos, *ALL, name="p.jsonl")
    predict(photos, ALL[0], '{"id": 1, "prediction": NaN}', name="bad.jsonl")
    code, out, err = call("score", *arguments, "--save", "results", "--items", "items.jsonl")
    assert (code, out) == (2, "")
    assert expected in sentence(err)
    assert not (photos / "results").exists()
    assert not (photos / "items.jsonl").exists()


WARM = """
import sys
sys.argv = ["mmbench", *{arguments!r}]
from mmbench.harness.cli.app import main
try:
    main()
finally:
    print([name for name in ("torch", "pandas", "scipy", "sklearn") if name in sys.modules], file=sys.stderr)
"""


def test_a_warm_run_with_controls_and_a_score_load_nothing_heavy(call: Call, photos: Path) -> None:
    arguments = ["run", "--model", "chance", "--task", "csv.yaml", "--controls", "blind,shuffled", "--format", "json"]
    call(*arguments)
    for given in (arguments, ["score", "csv.yaml", predict(photos, *ALL)]):
        code = WARM.format(arguments=given)
        done = subprocess.run([sys.executable, "-c", code], cwd=photos, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "[]")


# leaderboard


def test_leaderboard_formats(call: Call) -> None:
    call("run", "--model", "chance", "--model", "chance:1", "--task", "folder.yaml", "--task", "csv.yaml")
    code, out, err = call("leaderboard")
    assert (code, err) == (0, "")
    assert out.startswith("Leaderboard: all tasks")
    assert "score: mean over tasks of (value - chance) / (best - chance); ±: half the 95 % interval" in out
    assert len(json.loads(call("leaderboard", "--format", "json")[1])) == 8
    assert call("leaderboard", "--format", "csv")[1].startswith("rank,model,score,score low,score high,")
    assert call("leaderboard", "--format", "markdown")[1].startswith("| # | model | score | 95 % interval |")
    assert call("leaderboard", "--format", "html")[1].startswith("<!doctype html>")
    assert call("leaderboard", "--same-route")[0] == 0


def test_leaderboard_of_a_suite(call: Call, photos: Path) -> None:
    (photos / "suite.yaml").write_text("name: mine\ntasks: [csv.yaml, folder.yaml]\n")
    assert call("run", "--model", "chance", "--suite", "suite.yaml")[0] == 0
    code, out, _ = call("leaderboard", "--suite", "suite.yaml", "--format", "csv")
    assert code == 0
    assert out.splitlines()[1].startswith("1,chance,")
    assert call("leaderboard", "--suite", "digits", "--format", "csv")[1] == "rank,model,score\n"


def test_leaderboard_names_a_damaged_record(call: Call, photos: Path) -> None:
    one(call)
    (photos / "results" / "runs" / "chance" / "bad.json").write_text("{")
    code, out, err = call("leaderboard")
    assert code == 1
    assert "chance" in out
    assert "warning: results/runs/chance/bad.json is not a readable record" in err
    assert err.count("\n") == 1


def test_leaderboard_without_records(call: Call, photos: Path) -> None:
    code, out, err = call("leaderboard")
    assert (code, out) == (2, "")
    assert sentence(err) == "results folder results does not exist; make one with: mmbench run --output results"
    (photos / "results").mkdir()
    code, _, err = call("leaderboard")
    assert (code, sentence(err)) == (
        2,
        "results folder results has no records; make one with: mmbench run --output results",
    )


# list


@pytest.mark.parametrize(
    ("what", "keys", "name"),
    [
        ("models", ["name", "spec", "download_mb", "description"], "clip-vitb32"),
        ("tasks", ["name", "family", "dimension", "title", *TERMS, "prompts"], "digits@1"),
        ("suites", ["name", "tasks", "title"], "digits@1"),
        ("metrics", ["family", "metric", "range", "better", "description"], "image_to_text/recall@5"),
    ],
)
def test_list(call: Call, what: str, keys: list[str], name: str) -> None:
    code, out, err = call("list", what, "--format", "json")
    assert (code, err) == (0, "")
    rows: list[dict[str, Any]] = json.loads(out)
    assert all(list(row) == keys for row in rows)
    assert name in [row.get("name", row.get("metric")) for row in rows]
    code, out, err = call("list", what)
    assert (code, err) == (0, "")
    assert name in out


# store


def test_store_info_and_prune(call: Call, photos: Path) -> None:
    store = photos / "home" / "store.sqlite"
    code, out, _ = call("store", "info", "--format", "json")
    assert (code, json.loads(out)) == (0, {"path": str(store), "bytes": 0, "models": []})
    assert not store.exists(), "to look makes nothing"
    call("run", "--model", "chance", "--model", "chance:1", "--task", "folder.yaml")
    held = json.loads(call("store", "info", "--format", "json")[1])
    assert held["bytes"] == store.stat().st_size
    assert sorted((model["name"], model["answers"]) for model in held["models"]) == [("chance", 8), ("chance-1", 8)]
    assert sorted(held["models"][0]) == sorted(
        ["answers", "bytes", "damaged", "fingerprint", "labels", "name", "unchecked", "used"]
    )
    assert "chance-1" in call("store", "info")[1]
    code, _, err = call("store", "prune", "--model", "chanse")
    assert (code, sentence(err)) == (2, "store has no answers of 'chanse'; did you mean 'chance'?")
    assert call("store", "prune", "--model", "chance")[:2] == (0, "removed 8 answers of 1 model\n")
    assert [model["name"] for model in json.loads(call("store", "info", "--format", "json")[1])["models"]] == [
        "chance-1"
    ]
    assert call("store", "prune", "--yes")[:2] == (0, "removed 8 answers of 1 model\n")
    assert json.loads(call("store", "info", "--format", "json")[1])["models"] == []


@pytest.mark.parametrize(
    ("typed", "status", "left"), [("y\n", 0, 0), ("yes\n", 0, 0), ("n\n", 0, 1), ("\n", 0, 1), ("", 2, 1)]
)
def test_to_prune_every_model_is_asked_first(
    call: Call, photos: Path, monkeypatch: pytest.MonkeyPatch, typed: str, status: int, left: int
) -> None:
    one(call)
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    code, out, err = call("store", "prune")
    assert code == status
    assert "Remove all 8 answers of 1 model? [y/N] " in err
    assert out == ("removed 8 answers of 1 model\n" if not left else "" if status else "nothing was removed\n")
    assert len(json.loads(call("store", "info", "--format", "json")[1])["models"]) == left


def test_the_store_knows_every_label_of_a_model(call: Call, photos: Path) -> None:
    for name in ("first", "second", "first", "third"):
        assert one(call, "--name", name)[0] == 0
    (model,) = json.loads(call("store", "info", "--format", "json")[1])["models"]
    assert (model["name"], model["labels"], model["answers"]) == ("third", ["third", "first", "second"], 8)
    assert "third (before: first, second)" in call("store", "info")[1]
    code, _, err = call("store", "prune", "--model", "secnd")
    assert (code, sentence(err)) == (2, "store has no answers of 'secnd'; did you mean 'second'?")
    assert call("store", "prune", "--model", "first")[1] == "removed 8 answers of 1 model, now called third\n"
    assert call("store", "prune")[1] == "removed 0 answers of 0 models\n", "nothing is there to be asked about"


def test_store_of_its_own(call: Call, photos: Path) -> None:
    one(call, "--store", "own.sqlite")
    assert (
        json.loads(call("store", "info", "--store", "own.sqlite", "--format", "json")[1])["models"][0]["answers"] == 8
    )
    code, _, err = call("store", "prune", "--store", "typo.sqlite")
    assert (code, sentence(err)) == (2, "store typo.sqlite does not exist")
    assert not (photos / "typo.sqlite").exists()
    assert not (photos / "home").exists()
    (photos / "text.sqlite").write_text("this is no data base, and long enough to be taken for none" * 20)
    code, _, err = call("store", "info", "--store", "text.sqlite")
    assert code == 2
    assert "text.sqlite" in sentence(err)


def test_a_strange_width_is_passed_over(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "wide")
    assert call("list", "suites")[0] == 0


def test_environment_is_left_alone(photos: Path) -> None:
    command = [sys.executable, "-m", "mmbench", "run", "--model", "chance", "--task", "folder.yaml"]
    home = photos / "elsewhere"
    environment = {**os.environ, "XDG_CACHE_HOME": str(home)}
    environment.pop("MMBENCH_HOME")
    assert subprocess.run(command, cwd=photos, env=environment, capture_output=True, check=False).returncode == 0
    assert (home / "mmbench" / "store.sqlite").is_file()
