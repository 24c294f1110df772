"""The headline of a report says in at most three sentences what the records say, with intervals."""

import json
import re
from collections.abc import Callable, Sequence
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from mmbench.harness.board.results import Results
from mmbench.harness.compare.compare import compare
from mmbench.harness.errors import UsageError
from mmbench.harness.records.record import write
from mmbench.harness.render.figures import interval, number, signed, span
from mmbench.harness.render.html import name_tag
from mmbench.harness.report import write_report
from mmbench.harness.report.dot_plot import dot_plot
from mmbench.harness.report.headline import headline
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.types import Score
from tests.builders import BASELINES, outcome, record


def put(
    folder: Path, model: str, task: str, right: Sequence[bool], *, partial: bool = False, dimension: str = ""
) -> None:
    hits = [float(hit) for hit in right]
    mean = float(np.mean(hits))
    made = record()
    write(
        record(
            model=model,
            task=task,
            protocol="part" if partial else "whole",
            dataset={"digest": "d", "n": len(hits), "partial": partial},
            card=type(made.card)(best=1.0, primary="accuracy", dimension=dimension),
            scores=(Score("accuracy", mean, mean - 0.05, mean + 0.05, len(hits), 1.0, None, 0.1, True),),
        ),
        [outcome(n, hit, cluster=str(n)) for n, hit in enumerate(hits)],
        folder,
    )


def page(folder: Path, tmp_path: Path, **settings: str) -> str:
    to = tmp_path / "page.html"
    write_report(folder, to, **settings)  # type: ignore[arg-type]
    return to.read_text(encoding="utf-8")


def said(text: str) -> list[str]:
    (section,) = re.findall(r'<section id="headline".*?</section>', text)
    return [unescape(each) for each in re.findall(r"<p>(.*?)</p>", section)]


def test_the_baselines() -> None:
    board = Results(BASELINES).board("perception")
    since = compare("micro-coca", "tiny-coca", "chance", output=BASELINES, suite="perception")
    leads, broke, weakest = headline(board, since)
    best, second = board.lines[0], board.lines[1]
    assert best.overall and second.overall
    assert f"tiny-coca leads with {number(best.overall.value)} (95 % interval" in leads
    assert interval(best.overall.low, best.overall.high) in leads
    assert f"micro-coca follows with {number(second.overall.value)}" in leads
    for model in ("tiny-coca", "chance"):  # tiny-coca ranks proposals worse
        worse = [row for row in since.of(model) if row.verdict == "worse"]
        worst = max(worse, key=lambda row: -row.difference.value)
        assert f"{model} is worse on {len(worse)} of 31 tasks, most on {worst.reference}" in broke
        assert f"most on {worst.reference}, {signed(worst.difference.value)}" in broke
        assert span(worst.low_adjusted, worst.high_adjusted) in broke
    values = {name: made for name, made in best.dimensions.items() if made}
    least = min(values, key=lambda name: values[name].value)
    assert f"are {least} {number(values[least].value)} (" in weakest
    assert headline(board) == [leads, weakest]


def test_a_leader_that_cannot_be_told_from_others_is_said_to_be_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for model, share in (("one", 0.62), ("two", 0.6), ("three", 0.1)):
        put(tmp_path, model, "digits", rng.random(200) < share)
    board = Results(tmp_path).board()
    (leads,) = headline(board)
    assert f"{board.lines[0].model} leads" in leads
    assert f"cannot be told from {board.lines[1].model}." in leads
    assert "three" not in leads


def test_where_nobody_has_every_task_nobody_leads(tmp_path: Path) -> None:
    put(tmp_path, "one", "digits", [True, False])
    put(tmp_path, "two", "letters", [True, False])
    assert headline(Results(tmp_path).board()) == ["No model has a score on every task, so that none leads."]


