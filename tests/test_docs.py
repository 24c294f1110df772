"""What the documentation shows runs, and what it lists is what there is."""

import inspect
import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import PIL.Image
import PIL.ImageDraw
import pyarrow.parquet as pq
import pytest
import typer
import yaml

from mmbench import metrics
from mmbench.benchmarks.metrics.vqa import normalise
from mmbench.harness import registry
from mmbench.harness.ask.controls import CONTROLS
from mmbench.harness.ask.wording import Likelihood
from mmbench.harness.board.results import load
from mmbench.harness.cli.app import app
from mmbench.harness.diagnose.diagnose import diagnose
from mmbench.harness.diagnose.figures import KINDS
from mmbench.harness.errors import DataError
from mmbench.harness.media.corruptions.table import CORRUPTIONS, NOT_PROVIDED
from mmbench.harness.media.samplers import SAMPLERS
from mmbench.harness.replies.boxes import CONVENTIONS
from mmbench.harness.replies.match import match_option
from mmbench.harness.run.predictions import score
from mmbench.harness.run.run import run
from mmbench.harness.statistics.bootstrap import RESAMPLES
from mmbench.harness.tasks.card import Card
from mmbench.harness.tasks.family import Family
from mmbench.harness.tasks.listing import list_metrics
from mmbench.harness.tasks.task_file import TaskSpec, load_task
from tests.builders import BASELINES

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"^```(\S*) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sections(page: str) -> dict[str, str]:
    """The text below each second-level heading."""
    parts = re.split(r"^## (.+)\n", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def blocks(text: str, kind: str) -> list[str]:
    return [body for found, _, body in BLOCK.findall(text) if found == kind]


def table(text: str, header: str) -> list[list[str]]:
    """The cells of every row of every table whose first column has this header."""
    rows: list[list[str]] = []
    for part in re.findall(rf"^\| {header} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE):
        rows += [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in part.splitlines()]
    return rows


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with a store of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))
    return tmp_path


# tasks.md


def write(text: str) -> list[Path]:
    """Write the files of a section and the pictures they speak of; return its YAML files."""
    written = []
    for kind, name, body in BLOCK.findall(text):
        if kind in ("yaml", "python"):
            name = body.splitlines()[0].removeprefix("# ")
        if name:
            Path(name).write_text(body, encoding="utf-8")
        written += [Path(name)] if kind == "yaml" else []
        for i, picture in enumerate(sorted(set(re.findall(r"photos/[\w/]+\.jpg", body)))):
            Path(picture).parent.mkdir(parents=True, exist_ok=True)
            PIL.Image.new("RGB", (8, 6), (30 * i, 90, 20)).save(picture)
    return written


RECORDED = "Recorded predictions"
TASKS = [name for name, text in sections("tasks.md").items() if blocks(text, "yaml") and name != RECORDED]


@pytest.mark.parametrize("section", TASKS)
def test_task_examples_run(folder: Path, section: str) -> None:
    text = sections("tasks.md")[section]
    files = write(text)
    for code in blocks(text, "python"):
        exec(compile(code, section, "exec"), {})
    suites = [file for file in files if file.name.endswith(".suite.yaml")]
    tasks = [str(file) for file in files if file not in suites]
    # Without a scorer clipscore would have no value; which one does not matter here.
    made = run("chance", task=tasks, output="results", scorer="chance:1")
    made_by_suite = [run("chance", suite=str(file), output="results") for file in suites]
    for each in (made, *made_by_suite):
        assert [str(problem.error) for problem in each.problems] == []
        assert all(record.errors == 0 for record in each.records)
        assert all(score.value is not None for record in each.records for score in record.scores)
    assert len(made.records) == len(tasks)


def test_recorded_predictions_are_scored(folder: Path) -> None:
    files = write(sections("tasks.md")[RECORDED])
    for file in files:
        made = score(str(file), file.with_suffix(".predictions.jsonl"))
        assert (made.exit_code, made.missing, made.extra, made.repeated) == (0, [], [], [])
        assert made.rows()[0]["value"] > 0.5
    assert len(files) == 2


