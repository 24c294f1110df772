"""Retrieval agrees with a brute-force ranking of all pairs, however the captions are laid out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.records.outcomes import read_outcomes
from mmbench.harness.run.result import Run
from mmbench.harness.run.run import run
from mmbench.harness.tasks.task_file import load_task
from mmbench.harness.types import Outcome, Score
from tests import fakes

Captions = list[list[str]]
METRICS = [f"{way}/{what}" for way in ("image_to_text", "text_to_image") for what in ("recall@1", "recall@3")]
KEYS = f"metrics: {json.dumps([*METRICS, 'image_to_text/median_rank', 'text_to_image/median_rank'])}\n"


def table(images: np.ndarray, texts: np.ndarray) -> fakes.Towers:
    """Look vectors up: a picture by its red, a text by the number after its last space."""
    return fakes.Towers(
        images.__getitem__, lambda text: texts[int(text.rpartition(" ")[2])], lambda seen: seen[0].getpixel((0, 0))[0]
    )


def draw(folder: Path, count: int) -> None:
    for i in range(count):
        PIL.Image.new("RGB", (3, 3), (i, 0, 0)).save(folder / f"{i}.png")


def captions(counts: list[int]) -> Captions:
    numbers = iter(range(sum(counts)))
    return [[f"caption, number {next(numbers)}" for _ in range(count)] for count in counts]


def as_csv(folder: Path, rows: list[list[str]]) -> str:
    import csv

    with (folder / "items.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return "{kind: csv, path: items.csv}\n"


def columns(folder: Path, texts: Captions) -> str:
    """Several caption columns, some cells empty."""
    widest = max(map(len, texts))
    header = ["file", *(f"c{i}" for i in range(widest))]
    rows = [[f"{i}.png", *own, *[""] * (widest - len(own))] for i, own in enumerate(texts)]
    return as_csv(folder, [header, *rows]) + f"fields: {{image: file, captions: {json.dumps(header[1:])}}}\n"


def list_column(folder: Path, texts: Captions) -> str:
    """JSON lists in a column."""
    return as_csv(folder, [["image", "captions"], *([f"{i}.png", json.dumps(own)] for i, own in enumerate(texts))])


def neighbours(folder: Path, texts: Captions) -> str:
    """A row for each caption, those of a picture together."""
    rows = [[f"{i}.png", text] for i, own in enumerate(texts) for text in own]
    return as_csv(folder, [["image", "caption"], *rows]) + "fields: {captions: caption}\n"


def lines(folder: Path, texts: Captions) -> str:
    """Lists in JSON lines."""
    rows = [json.dumps({"image": f"{i}.png", "captions": own}) for i, own in enumerate(texts)]
    (folder / "items.jsonl").write_text("\n".join(rows))
    return "{kind: jsonl, path: items.jsonl}\n"


def parquet(folder: Path, texts: Captions) -> str:
    """Pictures and lists in Parquet."""
    pictures = [{"bytes": (folder / f"{i}.png").read_bytes(), "path": f"{i}.png"} for i in range(len(texts))]
    pq.write_table(pa.table({"image": pictures, "captions": texts}), folder / "items.parquet")
    return "{kind: parquet, path: items.parquet}\n"


def parquet_columns(folder: Path, texts: Captions) -> str:
    """Caption columns in Parquet, some cells null."""
    widest = max(map(len, texts))
    held: dict[str, list[Any]] = {f"c{j}": [own[j] if j < len(own) else None for own in texts] for j in range(widest)}
    pq.write_table(pa.table({"image": [f"{i}.png" for i in range(len(texts))], **held}), folder / "items.parquet")
    return "{kind: parquet, path: items.parquet}\n" + f"fields: {{captions: {json.dumps(list(held))}}}\n"


def apart(folder: Path, texts: Captions) -> str:
    """A row for each caption, those of a picture far apart and their paths written in two ways."""
    widest = max(map(len, texts))
    rows = [[f"{'./' * (j % 2)}{i}.png", own[j]] for j in range(widest) for i, own in enumerate(texts) if j < len(own)]
    return as_csv(folder, [["image", "caption"], *rows]) + "fields: {captions: caption}\n"


def copies(folder: Path, texts: Captions) -> str:
    """A copy of the picture for each caption."""
    rows = [[f"{i}-{j}.png", text] for i, own in enumerate(texts) for j, text in enumerate(own)]
    for name, _ in rows:
        (folder / name).write_bytes((folder / f"{name.partition('-')[0]}.png").read_bytes())
    return as_csv(folder, [["image", "caption"], *rows]) + "fields: {captions: caption}\n"


def repeated_bytes(folder: Path, texts: Captions) -> str:
    """The bytes of the picture again for each caption."""
    rows = [((folder / f"{i}.png").read_bytes(), text) for i, own in enumerate(texts) for text in own]
    images = [{"bytes": data, "path": f"{n}.png"} for n, (data, _) in enumerate(rows)]
    pq.write_table(pa.table({"image": images, "captions": [text for _, text in rows]}), folder / "items.parquet")
    return "{kind: parquet, path: items.parquet}\n"


def task(folder: Path, source: str, keys: str = KEYS) -> Path:
    (folder / "items.yaml").write_text(f"name: items\nfamily: retrieval\nsource: {source}{keys}")
    return folder / "items.yaml"


def ask(model: object, path: Path) -> tuple[Run, dict[str, Score], list[Outcome]]:
    folder = path.parent
    made = run(model, task=str(path), output=folder / "results", store=folder / "store.sqlite")
    assert [str(problem.error) for problem in made.problems] == []
    record = made.records[0]
    outcomes = read_outcomes(folder / "results" / "runs" / record.model / record.file_name)
    return made, {each.metric: each for each in record.scores}, outcomes


def brute_force(images: np.ndarray, texts: np.ndarray, owner: np.ndarray) -> dict[str, float]:
    """Every metric from the full matrix of cosines, with a sort for each query."""
    left = images / np.linalg.norm(images, axis=1, keepdims=True)
    right = texts / np.linalg.norm(texts, axis=1, keepdims=True)
    cosines = left @ right.T
    by_image = [1 + min(np.argsort(-row).tolist().index(j) for j in np.flatnonzero(owner == i))
                for i, row in enumerate(cosines)]  # fmt: skip
    by_text = [1 + np.argsort(-column).tolist().index(owner[j]) for j, column in enumerate(cosines.T)]
    found = {}
    for way, ranks in (("image_to_text", np.array(by_image)), ("text_to_image", np.array(by_text))):
        found |= {f"{way}/recall@{k}": float(np.mean(ranks <= k)) for k in (1, 3)}
        found[f"{way}/median_rank"] = float(np.median(ranks))
    return found


@pytest.mark.parametrize(
    "layout", [columns, list_column, neighbours, lines, parquet, parquet_columns, apart, copies, repeated_bytes]
)
def test_values_are_those_of_brute_force(tmp_path: Path, layout: Callable[[Path, Captions], str]) -> None:
    counts = [1, 2, 5, 1, 3, 2, 2, 4]
    texts = captions(counts)
    rng = np.random.default_rng(3)
    images, vectors = rng.standard_normal((8, 6)), rng.standard_normal((20, 6))
    draw(tmp_path, 8)
    _, scores, outcomes = ask(table(images, vectors), task(tmp_path, layout(tmp_path, texts)))
    expected = brute_force(images, vectors, np.repeat(np.arange(8), counts))
    assert {name: made.value for name, made in scores.items()} == pytest.approx(expected)
    assert [(made.n, made.coverage) for made in scores.values()] == [
        (8 if name.startswith("image") else 20, 1.0) for name in scores
    ]
    assert [each.unit for each in outcomes] == ["image"] * 8 + ["text"] * 20
    assert [each.target for each in outcomes[8:]] == [text for own in texts for text in own]
    assert outcomes[2].target == " | ".join(texts[2])
    clusters = [each.cluster for each in outcomes]
    assert len(set(clusters)) == 8
    assert clusters[8:] == [clusters[i] for i in np.repeat(np.arange(8), counts)], "captions go with their picture"
    first = outcomes[2].id
    assert [each.id for each in outcomes[8:] if each.cluster == clusters[2]] == [f"{first}#{j}" for j in range(5)]


@pytest.mark.parametrize("route", ["embed", "likelihood"])
def test_what_stands_before_the_wanted_is_told(tmp_path: Path, route: str) -> None:
    """Pictures 0 and 1 see the captions of each other best, picture 2 its own."""
    for i in range(4):
        fakes.numbered(i).save(tmp_path / f"{i}.png")
    (tmp_path / "1.png").write_bytes(b"broken")  # what failed has left the numbers of the others
    source = columns(tmp_path, captions([1, 1, 1, 1]))
    seen_best = {0: 2, 2: 0, 3: 3}
    of_texts = np.eye(4) + 0.1
    model: object = fakes.Towers(lambda i: of_texts[seen_best[i]], lambda text: of_texts[int(text[-1])], fakes.number)
    if route == "likelihood":
        model = fakes.Likely(lambda seen, _, text: 0.0 if int(text[-1]) == seen_best[seen] else -5.0 - int(text[-1]))
    _, _, outcomes = ask(model, task(tmp_path, source + f"routes: [{route}]\n"))
    said = {(each.unit, each.id): each.prediction for each in outcomes}
    assert str(said["image", "0"]).endswith("; first: caption, number 2")
    assert str(said["image", "2"]).endswith("; first: caption, number 0")
    assert said["image", "1"] is None
    assert said["image", "3"] == "rank 1"
    assert str(said["text", "0#0"]).endswith("; first: picture of item 2")
    assert str(said["text", "2#0"]).endswith("; first: picture of item 0")
    assert said["text", "3#0"] == "rank 1"


@pytest.mark.parametrize("route", ["embed", "likelihood"])
def test_equal_pictures_are_one(tmp_path: Path, route: str) -> None:
    """Each picture stands twice, each time with another caption; a model that sees right finds every one first."""
    for i in range(3):
        fakes.numbered(i).save(tmp_path / f"{i}.png")
    source = copies(tmp_path, captions([2, 2, 2]))
    (tmp_path / "again.png").write_bytes(b"broken")
    lines = (tmp_path / "items.csv").read_text() + "again.png,lost\nagain.png,lost too\n"
    (tmp_path / "items.csv").write_text(lines)
    owner = np.eye(3)
    of_texts = np.repeat(owner, 2, axis=0)
    model: object = fakes.Towers(owner.__getitem__, lambda text: of_texts[int(text[-1])], fakes.number)
    if route == "likelihood":
        model = fakes.Likely(lambda seen, _, text: 0.0 if "lost" not in text and int(text[-1]) // 2 == seen else -5.0)
    made, scores, outcomes = ask(model, task(tmp_path, source + f"routes: [{route}]\n"))
    assert [scores[f"{way}/recall@1"].value for way in ("image_to_text", "text_to_image")] == [1.0, 1.0]
    assert [(scores[f"{way}/recall@1"].n) for way in ("image_to_text", "text_to_image")] == [3, 6]
    assert len(outcomes) == 4 + 8
    assert made.records[0].notes == (
        "items that show the picture of an earlier one, whose captions were put together: 3",
    )


def test_chance_is_what_a_collapsed_model_scores(tmp_path: Path) -> None:
    counts = [1, 2, 3, 2]
    draw(tmp_path, 4)
    _, scores, _ = ask(table(np.ones((4, 2)), np.ones((8, 2))), task(tmp_path, list_column(tmp_path, captions(counts))))
    for name in METRICS:
        assert scores[name].value == pytest.approx(scores[name].chance, abs=1e-12)
    assert scores["image_to_text/median_rank"].chance is None
    assert scores["image_to_text/recall@1"].value == pytest.approx(np.mean([c / 8 for c in counts]))
    assert scores["text_to_image/recall@3"].value == pytest.approx(3 / 4)
    assert scores["text_to_image/median_rank"].value == 2.5


def test_an_unreadable_picture_leaves_queries_and_gallery(tmp_path: Path) -> None:
    counts = [2, 1, 2, 3]
    rng = np.random.default_rng(4)
    images, vectors = rng.standard_normal((4, 6)), rng.standard_normal((8, 6))
    draw(tmp_path, 4)
    (tmp_path / "1.png").write_bytes(b"broken")
    made, scores, outcomes = ask(table(images, vectors), task(tmp_path, list_column(tmp_path, captions(counts))))
    kept_texts = [0, 1, 3, 4, 5, 6, 7]
    expected = brute_force(images[[0, 2, 3]], vectors[kept_texts], np.repeat(np.arange(3), [2, 2, 3]))
    assert {name: each.value for name, each in scores.items()} == pytest.approx(expected)
    first = scores["image_to_text/recall@1"]
    assert (first.n, first.coverage) == (3, 0.75)
    assert first.bounds is not None
    assert first.value is not None
    assert first.bounds == pytest.approx((first.value * 3 / 4, (first.value * 3 + 1) / 4))
    assert (scores["text_to_image/recall@1"].n, scores["text_to_image/recall@1"].coverage) == (7, 7 / 8)
    assert [(each.id, each.status) for each in outcomes if each.status != "ok"] == [("1", "error"), ("1#0", "error")]
    assert made.exit_code == 1


def test_default_metrics_and_names(tmp_path: Path) -> None:
    draw(tmp_path, 1)
    source = list_column(tmp_path, captions([2]))
    names = [metric.name for metric in load_task(task(tmp_path, source, "")).family.metrics]
    assert names == [f"{way}/recall@{k}" for way in ("image_to_text", "text_to_image") for k in (1, 5, 10)]
    with pytest.raises(UsageError, match=r"no metric 'image_to_text/recal@1'; did you mean 'image_to_text/recall@1'"):
        _ = load_task(task(tmp_path, source, "metrics: [image_to_text/recal@1]\n")).opened
    with pytest.raises(UsageError, match="unknown key 'templates'"):
        _ = load_task(task(tmp_path, source, "templates: plain\n")).opened


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["0.png", " "]], "items.csv line 2: no caption in captions"),
        ([["0.png", "[]"]], "items.csv line 2: no caption in captions"),
        ([["", "a"]], "items.csv line 2: expected a picture"),
    ],
)
def test_rows_that_cannot_be_used(tmp_path: Path, rows: list[list[str]], expected: str) -> None:
    made = load_task(task(tmp_path, as_csv(tmp_path, [["image", "captions"], *rows])))
    with pytest.raises(DataError) as caught:
        list(made.family.samples())
    assert str(caught.value).startswith(expected)


def test_ids_and_facts_are_those_of_the_first_row(tmp_path: Path) -> None:
    rows = [["0.png", "a", "x", "k0"], ["0.png", "b", "y", "k1"], ["1.png", "c", "z", "k2"]]
    source = as_csv(tmp_path, [["image", "captions", "place", "id"], *rows])
    samples = list(load_task(task(tmp_path, source, "facts: [place]\n")).family.samples())
    assert [(s.id, s.references, dict(s.facts)) for s in samples] == [
        ("k0", ("a", "b"), {"place": "x"}),
        ("k2", ("c",), {"place": "z"}),
    ]
