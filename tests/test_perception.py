"""The perception suite: what knows all scores 1 on every task, what guesses is at chance, and cards say what is so."""

import json
from collections.abc import Callable, Iterator, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
import yaml

import mmbench
from mmbench.benchmarks.named import class_list, template_list
from mmbench.benchmarks.scenes.rows import SIZES
from mmbench.benchmarks.sources.builtin import Builtin
from mmbench.harness import registry
from mmbench.harness.digest import digest_bytes
from mmbench.harness.models.abilities import Generation
from mmbench.harness.tasks.catalogue import find_task
from mmbench.harness.tasks.suite import find_suite

FILES = {
    name: yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, path in registry.files(registry.TASKS).items()
    if name.startswith("scenes-")
}
ROOM = 4096
GROUNDED = [task.name for task in find_suite("perception-grounded").tasks]
"""Asked of another model that knows all, and of others that do not look, in test_perception_grounded."""

Vectors = npt.NDArray[np.float32]


def rows(task: str, split: str) -> Iterator[dict[str, Any]]:
    source = FILES[task]["source"]
    for row in Builtin(source["path"], split):
        yield dict(row.cells)


def cell(task: str, cells: dict[str, Any], field: str) -> Any:
    return cells[FILES[task].get("fields", {}).get(field, field)]


class Oracle:
    """Knows each picture by its pixels and what is true of it."""

    fingerprint = "oracle"

    def __init__(self, split: str, tasks: Sequence[str]) -> None:
        self.true: dict[str, set[str]] = {}
        self.answers: dict[tuple[str, str], str] = {}
        self.captions: dict[str, str] = {}
        self.places: dict[str, int] = {}
        for task in tasks:
            for cells in rows(task, split):
                self._learn(task, cells)

    def _learn(self, task: str, cells: dict[str, Any]) -> None:
        family = FILES[task]["family"]
        if family == "pairs":
            for image, caption in zip(cells["images"], cells["captions"], strict=True):
                self._say(self.key(image.pil()), [caption])
            return
        key = self.key(cells["image"].pil())
        if family in ("zero-shot-classification", "probe"):
            label = cell(task, cells, "label")
            self._say(key, [t.format(label) for t in template_list(FILES[task]["templates"], Path())])
        elif family == "retrieval":
            self._say(key, cells["captions"])
        elif family == "captioning":
            self.captions[key] = cells["references"][0]
        else:
            answer = cell(task, cells, "answers")[0] if family == "vqa" else cell(task, cells, "target")
            self.answers[key, cell(task, cells, "question")] = answer

    def _say(self, key: str, texts: Sequence[str]) -> None:
        self.true.setdefault(key, set()).update(texts)
        for text in texts:
            self.places.setdefault(text, len(self.places))

    @staticmethod
    def key(image: PIL.Image.Image) -> str:
        return digest_bytes(image.tobytes())

    def embed_images(self, images: list[PIL.Image.Image]) -> Vectors:
        found = np.zeros((len(images), ROOM), np.float32)
        for row, image in enumerate(images):
            found[row, [self.places[text] for text in self.true[self.key(image)]]] = 1
        return found

    def embed_texts(self, texts: list[str]) -> Vectors:
        found = np.zeros((len(texts), ROOM), np.float32)
        for row, text in enumerate(texts):
            found[row, self.places.get(text, ROOM - 1)] = 1
        return found

    def score_texts(self, items: list[tuple[list[PIL.Image.Image], str, list[str]]]) -> list[list[float]]:
        return [
            [0.0 if text == self.answers[self.key(images[0]), prompt] else -20.0 for text in texts]
            for images, prompt, texts in items
        ]

    def generate(self, prompts: list[tuple[list[PIL.Image.Image], str]], settings: Generation) -> list[str]:
        return [self._reply(self.key(images[0]), prompt) for images, prompt in prompts]

    def _reply(self, key: str, prompt: str) -> str:
        return self.answers[key, prompt.removesuffix(" Answer briefly.")] if prompt else self.captions[key]


@pytest.fixture
def others(tmp_path: Path) -> str:
    """The suite perception-mini without the grounded tasks."""
    names = [task.name.removesuffix("-mini") for task in find_suite("perception-mini").tasks]
    file = tmp_path / "others.yaml"
    held = {"name": "others", "split": "mini", "tasks": [name for name in names if name not in GROUNDED]}
    file.write_text(yaml.safe_dump(held), encoding="utf-8")
    return str(file)


def test_an_oracle_scores_1_on_every_task(others: str, tmp_path: Path) -> None:
    tasks = [task.name.removesuffix("-mini") for task in find_suite(others).tasks]
    oracle = Oracle("mini", tasks)
    run = mmbench.run(model=oracle, suite=others, output=tmp_path, store=tmp_path / "store.sqlite")
    assert run.problems == []
    assert len(run.records) == len(tasks)
    for record in run.records:
        for score in record.scores:
            if score.metric.endswith("yes_rate"):
                continue
            best = {"cider": 5.0, "bleu@4": 0.9, "rouge_l": 0.9}.get(score.metric, 1.0)  # references differ in frames
            assert score.value is not None, (record.task, score.metric)
            assert score.value >= best - 1e-9, (record.task, score.metric)