def test_there_are_examples_of_every_family_and_kind_of_source() -> None:
    text = (DOCS / "tasks.md").read_text(encoding="utf-8")
    tasks = [content for content in map(yaml.safe_load, blocks(text, "yaml")) if "source" in content]
    assert {content["family"] for content in tasks} == set(registry.entries(registry.FAMILIES))
    kinds = {content["source"]["kind"] for content in tasks}
    assert kinds | {"builtin", "hub"} == set(registry.entries(registry.SOURCES))  # the hub needs a network
    assert {row[0].strip("`") for row in table(text, "kind")} == set(registry.entries(registry.SOURCES))
    assert len(TASKS) >= 7


def test_the_csv_example_means_what_the_text_says(folder: Path) -> None:
    (path,) = write(sections("tasks.md")["A CSV"])
    task = load_task(path)
    assert [(sample.target, dict(sample.facts)) for sample in task.family.samples()] == [
        ((1,), {"where": "indoors"}),
        ((0,), {"where": "indoors"}),
        ((1,), {"where": "outdoors"}),
    ]
    assert [metric.name for metric in task.family.metrics] == ["mean_per_class_recall", "accuracy"]


def test_caption_layouts_are_the_same_task(folder: Path) -> None:
    files = write(sections("tasks.md")["Captions: retrieval"])
    found = [[(s.references, s.media[0].locator) for s in load_task(file).family.samples()] for file in files]
    assert found[0] == found[1] == found[2]
    assert found[0][0][0] == ("a red bus", "a bus in the rain")


def test_reference_lists_every_key() -> None:
    reference = sections("tasks.md")["Reference"]
    parts = re.split(r"^### (.+)\n", reference, flags=re.MULTILINE)
    named = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert [quoted(row[0])[0] for row in table(named["Keys that every task has"], "key")] == list(TaskSpec.model_fields)
    listed = quoted(named["card"])
    assert set(Card.model_fields) <= set(listed)
    for name in registry.entries(registry.FAMILIES):
        family: type[Family] = registry.find(registry.FAMILIES, name, "family")
        rows = {quoted(row[0])[0]: row for row in table(named[name], "key")}
        own = [f"fields.{field}" for field in family.fields] + list(family.Options.model_fields)
        assert set(rows) == {*own, "metrics", "routes"}
        assert tuple(quoted(rows["routes"][2])) == family.routes
        generic = {re.sub(r"@\d+", "@K", metric.name) for metric in family.known_metrics}
        assert set(quoted(rows["metrics"][1])) == generic


# metrics.md


@pytest.mark.parametrize("name", sorted(registry.entries(registry.FAMILIES)))
def test_every_metric_has_its_row(name: str) -> None:
    family: type[Family] = registry.find(registry.FAMILIES, name, "family")
    rows = {quoted(row[0])[0]: row for row in table(sections("metrics.md")[name], "metric")}

    def shape(metric: str) -> str:
        return re.sub(r":.+", ":NAME", re.sub(r"@\d+", "@K", metric))

    listed = {shape(each["metric"]): each for each in list_metrics() if each["family"] == name}
    corpus = {shape(metric.name) for metric in family.known_metrics if metric.aggregate}
    assert set(rows) == set(listed)
    for metric, (_, definition, ends, better, *_rest) in rows.items():
        assert (ends, better) == (listed[metric]["range"], listed[metric]["better"]), metric
        assert definition.startswith("corpus:") == (metric in corpus), metric


def test_families_say_what_is_in_their_protocol_ids(folder: Path) -> None:
    """By the keys of the task file that the id is made of."""
    shown = {}
    for section in [*TASKS, RECORDED]:
        text = sections("tasks.md")[section]
        files = write(text)
        for code in blocks(text, "python"):
            exec(compile(code, section, "exec"), {})
        for file in files:
            if not file.name.endswith(".suite.yaml"):
                family = load_task(file).family
                shown[family.name] = family
    for name, family in shown.items():
        said = sections("metrics.md")[name].split("|")[0]
        keys = set(family.Options.model_fields) & set(dict(family.protocol()))
        assert keys <= {*quoted(said), *re.findall(r"\w+", said)}, name
    assert set(shown) == set(registry.entries(registry.FAMILIES))


