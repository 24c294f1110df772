"""What a task takes for its classes, as people write lists of them, and what is refused or told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmbench.harness.tasks.task import Task
from mmbench.harness.tasks.task_file import load_task
from tests.builders import fails

Make = Callable[..., Task]
FAMILY = "zero-shot-classification"


@pytest.fixture
def task(tmp_path: Path) -> Make:
    """Makes a task of rows with these labels; `keys` are further lines of the task."""
    PIL.Image.new("RGB", (4, 4)).save(tmp_path / "1.png")

    def make(labels: list[Any], keys: str = "") -> Task:
        (tmp_path / "d.jsonl").write_text("".join(json.dumps({"image": "1.png", "label": x}) + "\n" for x in labels))
        (tmp_path / "t.yaml").write_text(f"name: t\nfamily: {FAMILY}\nsource: {{kind: jsonl, path: d.jsonl}}\n{keys}")
        return load_task(tmp_path / "t.yaml")

    return make


def right(task: Task) -> list[tuple[str, ...]]:
    names = task.family.classes.names  # type: ignore[attr-defined]
    return [tuple(names[place] for place in sample.target) for sample in task.family.samples()]


@pytest.mark.parametrize("written", ['["red", "green"]', '{"0": "red", "1": "green"}'])
def test_a_json_file_is_read_as_json(task: Make, tmp_path: Path, written: str) -> None:
    (tmp_path / "classes.json").write_text(written)
    assert right(task([0, 1], "classes: classes.json\n")) == [("red",), ("green",)]


@pytest.mark.parametrize(
    ("name", "written", "reason"),
    [
        ("c.csv", "id,name\n0,red\n1,green\n", "is a table"),
        ("c.txt", '[\n"red",\n"green"\n]\n', "a list in brackets"),
        ("c.json", '{"0": ["n01", "red"]}', "expected text"),
        ("c.json", '"red"', "holds no list"),
        ("c.json", "[red]", "no JSON"),
        ("none.txt", None, "is not a text file beside the task"),
    ],
)
def test_a_file_whose_lines_are_no_names_is_refused(
    task: Make, tmp_path: Path, name: str, written: str | None, reason: str
) -> None:
    if written is not None:
        (tmp_path / name).write_text(written)
    fails(lambda: task([0, 1], f"classes: {name}\n").opened, reason)


def test_a_table_says_what_the_data_writes_for_each_class(task: Make) -> None:
    keys = "classes: {'1': red, '2': green, n03: blue}\n"
    assert right(task([1, "2", "n03", [1, "n03"]], keys)) == [("red",), ("green",), ("blue",), ("red", "blue")]
    fails(lambda: right(task([0], keys)), "d.jsonl line 1", "'0' is none of the 3 labels")


def test_numbers_that_may_count_from_one_say_so(task: Make) -> None:
    fails(lambda: right(task([1, 2], "classes: [red, green]\n")), "line 2", "where they count from 1", "{'1': red")


def test_labels_that_leave_out_the_first_class_are_told(bench: Any) -> None:
    def notes(labels: list[int]) -> tuple[str, ...]:
        rows = [{"image": bench.picture(n), "label": label} for n, label in enumerate(labels)]
        held: tuple[str, ...] = bench.ask(
            "chance", bench.task(FAMILY, rows, "classes: ['no', red, green]\n")
        ).record.notes
        return held

    (note,) = notes([1, 2, 1])
    assert "no label is 0 ('no')" in note
    assert notes([0, 1, 2]) == notes([1, 1]) == ()


def test_zeros_and_ones_for_each_class_are_not_taken_for_indices(task: Make) -> None:
    for label in ([1, 0, 0], [0, 1, 0], ["0", "1", "1"], "[0, 0, 1]"):
        fails(lambda label=label: right(task([label], "classes: [a, b, c]\n")), "a 0 or 1 for each class")
    assert right(task([[0, 1], [2, 0]], "classes: [a, b, c]\n")) == [("a", "b"), ("c", "a")]
    assert right(task([["0", "1"], ["1"]], "classes: ['0', '1']\n")) == [("0", "1"), ("1",)]


def test_several_labels_in_one_text_are_no_class(task: Make) -> None:
    fails(lambda: task(["red;blue", "green", "blue;green"]).opened, "'blue;green'", '["blue", "green"]')
    fails(lambda: task(["a|b", "a"]).opened, "with '|' between")
    assert task(["and/or", "tench, Tinca tinca", "x; y"]).family.classes.names  # type: ignore[attr-defined]
    assert right(task(["red;blue", "blue"], "classes: ['red;blue', blue]\n")) == [("red;blue",), ("blue",)]


@pytest.mark.parametrize(
    ("labels", "keys", "note"),
    [
        (["Red", "red"], "", "differ in capital letters, spaces or hyphens alone"),
        (["hot dog", "Hot_Dog"], "", "'Hot_Dog' and 'hot dog' differ in capital letters"),
        (["apple_pie", "red"], "", "underscores (apple_pie)"),
        ([0, 1], "classes: ['0 red', '1 green']\n", "begin with their numbers"),
        ([0, 1], "classes: ['1. red', '2. green']\n", "begin with their numbers"),
        ([0], "classes: ['red, green']\n", "but one class"),
        (["1", "2"], "", "all digits"),
    ],
)
def test_names_that_look_wrong_are_noted(task: Make, labels: list[Any], keys: str, note: str) -> None:
    assert any(note in each for each in task(labels, keys).opened.notes)


def test_names_that_look_right_are_not_noted(task: Make) -> None:
    assert not task([0, 1], "classes: ['2 euro', '1 euro']\n").opened.notes
    assert not task(["a", "b"]).opened.notes


def test_a_label_that_is_a_record_names_its_parts(task: Make) -> None:
    fails(lambda: task([{"id": 1, "name": "red"}]).opened, "line 1", "records of 'id', 'name'", "`label.name`")


def test_imagenet_by_its_folders(tmp_path: Path) -> None:
    names = ["n01440764", *(f"n{2000000 + number:08}" for number in range(998)), "n15075141"]
    for name in names:
        (tmp_path / "val" / name).mkdir(parents=True)
        (tmp_path / "val" / name / "1.JPEG").touch()
    (tmp_path / "t.yaml").write_text(
        f"name: t\nfamily: {FAMILY}\nsource: {{kind: folder, path: val}}\nclasses: imagenet\n"
    )
    found = right(load_task(tmp_path / "t.yaml"))
    assert (found[0], found[1], found[-1]) == (("tench",), ("goldfish",), ("toilet paper",))


def test_a_table_over_names_that_the_data_has(tmp_path: Path) -> None:
    feature = {"info": {"features": {"label": {"names": ["hot_dog", "apple_pie"], "_type": "ClassLabel"}}}}
    table = pa.table({"image": ["1.png", "1.png"], "label": [1, 0]})
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(feature)}), tmp_path / "d.parquet")
    (tmp_path / "t.yaml").write_text(
        f"name: t\nfamily: {FAMILY}\nsource: {{kind: parquet, path: d.parquet}}\n"
        "classes: {apple_pie: apple pie, hot_dog: hot dog}\n"
    )
    assert right(load_task(tmp_path / "t.yaml")) == [("apple pie",), ("hot dog",)]
