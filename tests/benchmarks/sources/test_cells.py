"""A cell becomes the one thing it can mean, or an error that names its row."""

import base64
import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mmbench.benchmarks.sources.cells import column, label_values, local_path, picture, pictures, text, texts
from mmbench.benchmarks.sources.classes import Classes, class_index, class_indices
from mmbench.harness.errors import Unreadable
from mmbench.harness.media.image import Image
from mmbench.harness.tasks.source import Row
from tests import builders
from tests.builders import put_text

ANIMALS = Classes(("cat", "dog", "crane", "bird", "crane"))


@pytest.fixture
def row(tmp_path: Path) -> Row:
    return Row({"image": "a.png", "label": 3}, "labels.csv line 7", tmp_path)


def fails(row: Row, call, *parts: str) -> None:
    assert builders.fails(call, *parts).startswith(row.where)


def test_column(row: Row) -> None:
    assert column(row, "label") == 3
    fails(row, lambda: column(row, "lable"), "no column 'lable'", "did you mean 'label'?")
    fails(row, lambda: column(row, "zzzzzz"), "no column 'zzzzzz'")


def test_picture(row: Row) -> None:
    out = io.BytesIO()
    PIL.Image.new("RGB", (3, 2)).save(out, "PNG")
    data = out.getvalue()
    (row.base / "a.png").write_bytes(data)
    given = Image.from_bytes(data, "here")
    assert picture(given, row) is given
    for cell in ("a.png", str(row.base / "a.png"), data, {"bytes": data, "path": "gone.png"}, {"path": "a.png"}):
        assert picture(cell, row).digest == given.digest
        assert picture(cell, row).pil().size == (3, 2)
    assert picture("a.png", row).locator == picture({"bytes": None, "path": "a.png"}, row).locator == "a.png"
    assert picture(data, row).locator == picture({"bytes": data, "path": "x"}, row).locator == row.where


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_picture_as_text(kind: str, row: Row) -> None:
    out = io.BytesIO()
    PIL.Image.effect_noise((16, 16), 50).save(out, kind)
    data = out.getvalue()
    written = base64.b64encode(data).decode()
    wrapped = base64.encodebytes(data).decode()
    for cell in (written, wrapped, f"data:image/x;base64,{written}", {"bytes": written, "path": "gone.png"}):
        found = picture(cell, row)
        assert found.digest == Image.from_bytes(data, "here").digest
        assert found.locator == row.where


@pytest.mark.parametrize("cell", ["data:image/png,abc", "data:image/png", "QUJD" * 1000, "a sentence " * 100])
def test_text_that_is_no_picture(cell: str, row: Row) -> None:
    fails(row, lambda: picture(cell, row), "expected a picture")


@pytest.mark.parametrize("cell", ["data:image/png;base64,a*b", "iVBORw0KGgoAAAANSUhEUgAA*" + "A" * 99, "base64,abc"])
def test_damaged_base64_is_a_picture_that_cannot_be_read(cell: str, row: Row) -> None:
    lost = picture(cell, row)
    assert lost.locator == row.where
    with pytest.raises(Unreadable, match="is no picture: .*base64"):
        lost.read()


def test_column_of_records(tmp_path: Path) -> None:
    cells = {
        "answers": [{"answer": "a", "n": 1}, {"answer": "b", "n": 2}],
        "sets": {"answer": ["a", "b"]},
        "text": "[{'answer': 'a'}, {'answer': 'b'}]",
        "a.b": "whole",
        "none": None,
    }
    row = Row(cells, "rows.jsonl line 1", tmp_path)
    for name in ("answers.answer", "sets.answer", "text.answer"):
        assert column(row, name) == ["a", "b"]
    assert column(row, "a.b") == "whole" and column(row, "none.answer") is None
    for name in ("answers.anser", "nothing.answer", "a.b.c"):
        fails(row, lambda name=name: column(row, name), f"no column '{name}'")


