"""The main job on real photographs: cosines, accuracy and ranks of a real architecture against plain code."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

CLASSES = 6
EVERY, TEMPLATES = 8, 8
"""Every eighth of the photographs, and so many templates: more tell no more, and each text takes a tower a while."""
CAPTIONS = ("a photo of a {}.", "a {} in the wild.", "a close-up of the {}.", "one {}, seen from afar.", "my {}!")

ADAPTER = """
import os

from mmbench.adapters.open_clip.adapter import from_spec

class Counted:
    '''The real adapter, with a line in a log for each picture that goes through the model.'''

    def __init__(self):
        self.inner = from_spec("ViT-S-32@{checkpoint}", device="cpu", dtype="fp32", offline=True)
        self.fingerprint = self.inner.fingerprint

    def prepare_image(self, image):
        self.refuse_when_told()
        return self.inner.prepare_image(image)

    def embed_images(self, images):
        self.refuse_when_told()
        with open({log!r}, "a") as log:
            log.write("x" * len(images))
        return self.inner.embed_images(images)

    def embed_texts(self, texts):
        self.refuse_when_told()
        return self.inner.embed_texts(texts)

    def refuse_when_told(self):
        if os.path.exists({log!r} + ".refuse"):
            raise RuntimeError("asked again")
"""

RUN = """
import sys
sys.argv = ["mmbench", *{arguments!r}]
from mmbench.harness.cli.app import main
try:
    main()
finally:
    print(any(name in sys.modules for name in ("torch", "pandas")), file=sys.stderr)
"""


@dataclass(frozen=True)
class World:
    """What one cold run over the photographs left."""

    folder: Path
    checkpoint: Path
    labels: list[str]
    files: list[Path]
    classes: list[str]
    rows: list[dict[str, Any]]

    def run(self, code: str) -> tuple[list[dict[str, Any]], bool]:
        """Run all tasks in a new process; return rows and whether torch or pandas was imported."""
        (self.folder / "model.py").write_text(textwrap.dedent(code))
        tasks = [part for name in ("first", "second", "search") for part in ("--task", f"{self.folder}/{name}.yaml")]
        arguments = ["run", "--model", f"{self.folder}/model.py:Counted", *tasks, "--format", "json"]
        arguments += ["--output", f"{self.folder}/results", "--store", f"{self.folder}/store.sqlite"]
        done = subprocess.run(
            [sys.executable, "-c", RUN.format(arguments=arguments)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), done.stderr.strip().endswith("True")


def value(rows: list[dict[str, Any]], task: str, metric: str) -> float:
    return next(float(row["value"]) for row in rows if row["task"] == task and row["metric"] == metric)


@pytest.fixture(scope="module")
def world(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    import csv

    import open_clip
    import torch

    folder = tmp_path_factory.mktemp("photos")
    with (photos / "labels.csv").open() as file:
        table = list(csv.DictReader(file))[::EVERY]
    labels = [row["class_name"] for row in table]
    chosen = sorted(set(labels))[:CLASSES]
    torch.manual_seed(0)
    checkpoint = folder / "vit.pt"
    torch.save(open_clip.create_model("ViT-S-32", pretrained=None).state_dict(), checkpoint)
    with (folder / "data.jsonl").open("w") as file:
        for i, row in enumerate(table):
            captions = [template.format(row["class_name"]) for template in CAPTIONS]
            picture = os.path.relpath(photos / row["file"], folder)
            label = row["class_name"] if row["class_name"] in chosen else chosen[i % CLASSES]
            file.write(json.dumps({"image": picture, "label": label, "captions": captions}) + "\n")
    own = json.dumps([template("{}") for template in open_clip.OPENAI_IMAGENET_TEMPLATES[:TEMPLATES]])
    for name, templates in (("first", own), ("second", "simple-imagenet")):
        (folder / f"{name}.yaml").write_text(
            f"name: {name}\nfamily: zero-shot-classification\nsource: {{kind: jsonl, path: data.jsonl}}\n"
            f"classes: {json.dumps(chosen)}\ntemplates: {templates}\nmetrics: [accuracy, accuracy@5]\n"
        )
    (folder / "search.yaml").write_text(
        "name: search\nfamily: retrieval\nsource: {kind: jsonl, path: data.jsonl}\n"
        "metrics: [image_to_text/recall@1, image_to_text/recall@5, image_to_text/recall@10, image_to_text/median_rank,"
        " text_to_image/recall@1, text_to_image/recall@5, text_to_image/recall@10, text_to_image/median_rank]\n"
    )
    made = World(folder, checkpoint, labels, [photos / row["file"] for row in table], chosen, [])
    rows, imported = made.run(ADAPTER.format(checkpoint=checkpoint, log=str(folder / "asked.log")))
    assert imported
    yield World(folder, checkpoint, labels, made.files, chosen, rows)
    checkpoint.unlink()


@pytest.fixture(scope="module")
def plain(world: World) -> dict[str, Any]:
    """Cosines by code that shares nothing with the package: open_clip's transform, towers and tokenizer."""
    import open_clip
    import torch
    from PIL import Image

    model, _, transform = open_clip.create_model_and_transforms("ViT-S-32", pretrained=str(world.checkpoint))
    model.eval()
    tokenizer = open_clip.get_tokenizer("ViT-S-32")

    def encode(texts: list[str]) -> Any:
        tokens = tokenizer(texts)
        longest = int(tokens.argmax(-1).max()) + 1  # a causal tower never looks at the padding behind
        x = model.token_embedding(tokens[:, :longest]) + model.positional_embedding[:longest]
        x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:longest, :longest]))
        x = x[torch.arange(len(x)), tokens.argmax(-1)] @ model.text_projection
        return x / x.norm(dim=-1, keepdim=True)

    with torch.inference_mode():
        batches = [world.files[at : at + 50] for at in range(0, len(world.files), 50)]
        pictures = torch.cat(
            [model.encode_image(torch.stack([transform(Image.open(f).convert("RGB")) for f in b])) for b in batches]
        )
        pictures = pictures / pictures.norm(dim=-1, keepdim=True)
        probe = [template(world.classes[0]) for template in open_clip.OPENAI_IMAGENET_TEMPLATES[:TEMPLATES]]
        padded = model.encode_text(tokenizer(probe))
        assert torch.allclose(encode(probe), padded / padded.norm(dim=-1, keepdim=True), atol=1e-6)
        weights = []
        for name in world.classes:
            mean = encode([template(name) for template in open_clip.OPENAI_IMAGENET_TEMPLATES[:TEMPLATES]]).mean(0)
            weights.append(mean / mean.norm())
        captions = torch.cat([encode([c.format(label) for c in CAPTIONS]) for label in world.labels])
    return {
        "cosines": (pictures @ torch.stack(weights).T).numpy(),
        "search": (pictures.double() @ captions.double().T).numpy(),
    }