@pytest.mark.parametrize("part", ["Examples with letters", "Examples of yes and no"])
def test_replies_come_to_what_the_page_says(part: str) -> None:
    _, _, text = sections("metrics.md")["Reply matching"].partition(f"### {part}\n")
    options = quoted(text.partition("|")[0])
    rows = table(text.partition("\n### ")[0], "reply")
    assert len(rows) >= 7
    for reply, said in rows:
        match = match_option(quoted(reply)[0], options, lettered="letters" in part)
        found = match.status if match.index is None else options[match.index]
        assert [found] == quoted(said), reply


def test_answers_are_normalised_as_the_page_says() -> None:
    stated = re.findall(r"`([^`]+)` → `([^`]+)`", sections("metrics.md")["vqa"])
    assert len(stated) >= 5
    assert {answer: normalise(answer) for answer, _ in stated} == dict(stated)


def test_every_way_to_compare_likelihoods_is_listed() -> None:
    listed = [quoted(row[0])[0] for row in table(sections("metrics.md")["Likelihood"], "value")]
    assert listed == list(get_args(Likelihood))


def test_every_control_is_listed() -> None:
    text = sections("metrics.md")["Controls"]
    assert re.findall(r"^- `([\w-]+)`:", text, re.MULTILINE) == list(CONTROLS)
    assert f"{RESAMPLES:,} resamples" in (DOCS / "metrics.md").read_text(encoding="utf-8")


def test_every_corruption_is_listed_with_its_strengths() -> None:
    text = sections("metrics.md")["Corruptions"]
    assert {name for name in NOT_PROVIDED if f"`{name}`" in text} == set(NOT_PROVIDED)
    rows = table(text, "corruption")
    assert [(quoted(row[0])[0], quoted(row[1])[0]) for row in rows] == [
        (name, kind.group) for name, kind in CORRUPTIONS.items()
    ]
    for row, kind in zip(rows, CORRUPTIONS.values(), strict=True):
        listed = [tuple(map(float, part.split())) for part in row[3].split(",")]
        assert listed == [each if isinstance(each, tuple) else (each,) for each in kind.strengths], row[0]


# cli.md


def commands() -> dict[str, Any]:
    """Every command of the app by its full name."""
    group: Any = typer.main.get_command(app)
    found = {}
    for name, command in group.commands.items():
        inner = getattr(command, "commands", None)
        if inner:
            found |= {f"mmbench {name} {sub}": each for sub, each in inner.items()}
        else:
            found[f"mmbench {name}"] = command
    return found


def options(command: Any) -> dict[str, Any]:
    return {name: each for each in command.params for name in each.opts if name.startswith("--") and name != "--help"}


def test_every_command_has_its_section_with_its_options() -> None:
    pages = sections("cli.md")
    assert [name for name in pages if name.startswith("mmbench ")] == list(commands())
    for name, command in commands().items():
        assert [quoted(row[0])[0] for row in table(pages[name], "option")] == list(options(command)), name


@pytest.mark.parametrize("name", list(commands()))
def test_command_examples_use_options_that_exist(name: str) -> None:
    (block,) = blocks(sections("cli.md")[name], "sh")
    for line in block.splitlines():
        assert line.startswith(f"{name}"), line
        arguments = shlex.split(line)[len(name.split()) :]
        commands()[name].make_context(name, arguments)


def test_defaults_are_those_of_the_command() -> None:
    pages = sections("cli.md")
    for name, command in commands().items():
        known = options(command)
        for option, _, default in table(pages[name], "option"):
            stated = quoted(default)
            held = known[quoted(option)[0]].default
            if held and (isinstance(held, str | Path) or hasattr(held, "value")):
                assert stated == [str(getattr(held, "value", held))], (name, option)


# diagnose.md


def test_every_figure_of_a_diagnosis_is_explained_and_named_as_data(folder: Path) -> None:
    page = sections("diagnose.md")
    rows = {name: row for row in table(page["Figures"], "figure") for name in quoted(row[0])}
    assert set(rows) == set(KINDS)
    assert {name: row[2] for name, row in rows.items()} == {name: kind.better or "" for name, kind in KINDS.items()}
    made = diagnose("chance", "digits", limit=2)
    keys = {name for row in table(page["As data"], "key") for name in quoted(row[0])}
    assert keys | {"model", "task", "version"} == set(made.rows()[0])
    assert set(made.as_json()) <= set(quoted(page["As data"]))
    for code in (*blocks(page["As data"], "python"), *blocks(sections("python.md")["Diagnose"], "python")):
        exec(compile(code.replace("tiny-coca", "chance"), "diagnose.md", "exec"), {})