def test_picture_that_is_missing_fails_only_when_read(row: Row) -> None:
    missing = picture("no/such.png", row)
    assert missing.locator == "no/such.png"
    with pytest.raises(Unreadable):
        missing.digest  # noqa: B018


@pytest.mark.parametrize(
    "cell",
    [None, "", 3, "a\0b", {}, {"bytes": None, "path": None}, {"bytes": "aGk=", "path": "a.png"}, {"bytes": {}}, [b""]],
)
def test_no_picture(cell: object, row: Row) -> None:
    fails(row, lambda: picture(cell, row), "expected a picture")


def test_pictures(row: Row) -> None:
    for cell in (["a.png", "b.png"], ("a.png", "b.png"), '["a.png", "b.png"]'):
        assert [image.locator for image in pictures(cell, row)] == ["a.png", "b.png"]
    assert [image.locator for image in pictures("a.png", row)] == ["a.png"]
    assert [image.locator for image in pictures("[1].png", row)] == ["[1].png"]
    fails(row, lambda: pictures(["a.png", None], row), "found nothing")


def test_text(row: Row) -> None:
    assert [text(cell, row) for cell in ("a", "", 3, 2.5, np.int64(4))] == ["a", "", "3", "2.5", "4"]
    for cell in (None, True, ["a"], b"a", float("nan"), {}):
        fails(row, lambda cell=cell: text(cell, row), "expected text")
    assert [text(cell, row) for cell in (2.0, np.float32(3), -0.0, "2.0")] == ["2", "3", "0", "2.0"]
    assert texts([2.0, 2.5], row) == ("2", "2.5")
    fails(row, lambda: text("\ud800", row), "surrogate")


def test_texts(row: Row) -> None:
    assert texts(["a", 1], row) == texts('["a", 1]', row) == texts(' ["a", 1]', row) == ("a", "1")
    assert texts("a", row) == ("a",)
    assert texts("[laughs] hello", row) == ("[laughs] hello",)
    assert texts("[1] see above", row) == ("[1] see above",) and text("[citation needed]", row) == "[citation needed]"
    for unclear in ("[NaN]", "[citation needed]", "['a', 'b'"):
        fails(row, lambda unclear=unclear: texts(unclear, row), "may be a list or a text; write a list as JSON")
    for written in ("['a', 'b']", "['a' 'b']", "['a'\n 'b']", ("a", "b")):
        assert texts(written, row) == label_values(written) == ("a", "b")
    assert texts("""["it's", 'b']""", row) == ("it's", "b")
    assert texts("[0.5 1.2]", row) == ("0.5", "1.2")
    assert texts([], row) == texts("[]", row) == ()
    fails(row, lambda: texts(["a", None], row), "expected text, found nothing")
    fails(row, lambda: texts(None, row), "expected text, found nothing")


def test_classes() -> None:
    assert len(ANIMALS) == 5
    assert ANIMALS.indices["crane"] == (2, 4)
    assert hash(ANIMALS) == hash(Classes(ANIMALS.names)) and Classes(ANIMALS.names) == ANIMALS


@pytest.mark.parametrize(
    ("cell", "index"),
    [(0, 0), (4, 4), (3.0, 3), (np.int64(2), 2), (np.float32(1), 1), ("dog", 1), ("4", 4), ("003", 3)],
)
def test_class_index(cell: object, index: int, row: Row) -> None:
    found = class_index(cell, row, ANIMALS)
    assert found == index and type(found) is int


@pytest.mark.parametrize("cell", [None, True, False, np.bool_(True), 1.5, float("nan"), float("inf"), [1], b"cat", {}])
def test_no_label(cell: object, row: Row) -> None:
    fails(row, lambda: class_index(cell, row, ANIMALS), "expected a class name or a 0-based class index")


@pytest.mark.parametrize("cell", [-1, 5, 5.0, 10**400])
def test_index_out_of_range(cell: object, row: Row) -> None:
    fails(row, lambda: class_index(cell, row, ANIMALS), "is no class index, expected 0 to 4")


