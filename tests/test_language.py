"""Every family on every route, on photographs and on digits: what knows all is right, what guesses is at chance."""

import csv
import io
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mmbench
from mmbench.benchmarks.sources.builtin import Builtin
from mmbench.harness.cli.app import main
from mmbench.harness.models.abilities import Generation
from mmbench.harness.records.record import Record
from mmbench.harness.tasks.task_file import load_task
from mmbench.harness.types import Route

SEEDS = 16
SIZE = 20
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ROUTES: Mapping[str, Sequence[Route]] = {
    "vqa": ("likelihood", "embed", "generate"),
    "choice": ("likelihood", "generate", "embed"),
    "circular": ("generate",),
    "yes-no": ("likelihood", "generate", "embed"),
    "pairs": ("embed", "likelihood"),
    "pairs-of-captions": ("embed", "likelihood"),
    "captions": ("likelihood", "embed", "generate"),
}
"""As the table of families has them; where a task has candidates, these are ranked first."""
ASKED: list[tuple[str, Route]] = [(name, route) for name, routes in ROUTES.items() for route in routes]

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class World:
    """Pictures whose content is known, and a task of each kind over them."""

    folder: Path
    shown: Mapping[bytes, str]
    """Pixels to the name of what they show."""

    def task(self, name: str) -> str:
        return str(self.folder / f"{name}.yaml")


def pixels(image: PIL.Image.Image) -> bytes:
    return repr(image.size).encode() + image.tobytes()


def tasks(cells: Sequence[Any], names: Sequence[str]) -> dict[str, tuple[str, Rows]]:
    """The keys and rows of each task over pictures and their names."""
    every = sorted(set(names))
    facts = [{"half": i % 2} for i in range(len(names))]

    def another(i: int) -> str:
        return every[(every.index(names[i]) + 1 + i % 3) % len(every)]

    def options(i: int) -> list[str]:
        at = every.index(names[i])
        four = [every[(at + step) % len(every)] for step in range(4)]
        return four[-(i % 4) :] + four[: -(i % 4)]

    def image(i: int) -> dict[str, Any]:
        return {"id": f"item-{i}", "image": cells[i], **facts[i]}

    def caption(name: str) -> str:
        return f"A photo of a {name}."

    asked: Rows = [
        {**image(i), "question": "What is shown?", "answers": [name] * 7 + [another(i)] * 3}
        for i, name in enumerate(names)
    ]
    choices = [
        {**image(i), "question": "What is shown?", "options": options(i), "target": options(i).index(name)}
        for i, name in enumerate(names)
    ]
    claims = [
        {**image(i), "question": f"Is there a {name if i % 2 else another(i)}?", "target": "yes" if i % 2 else "no"}
        for i, name in enumerate(names)
    ]
    couples = [(i, next(j for j in (*range(i + 1, SIZE), 0) if names[j] != names[i])) for i in range(SIZE)]
    pairs = [
        {**facts[i], "images": [cells[i], cells[j]], "captions": [caption(names[i]), caption(names[j])]}
        for i, j in couples
    ]
    singles = [
        {**facts[i], "images": [cells[i]], "captions": [caption(name), caption(another(i))]}
        for i, name in enumerate(names)
    ]
    captions = [
        {**image(i), "references": [caption(name), caption(name).upper()], "attributes": [name]}
        for i, name in enumerate(names)
    ]
    pool = [*map(caption, every), *(f"A small blurred picture of {name}s." for name in every)]
    return {
        "vqa": (f"family: vqa\ncandidates: {json.dumps(every)}\nfacts: [half]\n", asked),
        "choice": ("family: multiple-choice\nfacts: [half]\n", choices),
        "circular": ("family: multiple-choice\ncircular: true\n", choices),
        "yes-no": ("family: yes-no\nfacts: [half]\n", claims),
        "pairs": (
            "family: pairs\nfacts: [half]\nmetrics: [group_score, text_score, image_score, pairwise_accuracy]\n",
            pairs,
        ),
        "pairs-of-captions": ("family: pairs\nmetrics: [pairwise_accuracy, text_score]\n", singles),
        "captions": (
            f"family: captioning\ncandidates: {json.dumps(pool)}\nfacts: [half, attributes]\n",
            captions,
        ),
    }


