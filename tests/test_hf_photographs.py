"""Every class of transformers, tiny, on real photographs and through the command, by each route that it has."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import PIL.Image
import pytest

from mmbench.adapters.hf.adapter import from_spec
from tests.adapters.hf import generative, tiny

PHOTOS = 3
LEARNT = 9
WRITERS = tuple(generative.CLASSES)
DUAL = tuple(kind for kind in tiny.KINDS if kind != "xclip")  # whose texts have no vector alone

TASKS = {
    "classes": "family: zero-shot-classification\nfields: {image: image, label: name}\n",
    "search": "family: retrieval\nroutes: [embed, likelihood]\n",
    "asked": "family: vqa\ncandidates: [a tench, a robin, 'no', some bullfrog]\nlikelihood: mean\n",
    "chosen": "family: multiple-choice\nlikelihood: pmi\n",
    "told": "family: yes-no\n",
    "paired": "family: pairs\n",
    "described": "family: captioning\ncandidates: [a photo of a bird, a fish, an animal in the wild]\n",
    "learnt": "family: probe\nmethod: knn\nfields: {image: image, label: side, split: split}\n",
}
READ = tuple(name for name in TASKS if name != "learnt")
WRITTEN = ("classes", "asked", "chosen", "told", "described")
LIKELY = ("asked", "chosen", "told", "described")
"""What a language model has an opinion of, though it looks at no picture."""

Command: TypeAlias = tuple[str, tuple[str, ...], tuple[str, ...]]
"""A route, models that have it, and the tasks that they are asked."""

EVERY: tuple[Command, ...] = (
    ("embed", DUAL, tuple(TASKS)),
    ("embed", ("xclip",), ("learnt",)),
    ("likelihood", WRITERS, READ),
    ("likelihood", tiny.LANGUAGE, LIKELY),
    ("generate", WRITERS, WRITTEN),
)
SOME: tuple[Command, ...] = tuple(
    (route, models[place :: len(tasks)], (task,))
    for route, models, tasks in EVERY
    for place, task in enumerate(tasks)
    if models[place :: len(tasks)]
)
"""The same, but each model is asked one task of its route, the next model the next task."""

WARM = """
import json, sys
for name in ("torch", "transformers", "tokenizers", "torchvision"):
    sys.modules[name] = None  # what imports it fails
from mmbench.harness.cli.app import main
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["mmbench", *arguments]
    try:
        main()
    except SystemExit as done:
        assert not done.code, done.code
    print("\\n--")
"""


def arguments(folder: Path, command: Command) -> list[str]:
    """Return what follows `mmbench`."""
    route, models, tasks = command
    given = [part for model in models for part in ("--model", f"hf:{folder / model}")]
    given += [part for task in tasks for part in ("--task", str(folder / f"{task}.yaml"))]
    given += ["--route", route, "--output", str(folder / "results"), "--format", "json"]
    return ["run", *given, "--store", str(folder / "store.sqlite")]


@pytest.fixture(scope="module")
def saved(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write photographs' tasks and every model."""
    pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("photographs")
    with (photos / "labels.csv").open() as file:
        table = list(csv.DictReader(file))[:LEARNT]
    names = [row["class_name"] for row in table]
    rows = []
    for i, row in enumerate(table):
        name, other, picture = names[i], names[(i + 1) % PHOTOS], os.path.relpath(photos / row["file"], folder)
        rows.append(
            {
                "image": picture,
                "images": [picture],
                "name": name,
                "captions": [f"a photo of a {name}", f"a photo of a {other}"],
                "question": f"is it a {name} or a {other} ?",
                "answers": [f"a {name}"],
                "options": [f"a {name}", f"a {other}", "東京"],
                "target": "yes" if i % 2 else "no",
                "references": [f"a photo of a {name}"],
                "side": f"class {i % 2}",
                "split": "test" if i % 3 == 0 else "train",
            }
        )
    chosen = [{**row, "target": 0} for row in rows[:PHOTOS]]
    for name, part in (("few", rows[:PHOTOS]), ("chosen", chosen), ("many", rows)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    for name, keys in TASKS.items():
        data = {"learnt": "many", "chosen": "chosen"}.get(name, "few")
        written = "" if name in ("learnt", "search", "paired", "classes") else "generation: {max_tokens: 6}\n"
        source = f"source: {{kind: jsonl, path: {data}.jsonl}}\n"
        (folder / f"{name}.yaml").write_text(f"name: {name}\n{source}{keys}{written}")
    for kind in tiny.KINDS:
        tiny.save(kind, folder / kind)
    for kind in tiny.LANGUAGE:
        tiny.language(kind, folder / kind)
    for kind in WRITERS:
        generative.save(kind, folder / kind)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "commands", [pytest.param(SOME, id="a task each"), pytest.param(EVERY, id="every task", marks=pytest.mark.long)]
)
def test_every_class_by_every_route(
    saved: Path, command: Callable[..., tuple[int, str, str]], commands: tuple[Command, ...]
) -> None:
    found = []
    for given in commands:
        route, models, tasks = given
        status, out, err = command(*arguments(saved, given))
        assert status == 0, err
        found.append(json.loads(out))
        rows = {(row["model"], row["task"]): row for row in found[-1] if row["primary"]}
        assert {*rows} == {(model, task) for model in models for task in tasks}
        for row in rows.values():
            assert (row["route"], row["n"] >= PHOTOS) == (route, True), row
            # What a tiny model writes is seldom an answer.
            assert (row["value"] is not None, row["coverage"]) == (True, 1.0) or route == "generate", row
    told = [row for row in chain(*found) if (row["task"], row["metric"], row["route"]) == TOLD]
    assert told
    for row in told:
        assert row["model"] not in WRITERS or row["value"] == accuracy_by_hand(saved / row["model"]), row["model"]
    again = json.dumps([arguments(saved, given) for given in commands])
    done = subprocess.run([sys.executable, "-c", WARM, again], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [json.loads(part) for part in done.stdout.split("\n--\n") if part.strip()] == found


TOLD = ("told", "accuracy", "likelihood")


def accuracy_by_hand(model: Path) -> float:
    """Return the share of yes-no questions whose right answer the adapter itself finds likelier."""
    adapter: Any = from_spec(str(model), device="cpu", dtype="fp32", offline=True)
    right = []
    for line in (model.parent / "few.jsonl").read_text().splitlines():
        item = json.loads(line)
        picture = PIL.Image.open(model.parent / item["image"]).convert("RGB")
        ((yes, no),) = adapter.score_texts([([picture], item["question"], ["yes", "no"])])
        right.append((yes > no) == (item["target"] == "yes"))
    return sum(right) / len(right)
