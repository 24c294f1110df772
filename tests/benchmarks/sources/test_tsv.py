"""Tables of VLMEvalKit: pictures as base64, by another row's index or by path; options in A, B, …"""

import base64
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from mmbench.benchmarks.sources.cells import column, picture
from mmbench.benchmarks.sources.tsv import TsvFile
from mmbench.harness.errors import DataError
from tests.lazy import pandas


def written(colour: tuple[int, int, int]) -> str:
    file = io.BytesIO()
    PIL.Image.new("RGB", (40, 30), colour).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


RED, BLUE = written((255, 0, 0)), written((0, 0, 255))


def table(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "Some_DEV_EN.tsv"
    pandas.DataFrame(rows).to_csv(path, sep="\t", index=False)
    return path


def row(index: int, image: str, answer: str = "A", **more: Any) -> dict[str, Any]:
    said = {"index": index, "image": image, "question": 'Which\ncolour, "red"?', "A": "red", "B": "None"}
    return {**said, "answer": answer, "category": "colour", "split": "dev", **more}


def cells(path: Path, split: str | None = None) -> list[dict[str, Any]]:
    rows = list(TsvFile(path, split))
    assert [r.cells for r in rows] == [r.cells for r in TsvFile(path, split)]
    return [dict(r.cells) for r in rows]


def test_a_multiple_choice_table(tmp_path: Path) -> None:
    path = table(tmp_path, [row(0, RED), row(1, BLUE, "b", C="", D=None), row(1000000, "0", "red")])
    first, second, third = cells(path)
    assert first["id"] == "0"
    assert first["question"] == 'Which\ncolour, "red"?'
    assert first["options"] == ["red", "None"]  # pandas, and with it VLMEvalKit, reads this option as an empty cell
    assert [each["target"] for each in (first, second, third)] == [0, 1, 0]
    assert third["image"] == first["image"] == RED  # named by the index of its row
    image = picture(third["image"], next(iter(TsvFile(path, None))))
    assert image.pil().getpixel((0, 0))[:3] == (255, 0, 0)
    assert len(TsvFile(path, "dev")) == 3


def test_a_picture_may_be_named_before_its_row(tmp_path: Path) -> None:
    assert [each["image"] for each in cells(table(tmp_path, [row(7, "8"), row(8, BLUE)]))] == [BLUE, BLUE]


def test_pictures_by_path(tmp_path: Path) -> None:
    named = [{"index": 1, "image_path": "a/b.png", "question": "?", "answer": "yes"}]
    (only,) = cells(table(tmp_path, named))
    assert (only["image"], only["answer"]) == ("a/b.png", "yes")
    assert "options" not in only
    assert "target" not in only


def test_a_gap_in_the_options_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Some_DEV_EN.tsv line \d+ has an option D and none C; write the options"):
        TsvFile(table(tmp_path, [row(1, RED, D="green", C=None)]), None)


@pytest.mark.parametrize("answer", ["C", "AB", "green", ""])
def test_an_answer_that_is_no_option_is_no_target(tmp_path: Path, answer: str) -> None:
    (only,) = cells(table(tmp_path, [row(1, RED, answer)]))
    assert "target" not in only


def test_columns_of_the_table_stay(tmp_path: Path) -> None:
    (only,) = cells(table(tmp_path, [row(1, RED, id="own", options="kept", target="also")]))
    assert (only["id"], only["options"], only["target"]) == ("own", "kept", "also")


def test_through_the_command_line(tmp_path: Path) -> None:
    table(tmp_path, [row(n, RED if n % 2 else BLUE, "AB"[n % 2]) for n in range(40)])
    (tmp_path / "own.yaml").write_text(
        "name: own\nversion: 1\nfamily: multiple-choice\nsource: {kind: tsv, path: Some_DEV_EN.tsv, split: dev}\n"
        "fields: {image: image, question: question, options: options, target: target}\nfacts: [category]\n"
    )
    command = [sys.executable, "-m", "mmbench", "run", "--model", "chance", "--task", "own.yaml", "--format", "json"]
    made = subprocess.run(
        [*command, "--output", "results", "--store", "s.sqlite"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert '"chance": 0.5' in made.stdout


def test_an_answer_that_is_no_option_is_named_to_who_asks_for_it(tmp_path: Path) -> None:
    (lacking,) = TsvFile(table(tmp_path, [row(1, RED, "AB")]), None)
    assert lacking.cells["answer"] == "AB" and column(lacking, "options") == ["red", "None"]
    with pytest.raises(DataError, match="line 2: the answer 'AB' is neither the letter nor the text of one of its 2"):
        column(lacking, "target")
    with pytest.raises(DataError, match="no column 'tarket'"):
        column(lacking, "tarket")


def test_a_row_without_options_has_none(tmp_path: Path) -> None:
    path = table(tmp_path, [row(1, RED), {**row(2, RED, "free"), "A": "", "B": ""}])
    assert [each["options"] for each in cells(path)] == [["red", "None"], []]


def test_a_picture_named_through_another_row(tmp_path: Path) -> None:
    assert [each["image"] for each in cells(table(tmp_path, [row(1, "2"), row(2, "3"), row(3, BLUE)]))] == [BLUE] * 3
    assert [each["image"] for each in cells(table(tmp_path, [row(1, "2"), row(2, "1")]))] == ["2", "1"]