@pytest.fixture(scope="module")
def photographs(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """JSON lines that name files."""
    folder = tmp_path_factory.mktemp("photographs")
    with (photos / "labels.csv").open() as file:
        table = list(csv.DictReader(file))[:: 200 // SIZE][:SIZE]
    names = [row["class_name"] for row in table]
    files = [photos / row["file"] for row in table]
    for name, (keys, rows) in tasks([str(file) for file in files], names).items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        source = f"source: {{kind: jsonl, path: {name}.jsonl}}\n"
        (folder / f"{name}.yaml").write_text(f"name: {name}\n{source}{keys}")
    shown = {pixels(PIL.Image.open(file).convert("RGB")): name for file, name in zip(files, names, strict=True)}
    return World(folder, shown)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Parquet files that hold the pictures."""
    folder = tmp_path_factory.mktemp("digits")
    cells, names, shown = [], [], {}
    for row in list(Builtin("sklearn-digits", None))[:SIZE]:
        image = row.cells["image"].pil()
        held = io.BytesIO()
        image.save(held, "png")
        cells.append({"bytes": held.getvalue(), "path": None})
        names.append(DIGITS[row.cells["label"]])
        shown[pixels(image)] = names[-1]
    for name, (keys, rows) in tasks(cells, names).items():
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
        source = f"source: {{kind: parquet, path: {name}.parquet}}\n"
        (folder / f"{name}.yaml").write_text(f"name: {name}\n{source}{keys}")
    return World(folder, shown)


@pytest.fixture(params=["photographs", "digits"])
def world(request: pytest.FixtureRequest) -> World:
    made: World = request.getfixturevalue(request.param)
    return made


class Oracle:
    """Knows what each picture shows, and of each text whether it is true of it."""

    fingerprint = "oracle"

    def __init__(self, shown: Mapping[bytes, str]) -> None:
        self.shown = shown
        self.names = sorted(set(shown.values()))

    def name(self, images: Sequence[PIL.Image.Image]) -> str:
        return self.shown[pixels(images[0])]

    def true(self, name: str, text: str) -> bool:
        return bool(re.search(rf"\b{name}\b", text)) != text.endswith(" no")

    def embed_images(self, images: list[PIL.Image.Image]) -> npt.NDArray[np.float64]:
        return np.stack([np.eye(len(self.names))[self.names.index(self.name([image]))] for image in images])

    def embed_texts(self, texts: list[str]) -> npt.NDArray[np.float64]:
        return np.array([[1.0 if self.true(name, text) else -1.0 for name in self.names] for text in texts])

    def score_texts(self, items: list[tuple[list[PIL.Image.Image], str, list[str]]]) -> list[list[float]]:
        return [
            [-1.0 if self.true(self.name(images), f"{prompt} {text}") else -9.0 for text in texts]
            for images, prompt, texts in items
        ]

    def generate(self, prompts: list[tuple[list[PIL.Image.Image], str]], settings: Generation) -> list[str]:
        return [self.reply(self.name(images), prompt) for images, prompt in prompts]

    def reply(self, name: str, prompt: str) -> str:
        marks = dict((text, mark) for mark, text in re.findall(r"^([A-Z])\. (.+)$", prompt, re.MULTILINE))
        if marks:
            return f"({marks[name]})"
        if "yes or no" in prompt:
            return "Yes." if self.true(name, prompt) else "No, there is none."
        return name if "?" in prompt else f"A photo of a {name}."


def only(made: mmbench.Run) -> Record:
    assert [str(problem.error) for problem in made.problems] == []
    (record,) = made.records
    return record


@pytest.mark.parametrize(("name", "route"), ASKED)
def test_who_knows_all_is_right(world: World, tmp_path: Path, name: str, route: Route) -> None:
    oracle = Oracle(world.shown)
    made = mmbench.run(
        oracle,
        task=world.task(name),
        route=route,
        scorer=oracle,
        output=tmp_path / "results",
        store=tmp_path / "store.sqlite",
    )
    record = only(made)
    (task,) = made.tasks
    assert (record.route, record.errors, made.exit_code) == (route, 0, 0)
    for metric, score in zip(task.family.metrics, record.scores, strict=True):
        assert (score.metric, score.n, score.coverage) == (metric.name, SIZE, 1.0)
        if metric.best == 1:
            assert score.value == pytest.approx(1.0), metric.name
            assert score.bounds is not None
    values = {score.metric: score.value for score in record.scores}
    if name == "captions":
        assert values["cider"] == pytest.approx(10.0), "equal tokens, whatever their case"
        assert values["length_ratio"] == 1.0
        assert values["clipscore"] == pytest.approx(2.5 / len(oracle.names) ** 0.5)
        assert values["ref_clipscore"] is not None
        assert record.scorer == {"model": "Oracle", "fingerprint": "oracle"}
    if name == "yes-no":
        assert values["yes_rate"] == 0.5
    halves = {(level.fact, level.level) for level in record.breakdown}
    assert halves >= {("half", 0), ("half", 1)} or not any("half" in fact for fact, _ in halves)
    assert all(
        level.score.n == SIZE // 2 and level.score.value == pytest.approx(1.0)
        for level in record.breakdown
        if level.fact == "half" and level.score.metric == record.scores[0].metric and name != "captions"
    )


def test_default_routes(world: World, tmp_path: Path) -> None:
    oracle = Oracle(world.shown)
    made = mmbench.run(
        oracle, task=[world.task(name) for name in ROUTES], output=tmp_path / "results", store=tmp_path / "s.sqlite"
    )
    assert {record.task: record.route for record in made.records} == {name: ROUTES[name][0] for name in ROUTES}
    assert [load_task(Path(world.task(name))).routes for name in ROUTES] == list(ROUTES.values())


def test_the_same_pictures_and_questions_are_asked_once(digits: World, tmp_path: Path) -> None:
    """Circular asks four rotations, the first of which plain multiple choice asked already."""
    oracle = Oracle(digits.shown)
    made = mmbench.run(
        oracle,
        task=[digits.task("choice"), digits.task("circular")],
        route="generate",
        output=tmp_path / "results",
        store=tmp_path / "s.sqlite",
    )
    assert [(record.asked, record.remembered) for record in made.records] == [(SIZE, 0), (3 * SIZE, SIZE)]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs a command in this process and returns its exit status, the rows it prints and what it says besides."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path))

    def run(*arguments: str) -> tuple[int, list[dict[str, Any]], str]:
        monkeypatch.setattr(sys, "argv", ["mmbench", *arguments, "--format", "json"])
        capsys.readouterr()
        with pytest.raises(SystemExit) as done:
            main()
        out, err = capsys.readouterr()
        assert isinstance(done.value.code, int)
        return done.value.code, json.loads(out) if out else [], err

    return run


@pytest.mark.parametrize("route", ["embed", "likelihood", "generate"])
def test_the_command(world: World, call: Callable[..., Any], route: Route) -> None:
    wanted = [argument for name in ROUTES for argument in ("--task", world.task(name))]
    code, rows, err = call("run", "--model", "chance", *wanted, "--route", route, "--scorer", "chance:1")
    assert code == 0
    by_task = {name: [row for row in rows if row["task"] == name] for name in ROUTES}
    for name, mine in by_task.items():
        expected = [metric.name for metric in load_task(Path(world.task(name))).family.metrics]
        assert [row["metric"] for row in mine] == expected
        assert [row["primary"] for row in mine] == [True] + [False] * (len(mine) - 1)
        if name == "circular" and route != "generate":  # a ranking does not depend on the order of the options
            assert [(row["metric"], row["value"] is None) for row in mine] == [
                ("accuracy", False),
                ("circular_accuracy", True),
            ]
            assert {row["route"] for row in mine} == {route}
        elif route in ROUTES[name]:
            undefined = {row["metric"] for row in mine if row["value"] is None}
            assert undefined <= {"attribute_precision"}, "nothing else lacks a value; whoever says no word names none"
            assert {(row["n"], row["coverage"], row["route"]) for row in mine} == {(SIZE, 1.0, route)}
        else:
            assert {(row["value"], row["n"], row["route"]) for row in mine} == {(None, 0, None)}
            assert f"- chance · {name}@1: within cannot be asked by generate" in err
    code, rows, _ = call("run", "--model", "chance", *wanted, "--route", route, "--dry-run")
    assert code == 0
    assert all(row["remembered"] == row["inputs"] for row in rows if row["unsupported"] is None)


def test_digits_as_they_ship(call: Callable[..., Any], tmp_path: Path) -> None:
    """The built-in source has no questions; its labels do for captions, and for the right one of two."""
    source = "source: {kind: builtin, path: sklearn-digits}\n"
    keys = "fields: {references: [label, parity]}\ncandidates: ['1', '2', even, odd]\nfacts: [parity]\n"
    (tmp_path / "words.yaml").write_text(f"name: words\nfamily: captioning\n{source}{keys}")
    (tmp_path / "two.yaml").write_text(
        f"name: two\nfamily: pairs\n{source}fields: {{images: image, captions: [parity, label]}}\n"
    )
    code, rows, _ = call(
        *("run", "--model", "chance", "--task", "words.yaml", "--task", "two.yaml", "--route", "embed"),
        *("--limit", "200"),
    )
    assert code == 0
    values = {(row["task"], row["metric"]): (row["value"], row["n"], row["chance"]) for row in rows}
    assert values["words", "rouge_l"][0] == pytest.approx(values["words", "rouge_l"][2], abs=0.1)
    assert values["two", "pairwise_accuracy"][1:] == (200, 0.5)
    assert values["two", "pairwise_accuracy"][0] == pytest.approx(0.5, abs=0.12)


@pytest.fixture(scope="module")
def guessed(digits: World, tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], list[Record]]:
    """What models that guess made of each task on each route."""
    folder = tmp_path_factory.mktemp("guessed")
    made: dict[tuple[str, str], list[Record]] = {}
    every: tuple[Route, ...] = ("embed", "likelihood", "generate")
    for route in every:
        run = mmbench.run(
            [f"chance:{seed}" for seed in range(SEEDS)],
            task=[digits.task(name) for name in ROUTES if route in ROUTES[name]],
            route=route,
            output=folder / "results",
            store=folder / "store.sqlite",
        )
        assert not run.problems
        for record in run.records:
            made.setdefault((record.task, route), []).append(record)
    return made


@pytest.mark.slow
@pytest.mark.parametrize(("name", "route"), ASKED)
def test_who_guesses_is_at_chance(guessed: Mapping[tuple[str, str], list[Record]], name: str, route: Route) -> None:
    records = guessed[name, route]
    assert len(records) == SEEDS
    columns = zip(*(record.scores for record in records), strict=True)
    stated = [column for column in columns if column[0].chance is not None]
    assert stated
    for column in stated:
        values = np.array([score.value for score in column], dtype=np.float64)
        error = values.std(ddof=1) / len(values) ** 0.5
        # BLEU of no common word is not quite 0: the official script adds a trifle.
        assert abs(values.mean() - column[0].chance) <= 3 * error + 1e-9, column[0].metric
    chances = {column[0].metric: column[0].chance for column in stated}
    if name == "pairs":
        assert chances == pytest.approx(
            {"group_score": 1 / 6, "text_score": 1 / 4, "image_score": 1 / 4, "pairwise_accuracy": 1 / 2}
        )
    if name == "pairs-of-captions":
        assert chances == {"pairwise_accuracy": 0.5, "text_score": 0.5}
    if name == "circular":
        assert chances == pytest.approx({"accuracy": 1 / 4, "circular_accuracy": 1 / 256})
    if name == "yes-no":
        assert chances == pytest.approx(dict.fromkeys(("accuracy", "precision", "recall", "f1", "yes_rate"), 0.5))
    if name in ("vqa", "captions"):
        assert all((chance > 0) == (route != "generate") for chance in chances.values())