def test_an_oracle_is_learnt_from_a_few_pictures(tmp_path: Path) -> None:
    oracle = Oracle("test", ["scenes-probe"])
    run = mmbench.run(model=oracle, task="scenes-probe", output=tmp_path, store=tmp_path / "store.sqlite")
    (record,) = run.records
    values = {score.metric: score.value for score in record.scores}
    assert values["full/accuracy"] == values["0-shot/accuracy"] == values["4-shot/accuracy"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("classifying", "seeds"),
    [pytest.param(4, 10, id="a fourth of those that classify"), pytest.param(1, 25, marks=pytest.mark.long)],
)
def test_chance_gets_chance(others: str, tmp_path: Path, classifying: int, seeds: int) -> None:
    every = find_suite(others).tasks
    alike = [task for task in every if task.family_name == "zero-shot-classification"]
    tasks = [task for task in every if task not in alike or task in alike[::classifying]]
    run = mmbench.run(
        model=[f"chance:{seed}" for seed in range(seeds)],
        tasks=tasks,
        limit=10,
        output=tmp_path,
        store=tmp_path / "store.sqlite",
    )
    drawn: dict[tuple[str, str], list[float]] = {}
    stated: dict[tuple[str, str], list[float]] = {}
    for record in run.records:
        for score in record.scores:
            if score.chance is not None and score.value is not None:
                drawn.setdefault((record.task, score.metric), []).append(score.value)
                stated.setdefault((record.task, score.metric), []).append(score.chance)
    assert {task for task, _ in drawn} == {task.name for task in tasks}
    for key, values in drawn.items():
        assert len(values) == seeds
        error = float(np.std(values, ddof=1)) / sqrt(seeds)
        assert abs(np.mean(values) - np.mean(stated[key])) <= max(3 * error, 1e-9), key


def targets(task: str) -> list[str]:
    """The right answers of a task, as far as one answer could be given to all of its items."""
    family = FILES[task]["family"]
    field = {"vqa": "answers", "yes-no": "target", "multiple-choice": "target"}.get(family, "label")
    found = [cell(task, cells, field) for cells in rows(task, "test")]
    return [each[0] if isinstance(each, list | tuple) else each for each in found]


@pytest.mark.parametrize("task", [name for name, file in FILES.items() if file["family"] == "zero-shot-classification"])
def test_every_class_of_a_task_occurs_and_no_other(task: str) -> None:
    classes = class_list(FILES[task]["classes"], Path())
    found = set(targets(task))
    assert found <= set(classes)
    assert task == "scenes-composition" or found == set(classes)


def test_open_questions_have_their_answers_among_the_candidates() -> None:
    for task in ("scenes-vqa", "scenes-where", "scenes-number"):
        assert set(targets(task)) == set(FILES[task]["candidates"])


def test_the_suites_are_what_their_names_say() -> None:
    whole, mini = find_suite("perception"), find_suite("perception-mini")
    names = [task.name for task in whole.tasks]
    assert [task.name for task in mini.tasks] == [
        f"{name}-mini" for name in names if not name.endswith(("probe", "few-shot"))
    ]
    assert set(GROUNDED) <= set(names)
    families = {find_task(name).family.name for name in names}
    assert families == set(registry.entries(registry.FAMILIES))
    pictures = sum(
        2 * size if name.endswith(("relation", "binding")) else size
        for name, size in SIZES.items()
        if name not in ("scenes-grounded", "scenes-numbered")  # the pictures of others
    )
    assert 4500 <= pictures + 1797 <= 5500
    for task in mini.tasks:
        whole_card = find_task(task.name.removesuffix("-mini")).card
        assert task.card == whole_card.model_copy(update={"majority": task.card.majority})
        assert task.card.dimension
        assert "figure for people" in task.card.notes or task.card.human is not None


@pytest.mark.slow
def test_a_random_clip_is_ranked_beside_those_that_write(
    command: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    """By the two commands of the README; it ranks captions where they write them, and the board says so."""
    where = ("--output", str(tmp_path))
    models = ("untrained-tiny", "tiny-coca", "chance")
    suite = tmp_path / "some.yaml"
    suite.write_text("name: some\nsplit: mini\ntasks: [scenes-colour@1, scenes-existence@1, scenes-captioning@1]\n")
    asked = ("run", *(part for model in models for part in ("--model", model)), "--suite", str(suite))
    status, _, err = command(*asked, *where, "--store", str(tmp_path / "store.sqlite"))
    assert (status, "failed" in err) == (0, False)
    status, out, _ = command("leaderboard", "--suite", str(suite), *where, "--format", "json")
    lines = [row for row in json.loads(out) if row["task"] == "scenes-captioning-mini" and row["primary"]]
    found = {row["model"]: row for row in lines}
    assert status == 0
    assert {model: row["route"] for model, row in found.items()} == {
        "untrained-tiny": "embed",
        "tiny-coca": "generate",
        "chance": "generate",
    }
    standing = {model: row["standing"] for model, row in found.items()}
    assert sorted(each["rank"] for each in standing.values()) == [1, 2, 3]
    assert standing["tiny-coca"]["rank"] == 1
    assert [each["missing"] for each in standing.values()] == [[], [], []]
    clip = found["untrained-tiny"]
    assert clip["metric"] == "attribute_recall"
    assert clip["chance"] == pytest.approx(0.034, abs=0.004), "that of a caption drawn from the candidates"
    assert clip["low"] <= clip["chance"] <= clip["high"]
    assert (found["tiny-coca"]["chance"], found["tiny-coca"]["value"]) == (0.0, pytest.approx(0.987, abs=0.01))


def test_captions_to_rank_are_not_those_of_the_test() -> None:
    pool = set(find_task("scenes-captioning").family.protocol()["candidates"])  # type: ignore[call-overload, index, arg-type]
    asked = {text for cells in rows("scenes-captioning", "test") for text in cells["references"]}
    assert (len(pool), len(pool & asked)) == (500, 0)
    mini = next(task for task in find_suite("perception-mini").tasks if task.name == "scenes-captioning-mini")
    assert set(mini.family.protocol()["candidates"]) == pool  # type: ignore[call-overload, index, arg-type]
