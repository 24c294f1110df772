"""A task of rows in memory is run, stored, resumed and compared as any other, and later changes reach nothing of it."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from mmbench.harness.compare.compare import compare
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.media.image import Image
from mmbench.harness.run.predictions import score
from mmbench.harness.run.run import run
from mmbench.harness.tasks.rows import task
from mmbench.harness.tasks.task_file import load_task

CLASSES = "zero-shot-classification"


def picture(level: int) -> PIL.Image.Image:
    return PIL.Image.new("RGB", (4, 4), (level, 9, 9))


def encoded(level: int) -> bytes:
    held = io.BytesIO()
    picture(level).save(held, "PNG")
    return held.getvalue()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_kind_of_picture_and_label_is_read(folder: Path) -> None:
    Path("five.png").write_bytes(encoded(5))
    pictures: list[Any] = [
        picture(1),
        np.full((4, 4, 3), 2, np.uint8),
        np.full((4, 4), 3, np.uint8),
        encoded(4),
        bytearray(encoded(6)),
        Path("five.png"),
        "five.png",
        {"bytes": encoded(7), "path": None},
        Image.from_pil(picture(8)),
    ]
    labels = ["cat", 1, np.int64(0), np.str_("dog"), "cat", "cat", "dog", "dog", "1"]
    rows = [{"image": each, "label": label} for each, label in zip(pictures, labels, strict=True)]
    made = task(CLASSES, rows, classes=("cat", "dog"), name="mine", version=2)
    samples = list(made.family.samples())
    assert [sample.target for sample in samples] == [(0,), (1,), (0,), (1,), (0,), (0,), (1,), (1,), (1,)]
    levels = [sample.media[0].pil().getpixel((0, 0))[0] for sample in samples]
    assert levels == [1, 2, 3, 4, 6, 5, 5, 7, 8]
    done = run("chance", task=made)
    assert (done.exit_code, done.records[0].reference, done.records[0].scores[0].n) == (0, "mine@2", 9)


def test_rows_equal_those_of_a_file(folder: Path) -> None:
    Path("p.png").write_bytes(encoded(1))
    rows = [{"id": "a", "image": "p.png", "question": "What?", "answers": ["x", "y"], "kind": "k"}]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("mine.yaml").write_text(
        "name: mine\nfamily: vqa\nsource: {kind: jsonl, path: rows.jsonl}\nfacts: [kind]\ncandidates: [x, z]\n"
    )
    of_rows = task("vqa", rows, name="mine", facts=["kind"], candidates=["x", "z"])
    in_memory, in_file = run("chance", task=of_rows).records[0], run("chance", task="mine.yaml").records[0]
    assert in_memory.dataset == in_file.dataset
    assert in_memory.protocol == in_file.protocol
    assert in_memory.breakdown == in_file.breakdown
    assert load_task(Path("mine.yaml")).alike(of_rows)


def test_what_changes_later_changes_nothing(folder: Path) -> None:
    own, array, answers, classes = picture(1), np.full((4, 4, 3), 2, np.uint8), [["x"], ["y"]], ["a", "b"]
    rows: list[dict[str, Any]] = [
        {"image": own, "label": 0, "more": answers, "deep": {"list": [1]}},
        {"image": array, "label": 1, "more": answers, "deep": {"list": [1]}},
    ]
    made = task(CLASSES, rows, classes=classes, facts=["more", "deep.list"])
    before = run("chance", task=made).records[0]
    own.paste((7, 7, 7), (0, 0, 4, 4))
    array[:] = 9
    answers.append(["z"])
    classes.reverse()
    rows[0]["label"] = 1
    rows[0]["deep"]["list"].append(2)
    rows.append(rows[0])
    after = run("chance", task=made).records[0]
    again = made.open()
    assert (after.dataset, after.protocol, after.scores) == (before.dataset, before.protocol, before.scores)
    assert [sample.facts for sample in again.family.samples()] == [{"more": [["x"], ["y"]], "deep.list": [1]}] * 2
    changed = run("chance", task=task(CLASSES, rows[:2], classes=["a", "b"])).records[0]
    assert changed.dataset["digest"] != before.dataset["digest"]


def test_models_are_compared_and_what_was_asked_is_remembered(folder: Path) -> None:
    rows = [{"image": picture(level), "label": "ab"[level % 2]} for level in range(8)]
    first = run(["chance", "chance:1"], tasks=[task(CLASSES, rows, name="mine"), "digits"], limit=8)
    assert [record.task for record in first.records] == ["mine", "digits"] * 2
    again = run("chance", tasks=[task(CLASSES, (dict(row) for row in rows), name="mine")])
    assert (again.records[0].asked, again.records[0].protocol) == (0, first.records[0].protocol)
    assert {row.task for row in compare("chance", "chance-1").rows} == {"mine", "digits"}


def test_predictions_are_scored_on_rows(folder: Path) -> None:
    made = task("vqa", [{"question": "q", "answers": ["a"]}, {"question": "q", "answers": ["b"]}])
    Path("said.jsonl").write_text('{"id": 0, "prediction": "a"}\n{"id": 1, "prediction": "a"}\n')
    scored = score(made, "said.jsonl")
    assert (scored.rows()[0]["metric"], scored.rows()[0]["value"]) == ("exact_match", 0.5)
    assert repr(scored) == "Scored(said, rows@1: exact_match 0.500)"


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (np.zeros((4, 4, 3)), "row 0, image: pixels of type float64 and shape (4, 4, 3), expected uint8 grey or RGB"),
        (np.zeros((4, 4, 4), np.uint8), "row 0, image: pixels of type uint8 and shape (4, 4, 4), expected"),
        (PIL.Image.new("F", (4, 4)), "row 0, image: floating-point levels"),
        ("gone.png", "gone.png: No such file or directory"),
        (b"no picture", "not a readable picture"),
    ],
)
def test_a_picture_that_cannot_be_read_is_the_error_of_its_item(folder: Path, cell: object, reason: str) -> None:
    rows = [{"image": cell, "label": "a"}, {"image": picture(1), "label": "b"}]
    (record,) = run("chance", task=task(CLASSES, rows)).records
    assert (record.errors, record.scores[0].n) == (1, 1)
    assert reason in str(record.first_error)


ROW = {"image": picture(1), "label": "a"}
VQA = {"image": picture(1), "question": "q", "answers": ["a"]}
WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: task(CLASSES, []), "a task needs at least one row"),
    (lambda: task(CLASSES, {"image": [1]}), "'rows' is one mapping; give a list with a mapping of columns"),  # type: ignore[arg-type]
    (lambda: task(CLASSES, "rows.csv"), "'rows' is of type str; give a list of rows, and for a file write"),  # type: ignore[arg-type]
    (lambda: task(CLASSES, 5), "'rows' is of type int"),  # type: ignore[arg-type]
    (lambda: task(CLASSES, [1]), "row 0 (counted from 0) is of type int, expected a mapping"),  # type: ignore[list-item]
    (lambda: task(CLASSES, [{3: 4}]), "row 0 (counted from 0) has a column called 3"),  # type: ignore[dict-item]
    (lambda: task("zero-shot", [ROW]), "task 'rows': there is no family 'zero-shot'; did you mean 'zero-shot-class"),
    (lambda: task(CLASSES, [ROW], clases=["a"]), "task 'rows': unknown key 'clases'; did you mean 'classes'?"),
    (lambda: task(CLASSES, [ROW], source={}), "task 'rows' has its rows, and takes no key 'source'"),
    (lambda: task(CLASSES, [ROW], fields={"image": "imag"}), "the data has no column 'imag'; did you mean 'image'?"),
    (lambda: task(CLASSES, [ROW], facts=["labl"]), "the data has no column 'labl'; did you mean 'label'? for 'facts'"),
    (lambda: task(CLASSES, [{"image": picture(1)}]), "'fields' must say which column holds 'label' (columns: image)"),
    (lambda: task(CLASSES, [ROW], name="a/b"), "'name' is made of letters, digits and the marks _ . + -, not 'a/b'"),
    (lambda: task(CLASSES, [ROW], metrics=["acuracy"]), "has no metric 'acuracy'; did you mean 'accuracy'?"),
    (lambda: task(CLASSES, [ROW], version="x"), "task 'rows': 'version': input should be a valid integer"),
    (lambda: task(CLASSES, [ROW, {"image": picture(1)}]), "row 1 (counted from 0) has no column 'label'"),
    (
        lambda: task("vqa", [VQA], candidates={"split": "train"}),
        "`candidates` cannot be other rows of a task in memory",
    ),
]


@pytest.mark.parametrize(("make", "reason"), WRONG)
def test_what_cannot_be_used_is_told_at_once(make: Callable[[], object], reason: str) -> None:
    with pytest.raises(DataError) as caught:
        make()
    assert reason in str(caught.value)
    assert " line " not in str(caught.value)


def test_a_frame_is_told_how_its_rows_are_had() -> None:
    import pandas as pd

    with pytest.raises(DataError, match=r"give its rows: rows=frame\.to_dict\('records'\)"):
        task(CLASSES, pd.DataFrame([ROW]))  # type: ignore[arg-type]


def test_two_tasks_of_one_name_are_refused(folder: Path) -> None:
    one, other = task(CLASSES, [ROW]), task(CLASSES, [ROW, {"image": picture(2), "label": "b"}])
    with pytest.raises(UsageError, match="two different tasks are called rows@1; give one another name or version"):
        run("chance", task=[one, other])
    assert repr(one) == "Task(rows@1, zero-shot-classification)"
