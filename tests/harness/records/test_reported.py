"""Published figures are checked line by line, replaced by their key, and never lost to a damaged file."""

import json
from pathlib import Path

import pytest

from mmbench.harness.cli.board import import_figures
from mmbench.harness.errors import DataError
from mmbench.harness.records.reported import NAME, Reported, add_reported, doubts, load_reported, read_figures

HEADER = "model,task,metric,value,source,url\n"
ROW = "CLIP,digits,accuracy,0.88,Radford 2021,https://arxiv.org/abs/2103.00020\n"


def csv(folder: Path, text: str) -> Path:
    path = folder / "figures.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_figures(tmp_path: Path) -> None:
    text = (
        "\ufeffsource,value,metric,task,model\n" + '"A, B\n 2021",1.25,cider,coco@2,GPT\n\n x ,.5,accuracy@3,pets,é\n'
    )
    assert read_figures(csv(tmp_path, text)) == (
        Reported("GPT", "coco@2", "cider", 1.25, "A, B 2021", ""),
        Reported("é", "pets", "accuracy@3", 0.5, "x", ""),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER + "a,b,accuracy,x,s,\n", "line 2: the column 'value' holds 'x', which is not a number"),
        (
            HEADER + ROW + "a,b,accuracy,88%,s,\n",
            "line 3: .*'88%', which is not a number; a percentage is divided by 100",
        ),
        (HEADER + "a,b,accuracy,nan,s,\n", "line 2: the column 'value' holds 'nan', which is not finite"),
        (HEADER + "a,b,cider,inf,s,\n", "line 2: .*'inf', which is not finite"),
        (HEADER + "a,b,accuracy,88.5,s,\n", "holds 88.5, and accuracy lies in 0..1; divide a percentage by 100"),
        (HEADER + "a,b,accuracy@7,88.5,s,\n", "lies in 0..1"),
        (HEADER + "a,b,16-shot/accuracy,88.5,s,\n", "lies in 0..1"),
        (HEADER + "a,b,accuracy,-0.1,s,\n", "holds -0.1, and accuracy lies in 0..1"),
        (HEADER + ",b,accuracy,1,s,\n", "line 2: the column 'model' is empty"),
        (HEADER + "a,b,accuracy,1,  ,\n", "line 2: the column 'source' is empty"),
        (HEADER + "a,b,accuracy,1\n", "line 2: 4 cells, and the header has 6"),
        (HEADER + "a,b,accuracy,1,s,javascript:alert(1)\n", "line 2: the column 'url' holds 'javascript:alert"),
        (HEADER + ROW + ROW, "line 3: line 2 has the same model, task, metric and source already"),
        (HEADER, "holds no figures; below the header"),
        ("", "line 1: the column 'model' is missing"),
        ("model,task,metric,valeu,source\n", "line 1: unknown column 'valeu'; did you mean 'value'?"),
        ("model,task,task,value\n", "line 1: the column 'task' stands twice"),
        (
            "model,task,metric,source\n",
            "line 1: the column 'value' is missing; the columns are model, task, metric, value",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as raised:
        read_figures(csv(tmp_path, text))
    assert "figures.csv" in str(raised.value)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "figures.csv"
    path.write_bytes(b"\xff\xfe")
    for missing in (path, tmp_path / "none.csv"):
        with pytest.raises(DataError, match="cannot be read"):
            read_figures(missing)


def test_figures_of_the_same_key_are_replaced(tmp_path: Path) -> None:
    first = Reported("CLIP", "digits", "accuracy", 0.8, "a", "")
    others = [Reported("CLIP", "digits", "accuracy", 0.9, "b", ""), Reported("CLIP", "pets", "accuracy", 0.7, "a", "")]
    folder = tmp_path / "made" / "here"
    assert add_reported(folder, [first, *others]) == 0
    again = Reported("CLIP", "digits", "accuracy", 0.85, "a", "https://a.example")
    assert add_reported(folder, [again]) == 1
    assert load_reported(folder) == (again, *others)
    assert [each.name for each in folder.iterdir()] == [NAME]
    assert json.loads((folder / NAME).read_text())["schema"] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ('{"schema": 2, "rows": []}', "has schema 2, this version reads 1"),
        ('{"schema": 1, "rows": [{"model": "a"}]}', "is damaged"),
        ('{"schema": 1, "rows": 3}', "is damaged"),
    ],
)
def test_a_damaged_file_is_named_and_not_overwritten(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(DataError, match=said):
        load_reported(tmp_path)
    with pytest.raises(DataError, match=said):
        add_reported(tmp_path, [Reported("a", "b", "c", 1.0, "d", "")])
    assert (tmp_path / NAME).read_text() == text


def test_no_figures(tmp_path: Path) -> None:
    assert load_reported(tmp_path) == ()


def test_unknown_names_are_doubted(tmp_path: Path) -> None:
    (tmp_path / "runs" / "a").mkdir(parents=True)
    (tmp_path / "runs" / "a" / "mine@1-00000000.json").touch()
    figures = [
        Reported("a", task, metric, 0.5, "s", "")
        for task, metric in (("digits", "accuracy"), ("mine@1", "accuracy@9"), ("digitz", "acuracy"), ("digitz", "map"))
    ]
    assert doubts(tmp_path, figures) == [
        "no task 'digitz' is known; did you mean 'digits'?",
        "no metric 'acuracy' is known; did you mean 'accuracy'?",
    ]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = csv(tmp_path, HEADER + ROW + "CLIP,nowhere,accuracy,0.5,Radford 2021,\n")
    import_figures(path, tmp_path / "results")
    out, err = capsys.readouterr()
    assert out == "imported 2 figures of 1 model from 1 source\n"
    assert "warning: no task 'nowhere' is known" in err
    import_figures(path, tmp_path / "results")
    assert capsys.readouterr().out == "imported 2 figures of 1 model from 1 source (2 replaced)\n"
    assert len(load_reported(tmp_path / "results")) == 2


def test_a_row_is_that_of_a_board() -> None:
    made = Reported("CLIP", "digits@2", "accuracy", 0.5, "s", "")
    assert made.of("digits@2") and not made.of("digits@1")
    assert Reported("CLIP", "digits", "accuracy", 0.5, "s", "").of("digits@1")
    row = made.row()
    assert (row["task"], row["version"], row["value"], row["url"], row["low"]) == ("digits", 2, 0.5, None, None)