# adapters.md


def test_a_model_of_fifteen_lines_sees_colours(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks(sections("adapters.md")["In fifteen lines"], "python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    exec(compile(code, "adapters.md", "exec"), {})
    shown = re.findall(r"0\.\d+", capsys.readouterr().out)
    assert shown == re.findall(r"0\.\d+", code.partition("# ")[2]) == ["0.55", "0.1"]


def test_questions_are_answered_by_a_program_that_has_them_alone(
    folder: Path, command: Callable[..., tuple[int, str, str]]
) -> None:
    text = sections("adapters.md")["replay"]
    dry, replayed = (line.split()[1:] for line in re.findall(r"^    (mmbench run .*)$", text, re.MULTILINE))
    small = {"perception": "perception-mini"}
    few = ("--limit", "8")
    assert command(*(small.get(word, word) for word in dry), *few)[0] == 0
    code, by_item = blocks(text, "python")
    exec(compile(code, "adapters.md", "exec"), {})
    exec(compile(by_item.replace("shape@1", "shape-mini@1"), "adapters.md", "exec"), {})
    placed = [json.loads(line) for line in Path("asked/by_item.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["items"][0]["id"], row["reply"]) for row in placed] == [("0", "A"), ("1", "C")]
    answers = [json.loads(line) for line in Path("asked/answers.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {len(answer["images"]) for answer in answers} == {1} and all(answer["items"] for answer in answers)
    _, out, _ = command(*(small.get(word, word) for word in replayed), *few, "--format", "json")
    replies = [row for row in json.loads(out) if row["primary"] and row["route"] == "generate"]
    assert len(replies) > 15
    assert {row["bounds"] is not None and row["n"] > 0 for row in replies} == {True}


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_another_program_is_a_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")
    (code,) = blocks(sections("adapters.md")["Another program"], "python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 30
    Path("reader.py").write_text(code, encoding="utf-8")
    made = run("reader.py:Tesseract", task="scenes-word", limit=2, output="results")
    assert made.records[0].errors == 0
    names: dict[str, Any] = {}
    exec(compile(code, "adapters.md", "exec"), names)
    reader = names["Tesseract"]()
    sign = PIL.Image.new("RGB", (60, 24), "white")
    PIL.ImageDraw.Draw(sign).text((6, 4), "fish", fill="black", font_size=14)
    assert "fish" in reader.generate([([reader.prepare_image(sign)], "")], None)[0]


# coming-from.md

ELSEWHERE = re.findall(r"`(mmbench [a-z][^`]*)`", (DOCS / "coming-from.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("line", ELSEWHERE)
def test_commands_for_users_of_other_tools_are_those_of_the_app(line: str) -> None:
    words = shlex.split(re.sub(r"<([^>]+)>", r"\1", line))
    name = " ".join(words[:2])
    needs = {"mmbench compare": ["a", "b"], "mmbench check": ["a", "--baseline", "b"], "mmbench show": ["a"]}
    given = words[2:] or needs.get(name, [])
    commands()[name].make_context(name, given)


def test_commands_for_users_of_other_tools_that_read_results_run(command: Callable[..., tuple[int, str, str]]) -> None:
    reading = [
        line for line in ELSEWHERE if line.startswith(("mmbench leaderboard", "mmbench list")) and "<" not in line
    ]
    assert len(reading) >= 4
    for line in reading:
        words = shlex.split(line)[1:]
        code, out, _ = command(*words, *(["--output", str(BASELINES)] if words[0] == "leaderboard" else []))
        assert (code, bool(out)) == (0, True), line


def mmlu(folder: Path) -> tuple[str, list[str]]:
    """A multiple-choice task of text alone, and the right letters."""
    right = ["A", "B", "B", "A"]
    rows = [
        {"question": f"Which, {i}?", "options": ["3", "None"], "target": "AB".index(r)} for i, r in enumerate(right)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    task = "name: text\nfamily: multiple-choice\nsource: {kind: jsonl, path: rows.jsonl}\n"
    (folder / "task.yaml").write_text(task, encoding="utf-8")
    return "task.yaml", right


OTHERS = blocks(sections("coming-from.md")["Predictions made elsewhere"], "python")
LMMS, VLMEVALKIT, LISTED = OTHERS
TEXTS = ["3", "None", "None", "3"]
"""The right options as texts, which tables take for a number and for nothing."""


def as_lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("code", "file", "written"),
    [
        (
            LMMS,
            "samples_task.jsonl",
            lambda r: as_lines(
                *({"doc_id": i, "doc": {}, "target": x, "resps": [[x]], "filtered_resps": [x]} for i, x in r)
            ),
        ),
        (
            LMMS,
            "samples_task.jsonl",
            lambda r: as_lines(*({"doc_id": i, "resps": [x], "filtered_resps": x} for i, x in r)),
        ),
        (
            LMMS,
            "samples_task.jsonl",
            lambda r: as_lines(*({"doc_id": i, "filtered_resps": [[f"The answer is {x}."]]} for i, x in r)),
        ),
        (
            VLMEVALKIT,
            "model_dataset.tsv",
            lambda r: "index\tquestion\tprediction\n" + "".join(f"{i}\tq\t{x}\n" for i, x in r),
        ),
        (
            VLMEVALKIT,
            "model_dataset.tsv",
            lambda r: "index\tprediction\thit\n" + "".join(f"{i}\t{TEXTS[i]}\t1\n" for i, _ in r),
        ),
        (
            VLMEVALKIT.replace('"\\t"', '","').replace(".tsv", ".csv"),
            "model_dataset.csv",
            lambda r: "index,prediction\n" + "".join(f'{i},"{x}. "\n' for i, x in r),
        ),
        (LISTED, "results.json", lambda r: json.dumps([{"question_id": i, "answer": x} for i, x in r])),
        (
            LISTED,
            "results.json",
            lambda r: json.dumps([{"question_id": str(i), "answer": TEXTS[i]} for i, _ in reversed(list(r))]),
        ),
        (
            LISTED.replace("question_id", "image_id").replace('"answer"', '"caption"'),
            "results.json",
            lambda r: json.dumps([{"image_id": i, "caption": x} for i, x in r]),
        ),
        (
            LISTED.replace(
                'json.load(open("results.json", encoding="utf-8"))',
                '[json.loads(line) for line in open("answers.jsonl")]',
            ).replace('"answer"', '"text"'),
            "answers.jsonl",
            lambda r: as_lines(*({"question_id": i, "prompt": "?", "text": x, "model_id": "m"} for i, x in r)),
        ),
    ],
)
def test_predictions_of_other_tools_are_scored_as_they_were_meant(
    folder: Path, code: str, file: str, written: Callable[[list[tuple[int, str]]], str]
) -> None:
    task, right = mmlu(folder)
    Path(file).write_text(written(list(enumerate(right))), encoding="utf-8")
    exec(compile(code, "coming-from.md", "exec"), {})
    made = score(task, "predictions.jsonl")
    assert (made.exit_code, made.rows()[0]["value"], made.rows()[0]["n"], made.missing, made.extra) == (
        0,
        1.0,
        4,
        [],
        [],
    )


def test_a_file_of_another_tool_is_refused_with_its_keys(folder: Path) -> None:
    task, _ = mmlu(folder)
    Path("samples.jsonl").write_text(as_lines({"doc_id": 0, "filtered_resps": ["A"]}), encoding="utf-8")
    with pytest.raises(DataError, match="it has 'doc_id', 'filtered_resps'"):
        score(task, "samples.jsonl")


# results.md


def test_results_page_names_what_a_run_leaves(folder: Path) -> None:
    made = run("chance", task="digits", limit=20, output="results")
    (path,) = (folder / "results").rglob("*.json")
    page = sections("results.md")
    keys = {name for row in table(page["Files"], "key") for name in quoted(row[0])}
    assert keys == set(yaml.safe_load(path.read_text(encoding="utf-8")))
    columns = {name for row in table(page["Files"], "column") for name in quoted(row[0])}
    assert columns == set(pq.read_table(path.with_suffix(".parquet")).column_names)
    rows = {name for row in table(page["Rows"], "key") for name in quoted(row[0])}
    assert rows == set(made.rows()[0])
    board = {name for row in table(page["Leaderboard"], "board key") for name in quoted(row[0])}
    assert board == set(load("results").board().rows()[0]) - rows


def test_a_control_leaves_a_record_of_its_own_and_a_gain(folder: Path) -> None:
    made = run("chance", task="digits", limit=20, output="results", controls=["blind"])
    own, control = made.records
    assert (own.control, control.control) == (None, "blind")
    assert own.protocol == control.protocol
    assert len(list((folder / "results").rglob("*.json"))) == 2


def test_recorded_predictions_leave_a_record(folder: Path) -> None:
    file = write(sections("tasks.md")[RECORDED])[0]
    made = score(str(file), file.with_suffix(".predictions.jsonl"), save="results")
    said = sections("results.md")["Recorded predictions"]
    assert f"`{made.record.route}`" in said
    assert set(made.items()[0]) <= set(quoted(said))
    (row,) = load("results").leaderboard().to_dict("records")
    assert row["model"] == "text.predictions"


def test_results_page_reads_outcomes(folder: Path) -> None:
    run("chance", task="digits", limit=20, output="results")
    (path,) = (folder / "results").rglob("*.parquet")
    (code,) = blocks((DOCS / "results.md").read_text(encoding="utf-8"), "python")
    names: dict[str, Any] = {"path": path}
    exec(compile(code, "results.md", "exec"), names)
    assert 0 < len(names["wrong"]) <= 20


# python.md


@pytest.mark.parametrize(
    "section", ["Run", "Score", "Load", "In a notebook", "A task of your own", "An adapter of your own"]
)
def test_python_examples_run(folder: Path, section: str) -> None:
    for code in blocks(sections("python.md")[section], "python"):
        exec(compile(code, section, "exec"), {"__name__": "example"})
    assert load("results").records


def test_metrics_are_shown_and_listed() -> None:
    (code,) = blocks(sections("python.md")["Metrics as functions"], "python")
    exec(compile(code, "python.md", "exec"), {})
    text = (DOCS / "metric-functions.md").read_text(encoding="utf-8")
    shared: dict[str, Any] = {}
    for code in blocks(text, "python"):
        exec(compile(code, "metric-functions.md", "exec"), shared)
    assert {name for row in table(text, "function") for name in quoted(row[0])} == {
        name for name in metrics.__all__ if name.islower()
    }
    assert {name for row in table(text, "convention") for name in quoted(row[0])} == {*CONVENTIONS}
    assert set(SAMPLERS) == {*quoted(re.findall(r"^Samplers: .*?\n\n", text, re.MULTILINE | re.DOTALL)[0])}


def test_training_example_has_the_signature_of_the_adapter() -> None:
    import mmbench

    (code,) = blocks(sections("python.md")["During training"], "python")
    compile(code, "python.md", "exec")
    assert "mmbench.OpenClip(model, preprocess, tokenizer)" in code
    assert list(inspect.signature(mmbench.OpenClip).parameters) == ["model", "preprocess", "tokenizer", "beams"]


@pytest.mark.parametrize(("section", "function"), [("Run", run), ("Score", score), ("Diagnose", diagnose)])
def test_python_page_names_every_keyword(section: str, function: Callable[..., object]) -> None:
    named = set(re.findall(r"\w+", " ".join(quoted(BLOCK.sub("", sections("python.md")[section])))))
    assert set(inspect.signature(function).parameters) - {"progress"} <= named


# All pages


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_links_lead_somewhere(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        file, _, anchor = target.partition("#")
        other = DOCS / (file or page)
        assert other.is_file(), target
        headings = re.findall(r"^#+ (.+)$", other.read_text(encoding="utf-8"), re.MULTILINE)
        assert not anchor or anchor in {heading.lower().replace(" ", "-") for heading in headings}, target


@pytest.mark.parametrize(
    "page", ["tasks.md", "metrics.md", "results.md", "cli.md", "python.md", "plugins.md", "diagnose.md"]
)
def test_pages_name_no_place_of_this_machine(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert re.findall(r"(?<![\w.~$}])/(?:home|root|tmp|work)\b", text) == []