@pytest.mark.parametrize("cell", [" cat", "cat\n", "caf\u00e9", "cafe\u0301 "])
def test_spellings_of_one_class(cell: str, row: Row) -> None:
    for names in (("cat", "caf\u00e9"), ("cat ", "cafe\u0301")):
        classes = Classes(names)
        assert class_index(cell, row, classes) == ("a" in cell and "t" not in cell)
        assert class_indices(cell, row, classes) == class_indices([cell, cell], row, classes)
        assert classes.names == names


@pytest.mark.parametrize("cell", ["5", "-1", "1.0", "²", "9" * 5000, "", "Cat"])
def test_text_that_is_no_class(cell: str, row: Row) -> None:
    fails(row, lambda: class_index(cell, row, ANIMALS), "neither one of the 5 class names nor an index below 5")


def test_unknown_class_names_the_nearest(row: Row) -> None:
    fails(row, lambda: class_index("brid", row, ANIMALS), "'brid'", "did you mean 'bird'?")


def test_name_of_two_classes(row: Row) -> None:
    fails(row, lambda: class_index("crane", row, ANIMALS), "several classes (2, 4)", "write the index")
    assert class_index("4", row, ANIMALS) == 4


def test_name_that_is_also_an_index(row: Row) -> None:
    shifted = Classes(tuple("1234567890"))
    fails(row, lambda: class_index("3", row, shifted), "name of class 2 and the index of '4'", "JSON integer")
    assert class_index(3, row, shifted) == 3
    assert class_index("3", row, Classes(tuple("0123456789"))) == 3, "both readings name one class"
    assert class_index("1984", row, Classes(("1984", "brave new world"))) == 0, "out of range as an index"


def test_class_indices(row: Row) -> None:
    for cell in (["dog", 3, "3"], '["dog", 3, "3"]', ("dog", 3.0)):
        assert class_indices(cell, row, ANIMALS) == (1, 3)
    assert (
        class_indices("dog", row, ANIMALS) == class_indices(1, row, ANIMALS) == class_indices("1", row, ANIMALS) == (1,)
    )
    assert class_indices([], row, ANIMALS) == class_indices("[]", row, ANIMALS) == ()
    assert class_indices("[0]", row, Classes(("a", "[0]"))) == (1,)
    fails(row, lambda: class_indices(["dog", "brid"], row, ANIMALS), "did you mean 'bird'?")
    fails(row, lambda: class_indices(None, row, ANIMALS), "found nothing")
    fails(row, lambda: class_indices("[dog]", row, ANIMALS), "'[dog]'")


def test_label_values() -> None:
    assert label_values(["a", 1]) == label_values('["a", 1]') == ("a", 1)
    assert label_values("a") == ("a",)
    assert label_values(3) == (3,)
    assert label_values([]) == ()


@pytest.mark.parametrize(
    ("there", "written"),
    [
        ("p/a b.png", "p\\a b.png"),
        ("p/a b.png", "p/a%20b.png"),
        ("p/a b.png", " p/a b.png\t"),
        ("p/caf\u00e9.png", "p/cafe\u0301.png"),
        ("p/cafe\u0301.png", "p/caf\u00e9.png"),
        ("p/cafe\u0301.png", "p\\caf\u00e9.png"),
        ("p/cafe\u0301.png", "p/caf%C3%A9.png"),
        ("p/a%20b.png", "p/a%20b.png"),
        (" p.png", " p.png"),
    ],
)
def test_a_path_as_another_system_writes_it(tmp_path: Path, there: str, written: str) -> None:
    put_text(tmp_path / there, b"x")
    assert local_path(written, Row({}, "a.csv line 2", tmp_path)) == there


def test_a_path_that_leaves_its_data_set_is_refused_however_it_is_written(tmp_path: Path) -> None:
    put_text(tmp_path / "secret.png", b"x")
    (tmp_path / "set").mkdir()
    row = Row({}, "a.csv line 2", tmp_path / "set", tmp_path / "set")
    for written in ("../secret.png", "%2e%2e/secret.png", "..\\secret.png"):
        fails(row, lambda written=written: local_path(written, row), "outside of its data set")
