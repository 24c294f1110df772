"""What the cards of the catalogue say of their data is measured on the items of each task, in each split of a suite."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from mmbench.benchmarks.metrics.answers import exact_match
from mmbench.benchmarks.metrics.pairs import CHANCES
from mmbench.benchmarks.probes.episodes import stratified_split
from mmbench.harness import registry
from mmbench.harness.tasks.catalogue import load_offered
from mmbench.harness.tasks.suite import find_suite
from mmbench.harness.tasks.task import Task
from mmbench.harness.tasks.task_file import load_task
from mmbench.harness.types import Sample

ROUNDED = 5e-5
"""Cards state four decimals."""
KNOWN = registry.files(registry.TASKS)
TASKS: Mapping[str, Task] = {
    task.name: task
    for tasks in (
        [load_offered(name, KNOWN) for name in KNOWN],  # whose folders are listed once, not for each
        *(find_suite(name).tasks for name in registry.files(registry.SUITES)),
    )
    for task in tasks
    if task.card.verified is None  # else the data is not here
}


def items(task: Task) -> list[Sample]:
    """The items that are scored: of a probe those of its test split."""
    found = list(task.family.samples())
    if task.family.name != "probe":
        return found
    test = stratified_split([each.id for each in found], np.array([each.target[0] for each in found])).test
    return [found[place] for place in test.tolist()]


def constants(family: str, samples: Sequence[Sample]) -> list[float]:
    """The primary score of each answer that can be given to all items, whatever they show and ask."""
    if family in ("retrieval", "captioning", "grounding"):
        return []  # a ranking, a caption or a place of its own for every item
    if family == "counting":
        return [count / len(samples) for count in Counter(each.references for each in samples).values()]
    if family == "pairs":  # always the first caption, or always the second
        return [fmean(fmean(place == own for own in range(len(each.media))) for each in samples) for place in (0, 1)]
    if family == "vqa":
        answers = {each.references[0] for each in samples}
        return [fmean(exact_match(answer, each.references) for each in samples) for answer in answers]
    places = Counter(each.target[0] for each in samples)
    if family == "multiple-choice":  # an option by its place; by its text, which not every item offers
        texts = Counter(each.options[each.target[0]].label for each in samples)
        return [count / len(samples) for count in (*places.values(), *texts.values())]
    assert family in ("zero-shot-classification", "probe", "yes-no")
    return [count / len(samples) for count in places.values()]


def guessed(task: Task, samples: Sequence[Sample]) -> float | None:
    """The expected primary score of guessing, where no more than the items is needed to say it."""
    family = task.family
    if family.name == "multiple-choice":
        return fmean(1 / len(each.options) for each in samples)
    if family.name in ("zero-shot-classification", "probe"):
        return 1 / len(family.classes.names)  # type: ignore[attr-defined]
    return {"yes-no": 0.5, "pairs": CHANCES[2]["pairwise_accuracy"]}.get(family.name)


@pytest.mark.parametrize("name", TASKS)
def test_majority_is_the_best_constant_answer(name: str) -> None:
    if name.startswith("clips-files"):
        pytest.importorskip("av", reason="its clips are files, which the extra `video` reads")
    task = TASKS[name]
    primary = {"vqa": "exact_match", "pairs": "pairwise_accuracy", "probe": "full/accuracy"}
    found = constants(task.family.name, samples := items(task))
    if not found:
        assert task.card.majority is None
        return
    assert task.family.metrics[0].name == primary.get(task.family.name, "accuracy")
    assert task.card.majority == pytest.approx(max(found), abs=ROUNDED)
    chance = guessed(task, samples)
    assert chance is None or max(found) >= chance - 1e-9, "a constant answer is no worse than a guess"


@pytest.mark.parametrize("name", TASKS)
def test_chance_where_stated_is_that_of_the_items(name: str) -> None:
    task = TASKS[name]
    if task.card.chance is not None:
        assert task.card.chance == pytest.approx(guessed(task, items(task)), abs=ROUNDED)


def test_what_is_not_measured_on_a_split_is_not_said_of_it(tmp_path: Path) -> None:
    text = (
        "name: mine\nfamily: zero-shot-classification\nsource: {kind: builtin, path: scenes-single, split: test}\n"
        "fields: {image: image, label: size}\ncard: {majority: %s}\n"
    )
    file = tmp_path / "mine.yaml"
    for written, said in (
        ("0.5", {None: 0.5, "test": 0.5, "mini": None}),
        ("{test: 0.5, mini: 0.25}", {None: 0.5, "test": 0.5, "mini": 0.25, "reserve": None}),
        ("{mini: 0.25}", {None: None, "mini": 0.25}),
        ("null", {None: None, "mini": None}),
    ):
        file.write_text(text % written)
        assert {split: load_task(file, split).card.majority for split in said} == said