def test_a_report_against_a_baseline(tmp_path: Path, command: Callable[..., tuple[int, str, str]]) -> None:
    results = tmp_path / "results"
    rng = np.random.default_rng(0)
    same = rng.random(300) < 0.8
    for model, share in (("before", 1.0), ("after", 0.5)):
        put(results, model, "digits", same)
        put(results, model, "letters", same & (rng.random(300) < share))
    text = page(results, tmp_path, baseline="before")
    broke = said(text)[1]
    assert broke.startswith("Since the baseline before: after is worse on 1 of 2 tasks, letters@1, -0.")
    assert '<section id="since"' in text
    assert text.count('data-items="letters@1"') == 1
    assert "after is worse on 1 of 2 tasks, better on none; 1 tied." in text
    (tmp_path / "elsewhere").mkdir()
    (results / "runs" / "before").rename(tmp_path / "elsewhere" / "before")
    moved = said(page(results, tmp_path, baseline=str(tmp_path / "elsewhere" / "before")))
    assert moved[1] == broke
    with pytest.raises(UsageError, match="is the only model"):
        page(results, tmp_path, baseline="after")
    code, _, err = command("report", "--output", str(results), "--to", str(tmp_path / "x.html"), "--baseline", "aftr")
    assert code == 2
    assert "aftr" in err and "after" in err


def test_runs_of_the_first_items_are_shown_and_rank_nobody(tmp_path: Path) -> None:
    results = tmp_path / "results"
    put(results, "one", "digits", [True] * 9 + [False], partial=True)
    put(results, "two", "digits", [True] * 5 + [False] * 5, partial=True)
    text = page(results, tmp_path)
    assert "PARTIAL" in text
    assert "Partial: of digits@1 only the first items were asked" in text
    assert "a part ranks nobody" in said(text)[0]
    board = Results(results).board(partial=True)
    assert [(line.model, line.rank, line.standing) for line in board.lines] == [
        ("one", None, None),
        ("two", None, None),
    ]
    assert board.lines[0].overall
    assert not Results(results).board().columns, "a leaderboard leaves them out"
    put(results, "two", "digits", [True] * 20)
    whole = Results(results).board(partial=True)
    assert [(line.model, line.rank) for line in whole.lines] == [("two", 1)]
    assert "only part of its items" in {each.why for each in whole.apart}


def test_a_profile_is_sorted_and_what_is_cut_off_is_marked(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for dimension, share in (("colour", 0.3), ("shape", 0.9), ("size", 0.6)):
        put(tmp_path / "results", "one", dimension, rng.random(200) < share, dimension=dimension)
    names = re.findall(r'class="dots-name">(\w+)<', page(tmp_path / "results", tmp_path))
    assert names == ["shape", "size", "colour"]
    drawn = dot_plot({"far": [Estimate(-0.8, -0.9, -0.7)], "near": [Estimate(0.1, -0.5, 0.4)]}, ["m"])
    assert drawn.count("‹") == 2
    assert "‹ -0.800" in drawn
    assert "‹" not in dot_plot({"near": [Estimate(0.1, 0.0, 0.4)]}, ["m"])


def test_long_names_are_held_in_one_place_and_shown_whole() -> None:
    name = "abcdefghijklmnopqrstuvwxyz<script>abcdefgh"
    assert name_tag(name).startswith('<span class="name" title="abcdefghijklmnopqrstuvwxyz&lt;script&gt;abcdefgh">')


def test_the_page_knows_its_baseline(tmp_path: Path) -> None:
    results = tmp_path / "results"
    for model in ("a", "b"):
        put(results, model, "digits", [True, False] * 20)
    (data,) = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', page(results, tmp_path, baseline="a")
    )
    assert json.loads(data)["baseline"] == "a"


def test_a_folder_need_not_have_the_name_of_its_label(tmp_path: Path) -> None:
    for model in ("one", "base"):
        put(tmp_path, model, "digits", [True, False] * 20)
    (tmp_path / "runs" / "one").rename(tmp_path / "runs" / "first of all")
    assert said(page(tmp_path, tmp_path, baseline="base"))[1] == (
        "Since the baseline base: nothing is found worse in one."
    )
