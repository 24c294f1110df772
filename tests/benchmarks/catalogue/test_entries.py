"""Every public data set of the catalogue, asked of rows with its schema, by what knows all and by what guesses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import constants

from mmbench.adapters.baselines.chance import Chance
from mmbench.benchmarks import TASKS
from mmbench.benchmarks.named import template_list
from mmbench.harness.hub import repository
from mmbench.harness.run.run import run
from mmbench.harness.tasks.task_file import load_task
from tests.benchmarks.catalogue.oracle import Oracle
from tests.benchmarks.catalogue.shelf import Shelf

ENTRIES = {path.stem: path for path in sorted((Path(TASKS) / "hub").rglob("*.yaml"))}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("shelf")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_HOME", str(folder / "home"))
        patch.setattr(constants, "HF_HUB_CACHE", str(folder / "cache"))
        patch.setattr(repository, "_stand_for", {})
        yield Shelf(folder / "cache")


class Guess(Chance):
    """Knows nothing; where a box is asked for, it is said to write pixels."""

    boxes = points = "pixels"


def sources_of(content: Any) -> Iterator[dict[str, Any]]:
    """Yield what a task file names below any key that names data of the hub."""
    if isinstance(content, dict):
        if content.get("kind") == "hub":
            yield content
        for inner in content.values():
            yield from sources_of(inner)


def small(content: dict[str, Any], path: Path, folder: Path) -> Path:
    """Return the file of a task, or a copy that takes seconds less: few episodes, few of many prompts, no METEOR."""
    templates = content.get("templates")
    if content["family"] == "probe":
        changes = {"shots": [1], "seeds": 1, "sweep": False}
    elif content["family"] == "captioning":
        changes = {"metrics": [name for name in content["metrics"] if name != "meteor"]}
    elif isinstance(templates, str) and len(named := template_list(templates, path.parent)) > 5:
        changes = {"templates": [*named[:2]]}
    else:
        return path
    load_task(path)
    made = folder / path.name
    made.write_text(yaml.safe_dump({**content, **changes}, allow_unicode=True), encoding="utf-8")
    return made


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_goes_through_its_family(name: str, shelf: Shelf, tmp_path: Path) -> None:
    content = yaml.safe_load(ENTRIES[name].read_text(encoding="utf-8"))
    if "video" in content.get("fields", ()):
        pytest.importorskip("av")
    for source in sources_of(content):
        shelf.put(source["id"], source.get("revision"))
    task = load_task(small(content, ENTRIES[name], tmp_path))
    values = {}
    for model in (Oracle(task), Guess()):
        made = run(model, task=task, output=tmp_path / "results", store=tmp_path / "store.sqlite")
        assert [str(problem.error) for problem in made.problems] == []
        (record,) = made.records
        assert record.errors == 0 and record.dataset["n"] == task.size > 0
        assert not [note for note in record.notes if "say nothing of the pictures" in note]
        values[type(model)] = record.primary
    by_prompt = [task, *(task.asked_by(prompt) for prompt in task.prompts)]
    assert len({each.protocol_id("") for each in by_prompt}) == len(by_prompt)
    best, guessed = values[Oracle].value, values[Guess].value
    highest = task.family.metrics[0].best
    assert best is not None and guessed is not None and guessed <= best
    assert best == pytest.approx(highest) if highest is not None else guessed < best


@pytest.mark.parametrize(("name", "facts"), [("dollar-street", {"npy.0": 3, "npy.2": 2}), ("geode", {"npy.0": 3})])
def test_groups_of_datacomp_are_facts(name: str, facts: dict[str, int], shelf: Shelf) -> None:
    path = ENTRIES[f"datacomp-{name}"]
    shelf.put(yaml.safe_load(path.read_text(encoding="utf-8"))["source"]["id"], None)
    samples = [*load_task(path).family.samples()]
    assert [sample.facts for sample in samples] == [facts] * len(samples)