@pytest.mark.slow
def test_cosines_and_accuracy_are_those_of_plain_code(world: World, plain: dict[str, Any]) -> None:
    from mmbench.adapters.open_clip.adapter import from_spec
    from mmbench.harness.ask.subject import Subject
    from mmbench.harness.engine.local import LocalEngine
    from mmbench.harness.store.store import Store
    from mmbench.harness.tasks.task_file import load_task
    from mmbench.harness.types import Option

    task = load_task(world.folder / "first.yaml")
    adapter = from_spec(f"ViT-S-32@{world.checkpoint}", device="cpu", dtype="fp32", offline=True)
    store = Store(world.folder / "store.sqlite")
    record = next((world.folder / "results" / "runs").glob("*/first@1-*.json"))
    asked = json.loads(record.read_text())["fingerprint"]  # of the file that holds the adapter
    subject = Subject("vit", adapter, store, LocalEngine(adapter), fingerprint=asked)
    templates = (world.folder / "first.yaml", task.family.protocol())[1]["templates"]  # type: ignore[index,call-overload]
    options = [Option(name, tuple(t.replace("{}", name) for t in templates)) for name in world.classes]
    cosines = np.stack([choice.scores for choice in subject.choose(task.family.samples(), options)])
    assert store.meter.asked == 0
    assert np.abs(cosines - plain["cosines"]).max() < 1e-6

    targets = np.array([sample.target[0] for sample in task.family.samples()])
    order = np.argsort(-plain["cosines"], axis=1)
    assert value(world.rows, "first", "accuracy") == np.mean(order[:, 0] == targets)
    assert value(world.rows, "first", "accuracy@5") == np.mean((order[:, :5] == targets[:, None]).any(1))


@pytest.mark.slow
def test_retrieval_is_that_of_brute_force(world: World, plain: dict[str, Any]) -> None:
    scores = plain["search"]
    owner = np.repeat(np.arange(len(world.files)), len(CAPTIONS))
    by_image = np.argsort(-scores, axis=1)
    first = np.array([np.flatnonzero(owner[row] == i)[0] for i, row in enumerate(by_image)]) + 1
    by_text = np.argsort(-scores.T, axis=1)
    found = np.array([np.flatnonzero(row == owner[j])[0] for j, row in enumerate(by_text)]) + 1
    for direction, ranks in (("image_to_text", first), ("text_to_image", found)):
        for k in (1, 5, 10):
            assert value(world.rows, "search", f"{direction}/recall@{k}") == pytest.approx(
                np.mean(ranks <= k), abs=1e-12
            )
        assert value(world.rows, "search", f"{direction}/median_rank") == np.median(ranks)


@pytest.mark.slow
def test_each_photograph_is_embedded_once_for_three_tasks(world: World) -> None:
    assert (world.folder / "asked.log").stat().st_size == len(world.files)


@pytest.mark.slow
def test_a_warm_run_asks_nothing_and_imports_no_torch(world: World) -> None:
    log = world.folder / "asked.log"
    (world.folder / "asked.log.refuse").touch()
    rows, imported = world.run(ADAPTER.format(checkpoint=world.checkpoint, log=str(log)))
    assert rows == world.rows
    assert not imported
