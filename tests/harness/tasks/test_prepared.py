"""Rows as a task declares them: some alone, empty cells named, texts composed of columns, tables joined."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmbench.harness.tasks.prepared import prepared
from mmbench.harness.tasks.source import Row, SourceSpec
from mmbench.harness.tasks.task import Task
from mmbench.harness.tasks.task_file import load_task
from tests.builders import fails

ROWS: list[dict[str, Any]] = [
    {
        "id": 1,
        "kind": "image",
        "level": 1,
        "easy": True,
        "hint": "nan",
        "question": "What is it?",
        "answers": ["cat"],
        "of": "a",
    },
    {
        "id": 2,
        "kind": "video",
        "level": 2,
        "easy": False,
        "hint": "It barks.",
        "question": "And this?",
        "answers": ["dog"],
        "of": "b",
    },
    {
        "id": 3,
        "kind": "image",
        "level": 2,
        "easy": None,
        "hint": "It moos.",
        "question": "And that?",
        "answers": ["cow"],
        "of": "a",
    },
]
MORE = [{"key": "a", "scene": "yard", "id": 8}, {"key": "b", "scene": "", "id": 9}]


def jsonl(folder: Path) -> str:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (folder / "more.jsonl").write_text("".join(json.dumps(row) + "\n" for row in MORE))
    return "kind: jsonl, path: rows.jsonl"


def parquet(folder: Path) -> str:
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "rows.parquet")
    pq.write_table(pa.Table.from_pylist(MORE), folder / "more.parquet")
    return "kind: parquet, path: rows.parquet"


def task(folder: Path, keys: str, more: str = "", kind: Callable[[Path], str] = jsonl) -> Task:
    (folder / "task.yaml").write_text(f"name: rows\nfamily: vqa\nsource: {{{kind(folder)}, {keys}}}\n{more}")
    return load_task(folder / "task.yaml")


def asked(made: Task) -> list[tuple[str, str]]:
    return [(sample.id, sample.question) for sample in made.family.samples()]


@pytest.mark.parametrize("kind", [jsonl, parquet])
@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("{kind: image}", ["1", "3"]),
        ("{kind: [image, video]}", ["1", "2", "3"]),
        ("{kind: image, level: 2}", ["3"]),
        ("{level: 2}", ["2", "3"]),
        ("{easy: true}", ["1"]),
        ("{easy: null}", ["3"]),
        ("{kind: {other_than: video}}", ["1", "3"]),
        ("{easy: {other_than: [true, null]}}", ["2"]),
    ],
)
def test_some_rows_alone(tmp_path: Path, kind: Any, where: str, ids: list[str]) -> None:
    made = task(tmp_path, f"where: {where}", kind=kind)
    assert [sample for sample, _ in asked(made)] == ids
    assert made.size == len(ids)
    assert made.opened.notes[0] == f"`where` keeps {len(ids)} of 3 rows"


@pytest.mark.parametrize("kind", [jsonl, parquet])
def test_a_text_is_composed_without_the_lines_that_are_empty(tmp_path: Path, kind: Any) -> None:
    keys = "empty: [nan], texts: {asked: ['Hint: {hint}', '{question} ({level})']}"
    made = task(tmp_path, keys, "fields: {question: asked}\n", kind)
    assert asked(made) == [
        ("1", "What is it? (1)"),
        ("2", "Hint: It barks.\nAnd this? (2)"),
        ("3", "Hint: It moos.\nAnd that? (2)"),
    ]


@pytest.mark.parametrize(("kind", "more"), [(jsonl, "more.jsonl"), (parquet, "more.parquet")])
def test_other_rows_add_their_columns(tmp_path: Path, kind: Any, more: str) -> None:
    keys = f"join: {{path: {more}, by: {{of: key}}}}, texts: {{asked: ['In the {{scene}}.', '{{question}}']}}"
    made = task(tmp_path, keys, "fields: {question: asked}\nfacts: [scene]\n", kind)
    assert asked(made) == [("1", "In the yard.\nWhat is it?"), ("2", "And this?"), ("3", "In the yard.\nAnd that?")]
    assert [sample.facts for sample in made.family.samples()] == [{"scene": "yard"}, {"scene": ""}, {"scene": "yard"}]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("where: {kid: image}", "`where`: the data has no column 'kid'; did you mean 'kind'?"),
        ("where: {kind: imag}", "`where`: no row has 'imag' in 'kind', only 'image', 'video'"),
        ("where: {kind: [image, film]}", "no row has 'film' in 'kind'"),
        ("where: {kind: video, level: 1}", "`where` keeps no row"),
        ("where: {kind: {other_than: [video, vidoe]}}", "no row has 'vidoe' in 'kind'"),
        ("where: {kind: {not: video}}", "unknown key 'not'"),
        ("where: {answers: cat}", "'answers' holds lists, expected texts"),
        ("texts: {question: '{hint}'}", "the data has a column 'question' already"),
        ("texts: {asked: '{hnt}'}", "`texts`: the data has no column 'hnt'; did you mean 'hint'?"),
        ("join: {path: more.jsonl, by: {ofs: key}}", "`join`: the data has no column 'ofs'"),
        ("join: {path: more.jsonl, by: {of: kee}}", "`join`: the data has no column 'kee'; did you mean 'key'?"),
        ("join: {path: more.jsonl}", "the key 'source.join.by' is missing"),
        ("join: {path: more.jsonl, by: {of: key}, wher: 1}", "unknown key 'wher'"),
        ("wher: {kind: image}", "unknown key 'wher'; did you mean 'where'?"),
    ],
)
def test_what_is_not_there_is_refused(tmp_path: Path, keys: str, said: str) -> None:
    fails(lambda: task(tmp_path, keys).opened, said)


def test_a_key_without_a_row_and_one_with_two(tmp_path: Path) -> None:
    keys, more = "join: {path: more.jsonl, by: {of: key}}", "facts: [scene]\n"
    made = task(tmp_path, keys, more)
    (tmp_path / "more.jsonl").write_text('{"key": "a", "scene": "yard"}\n')
    fails(lambda: list(made.family.samples()), "line 2 has 'b' in 'of', and no other row has this key")
    (tmp_path / "more.jsonl").write_text('{"key": "a", "scene": "yard"}\n' * 2)
    fails(lambda: list(load_task(tmp_path / "task.yaml").family.samples()), "has again the key 'a' in 'key'")


def test_candidates_are_not_the_rows_that_are_asked(tmp_path: Path) -> None:
    fails(
        lambda: task(tmp_path, "where: {kind: image}", "candidates: {where: {level: [1, 2]}}\n").opened,
        "must come from other rows than those that are asked",
    )
    made = task(tmp_path, "where: {kind: image}", "candidates: {path: more.jsonl, where: {}, column: scene}\n")
    assert made.family.protocol()["candidates"] == ["yard"]


def test_only_the_columns_that_are_used_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = task(tmp_path, "where: {kind: image}, texts: {asked: '{question}'}", "fields: {question: asked}\n", parquet)
    from mmbench.benchmarks.sources import parquet as source

    read: list[Any] = []
    rows_of = source.rows_of
    monkeypatch.setattr(source, "rows_of", lambda file, columns: read.append(columns) or rows_of(file, columns))
    list(made.family.samples())
    assert set(read[-1]) == {"id", "kind", "question", "answers"}


SPREAD = [
    {"id": "a", "image": "a.png", "qa": [{"q": "What?", "n": 1}, {"q": "And?", "n": 2}], "kind": "x"},
    {"id": "b", "image": "b.png", "qa": [], "kind": "x"},
    {"id": "c", "image": "c.png", "qa": [{"q": "What?", "n": 3}], "kind": "y"},
]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_row_for_each_member_of_a_list(tmp_path: Path, kind: str) -> None:
    (tmp_path / "spread.jsonl").write_text("".join(json.dumps(row) + "\n" for row in SPREAD))
    pq.write_table(pa.Table.from_pylist(SPREAD), tmp_path / "spread.parquet")

    def asks(keys: str) -> Task:
        fields = "fields: {question: qa.q, answers: qa.n}\nfacts: [kind]\n"
        path = tmp_path / "task.yaml"
        path.write_text(f"name: t\nfamily: vqa\nsource: {{kind: {kind}, path: spread.{kind}, {keys}}}\n{fields}")
        return load_task(path)

    made = asks("per: qa")
    told = [(sample.id, sample.question, *sample.references) for sample in made.family.samples()]
    assert told == [("a-0", "What?", "1"), ("a-1", "And?", "2"), ("c-0", "What?", "3")]
    assert made.size == 3
    assert "an item for each of 'qa' in 3 rows" in made.opened.notes
    some = asks("per: qa, where: {qa.n: {other_than: 1}}, texts: {asked: '{kind}: {qa.q}'}")
    assert [sample.id for sample in some.family.samples()] == ["a-1", "c-0"]
    assert some.size == 2
    fails(lambda: asks("per: kind").size, "`per` needs a list in 'kind', found str")
    fails(lambda: asks("per: q").size, "`per`: the data has no column 'q'")


def test_rows_with_lists_that_are_still_to_be_fetched_are_not_counted() -> None:
    far = Far()
    rows = prepared(far, SourceSpec(kind="far", per="kind"), lambda: far)
    assert (len(rows), far.fetched) == (3, False)


class Far:
    """Rows of which nothing is here yet."""

    Spec = SourceSpec

    def __init__(self) -> None:
        self.fetched = False

    def missing_bytes(self) -> int:
        return 0 if self.fetched else 7

    def columns(self) -> list[str]:
        return ["kind"]

    def class_names(self, column: str) -> None:
        return None

    def values(self, column: str) -> Iterator[str]:
        return (row.cells[column] for row in self)

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Iterator[Row]:
        self.fetched = True
        yield from (Row({"kind": kind}, f"row {n}", Path()) for n, kind in enumerate(["a", "b", "a"]))


def test_rows_that_are_still_to_be_fetched_are_not_counted() -> None:
    far = Far()
    rows = prepared(far, SourceSpec(kind="far", where={"kind": "a"}), lambda: far)
    assert (len(rows), far.fetched) == (3, False), "three at the most, and nothing was fetched to tell"
    assert rows.notes == ["`where` keeps some of 3 rows"]
    assert [row.where for row in rows] == ["row 0", "row 2"]
    assert len(rows) == 2
    wrong = prepared(Far(), SourceSpec(kind="far", where={"kind": ["a", "c"]}), lambda: far)
    assert len(wrong) == 3
    fails(lambda: list(wrong), "`where`: no row has 'c' in 'kind', only 'a', 'b'")


@pytest.mark.parametrize(
    ("where", "kept"), [("{image: {other_than: null}}", ["0", "3"]), ("{image: null}", ["1", "2"])]
)
def test_rows_with_and_without_a_picture(tmp_path: Path, where: str, kept: list[str]) -> None:
    shown = [{"bytes": b"x", "path": None}, None, {"bytes": None, "path": None}, {"bytes": None, "path": "a.png"}]
    rows = [{"id": n, "image": image, "question": "?", "answers": "a"} for n, image in enumerate(shown)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "d.parquet")
    (tmp_path / "t.yaml").write_text(
        f"name: t\nfamily: vqa\nsource: {{kind: parquet, path: d.parquet, where: {where}}}\n"
    )
    family: Any = load_task(tmp_path / "t.yaml").family
    assert [str(row.cells["id"]) for row in family._data.source] == kept
