"""What a notebook shows of results: short, whole as markup, without colours of its own, and with nothing that obeys."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import mmbench
from mmbench.harness.errors import AdapterError
from mmbench.harness.records.profile import Dimension
from mmbench.harness.records.record import write
from mmbench.harness.render.notebook import MOST_ROWS, notebook
from mmbench.harness.run.progress import Problem
from mmbench.harness.run.result import Run
from mmbench.harness.run.sitting import Sitting
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.types import Score
from tests.builders import outcomes, record

EVIL = '<script>alert(1)</script> & "x" \x1b[2J\u202e'


class Markup(HTMLParser):
    """Reads markup strictly: every element that is opened is closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.names: set[str] = set()
        self.cells: list[list[str]] = []
        self.texts: list[str] = []
        self.styles: set[str] = set()
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.names.add(tag)
        assert {name for name, _ in attrs} <= {"style"}
        self.styles |= {str(value) for _, value in attrs}
        if tag == "tr":
            self.cells.append([])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.open[-1] in ("td", "th"):
            self.cells[-1].append(data)


def shown(made: Any) -> Markup:
    markup = Markup(made._repr_html_())
    assert markup.names <= {"div", "table", "thead", "tr", "th", "td"}
    assert not any("color" in style or "#" in style for style in markup.styles), "colours are those of the page"
    assert not any(mark in text for text in markup.texts for mark in "\x1b\u202e")
    assert {len(row) for row in markup.cells} <= {len(markup.cells[0])} if markup.cells else True
    assert len(repr(made)) < 300 and "\n" not in repr(made)
    return markup


def score(value: float | None = 0.5, low: float | None = 0.25, high: float | None = 0.75) -> Score:
    return Score("accuracy", value, low, high, 1200, 1.0, None, 0.1, True)


def test_run_names_scores_and_what_failed() -> None:
    tasks = (mmbench.task("vqa", [{"question": "q", "answers": ["a"]}], name="mine"),)
    problem = Problem(Sitting("b", tasks[0]), AdapterError(f"it broke: {EVIL}"))
    records = [
        record(model=EVIL, scores=(score(),)),
        record(scores=(score(None, None, None),), errors=3, first_error=EVIL),
    ]
    made = Run(tasks, records, [problem])
    assert repr(made) == "Run(3 models, 1 task: 2 records, 1 without scores)"
    markup = shown(made)
    assert markup.cells[0] == ["model", "task", "metric", "route", "score", "95 % interval", "n"]
    assert markup.cells[1][1:] == [record().reference, "accuracy", "embed", "0.500", "0.250 … 0.750", "1,200"]
    assert markup.cells[1][0].startswith("<script>alert(1)</script>")
    assert markup.cells[2][4:6] == ["-", "-"]
    assert any(text.startswith("b, mine@1: it broke: <script>") for text in markup.texts)
    assert any("3 errors, such as: <script>" in text for text in markup.texts)


def test_many_rows_and_many_problems_are_cut() -> None:
    tasks = (mmbench.task("vqa", [{"question": "q", "answers": ["a"]}], name="mine"),)
    problems = [Problem(Sitting(f"m{i}", tasks[0]), AdapterError("no")) for i in range(30)]
    markup = shown(Run(tasks, [record(model=f"m{i}", scores=(score(),)) for i in range(70)], problems))
    assert len(markup.cells) == MOST_ROWS + 1
    assert "and 20 more rows, see table()" in markup.texts
    assert "and 20 more tasks without scores or with errors" in markup.texts
    assert Markup(notebook("nothing", ["a"], [])).cells == []


def test_profile() -> None:
    learned = Dimension(EVIL, Estimate(1.0, 0.9, 1.0), 100, 1, "learned")
    made = mmbench.Profile(
        "tiny", (learned, replace(learned, name="size"), Dimension("none", None, 0, 1, "incomplete"))
    )
    assert repr(made) == "Profile(tiny, 3 dimensions: 2 learned, 1 incomplete)"
    assert [len(made), made[1].name, [each.name for each in made][2]] == [3, "size", "none"]
    markup = shown(made)
    assert markup.cells[1][1:] == ["learned", "1.000", "0.900 … 1.000", "100"]
    assert markup.cells[3] == ["none", "incomplete", "-", "-", "0"]
    assert made.table()["dimension"].tolist()[1:] == ["size", "none"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, right in (("good", 95), ("bad", 40)):
        values = [1.0] * right + [0.0] * (100 - right)
        primary = Score("accuracy", right / 100, 0.3, 0.99, 100, 1.0, (right / 100, right / 100), 0.1, True, 100)
        write(record(model=name, fingerprint=name, scores=(primary,)), outcomes(values), tmp_path)
    return tmp_path


def test_results_comparison_and_check(folder: Path) -> None:
    (folder / "runs" / "good" / "torn.json").write_text("{")
    results = mmbench.load(folder)
    assert repr(results) == f"Results({folder}: 2 models, 2 records, 1 not readable)"
    markup = shown(results)
    assert [row[:2] for row in markup.cells] == [["rank", "model"], ["1", "good"], ["2", "bad"]]
    assert any("torn.json" in text for text in markup.texts)

    compared = mmbench.compare("good", "bad", output=folder)
    assert repr(compared) == "Comparison(bad is worse on 1 of 1 task, better on none; none tied)"
    markup = shown(compared)
    assert markup.cells[1][:5] == ["bad", record().reference, "accuracy", "worse", "-0.550"]
    assert any("torn.json" in text for text in markup.texts)

    checked = mmbench.check("bad", "good", output=folder)
    assert repr(checked).startswith("Checked(bad fails against good: of 1 task 1 regressed")
    assert shown(checked).cells[1][2:4] == ["regressed", "-0.550"]
