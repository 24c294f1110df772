"""The board ranks only what was asked alike and in full, and says what stands apart."""

import csv
import io
import json
import os
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from rich.console import Console

from mmbench.harness.board.board import Board
from mmbench.harness.board.csv import board_csv
from mmbench.harness.board.eligible import Filter
from mmbench.harness.board.evidence import Evidence
from mmbench.harness.board.grid import board_notes, choose_view
from mmbench.harness.board.results import Results, load
from mmbench.harness.board.sort import sort_lines
from mmbench.harness.cli.board import leaderboard
from mmbench.harness.compare.compare import compare
from mmbench.harness.digest import digest_bytes
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.records.record import write
from mmbench.harness.records.reported import Reported, add_reported
from mmbench.harness.report.page import board_html
from mmbench.harness.statistics.standing import Standing
from mmbench.harness.statistics.wilson import wilson
from mmbench.harness.tasks.card import Card
from mmbench.harness.tasks.metric_names import metric_named
from mmbench.harness.terminal.board import board_markdown, board_table
from mmbench.harness.types import Score
from tests.builders import measured, outcomes, put_measured, record

PICTURES = [digest_bytes(bytes([i])) for i in range(100)]


def put(folder: Path, model: str, task: str, value: float | None, /, **changes: Any) -> Path:
    """Write a record of 100 pictures, the first of which are right, and return its path."""
    coverage = changes.pop("coverage", 1.0)
    chance = changes.pop("chance", 0.1)
    right = changes.pop("right", None)
    if right is None:
        right = np.arange(100) < round(100 * (value or 0))
    low, high = changes.pop("ends", (None, None) if value is None else (value - 0.05, value + 0.05))
    first = Score("accuracy", value, low, high, 100, coverage, None, chance, True, changes.pop("clusters", None))
    other = replace(first, metric="map", primary=False)
    made = record(model=model, task=task, scores=(first, other), **changes)
    return write(made, outcomes(right, PICTURES), folder)


def shown(board: Board, width: int, view: Any = None) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(board_table(board, width, view))
    return out.getvalue()


def ranks(folder: Path, suite: str | None = None, **how: bool) -> list[tuple[str, int | None]]:
    return [(line.model, line.rank) for line in Results(folder).board(suite, **how).lines]


def test_mean_of_chance_corrected_scores(tmp_path: Path) -> None:
    for model, first, second in (("low", 0.1, 0.4), ("high", 1.0, 0.4), ("mid", 0.55, 0.7)):
        put(tmp_path, model, "digits", first)
        put(tmp_path, model, "pets", second, chance=0.4)
    board = Results(tmp_path).board()
    assert [(line.model, line.rank) for line in board.lines] == [("high", 1), ("mid", 1), ("low", 3)]
    assert [line.overall.value for line in board.lines if line.overall] == pytest.approx([0.5, 0.5, 0.0])
    assert [(column.task, column.metric) for column in board.columns] == [
        ("digits@1", "accuracy"),
        ("pets@1", "accuracy"),
    ]


def test_a_missing_task_is_never_a_mean_of_the_rest(tmp_path: Path) -> None:
    put(tmp_path, "whole", "digits", 0.2)
    put(tmp_path, "whole", "pets", 0.2)
    put(tmp_path, "half", "digits", 0.9)
    board = Results(tmp_path).board()
    assert ranks(tmp_path) == [("whole", 1), ("half", None)]
    assert board.lines[1].overall is None
    assert board.lines[1].cells[1] is None
    assert "| - | half | - | - | - | - | 1 |" in board_markdown(board)
    assert "| pets@1 accuracy | 0.200 ±0.050 | - |" in board_markdown(board)


@pytest.mark.parametrize(("coverage", "rank"), [(1.0, 1), (0.99, 1), (0.9899, None)])
def test_coverage_budget(tmp_path: Path, coverage: float, rank: int | None) -> None:
    put(tmp_path, "a", "digits", 0.9, coverage=coverage)
    put(tmp_path, "b", "digits", 0.5)
    assert dict(ranks(tmp_path))["a"] == rank
    assert dict(ranks(tmp_path))["b"] == (2 if rank else 1)
    page = board_markdown(Results(tmp_path).board())
    assert "0.900 ±0.050" in page
    assert ("% scored" in page) == (coverage < 0.9995)
    assert ("| scored |" in page) == (coverage < 0.9995)


def test_one_changed_label_empties_no_board(tmp_path: Path) -> None:
    before, after = ({"digest": name * 16, "n": 100, "partial": False} for name in "de")
    for i, model in enumerate(("a", "b", "c")):
        put(tmp_path, model, "digits", 0.5 + i / 10, protocol="old", dataset=before, created="2026-01")
    items = outcomes(np.arange(100) < 90, PICTURES)
    scores = Results(tmp_path).records[0].scores
    again = record(model="a", task="digits", protocol="new", dataset=after, created="2026-02", scores=scores)
    write(again, [replace(items[0], target="seven"), *items[1:]], tmp_path)
    board = Results(tmp_path).board()
    assert [line.model for line in board.lines] == ["c", "b", "a"]
    assert board.columns[0].protocol == "old"
    (said,) = [note for note in board_notes(board) if note.startswith("apart")]
    assert said.startswith("apart: a on digits@1 (other data than the board's: 1 of 100 items differs: '0' (target")
    assert said.endswith("run all on the same to rank them)")
    for model in ("b", "c"):  # once as many models have the new data, these are the board's
        put(tmp_path, model, "digits", 0.5, protocol="new", dataset=after, created="2026-03")
    board = Results(tmp_path).board()
    assert (board.columns[0].protocol, len(board.lines)) == ("new", 3)


def test_unlike_protocols_never_share_a_column(tmp_path: Path) -> None:
    put(tmp_path, "a", "digits", 0.9, protocol="old", created="2026-01")
    put(tmp_path, "b", "digits", 0.5, protocol="new", created="2026-02")
    put(tmp_path, "c", "digits", 0.6, protocol="new", created="2026-01")
    board = Results(tmp_path).board()
    assert [(line.model, line.rank) for line in board.lines] == [("c", 1), ("b", 2)]
    assert [each.entry.record.model for each in board.apart] == ["a"]
    assert board.columns[0].protocol == "new"
    assert "apart: a on digits@1 (another protocol)" in board_notes(board)
    assert sorted({row["model"] for row in board.rows()}) == ["a", "b", "c"]


def test_a_column_has_one_metric_chance_and_best_value(tmp_path: Path) -> None:
    """The order of `metrics` in a task file is no part of its protocol, nor need two records have the same ones."""
    lead, map_only = (
        tuple(Score(name, value, None, None, 100, 1.0, None, chance, i == 0) for i, (name, value, chance) in held)
        for held in (
            enumerate([("map", 0.9, 0.5), ("accuracy", 0.7, 0.5)]),
            enumerate([("map", 0.9, 0.5)]),
        )
    )
    put(tmp_path, "a", "digits", 0.6, created="2026-03")
    for model, scores in (("b", lead), ("c", map_only)):
        made = record(model=model, scores=scores, card=Card(best=0.9, primary="map"), created="2026-01")
        write(made, outcomes(np.arange(100) < 70, PICTURES), tmp_path)
    board = Results(tmp_path).board()
    assert [(line.model, line.overall.value) for line in board.lines if line.overall] == [
        ("b", pytest.approx(0.6 / 0.9)),
        ("a", pytest.approx(0.5 / 0.9)),
    ]
    assert "apart: c on digits@1 (no value of accuracy)" in board_notes(board)
    assert [line.standing is not None for line in board.lines] == [True, True]
    led = [(row["metric"], row["value"]) for row in board.rows() if row["model"] == "b" and row["primary"]]
    assert led == [("accuracy", 0.7)]


def test_a_partial_run_is_never_ranked(tmp_path: Path) -> None:
    part = {"digest": "x", "n": 10, "partial": True}
    put(tmp_path, "a", "digits", 0.3, created="2026-01")
    put(tmp_path, "a", "digits", 0.9, created="2026-02", protocol="q", dataset=part)
    put(tmp_path, "b", "digits", 0.9, protocol="q", dataset=part)
    board = Results(tmp_path).board()
    assert [(line.model, line.overall.value) for line in board.lines if line.overall] == [("a", pytest.approx(2 / 9))]
    assert {(each.entry.record.model, each.entry.record.partial) for each in board.apart} == {("a", True), ("b", True)}
    assert "apart: a, b on digits@1 (only part of its items)" in board_notes(board)


def test_controls_stay_off_the_board(tmp_path: Path) -> None:
    put(tmp_path, "a", "digits", 0.9)
    put(tmp_path, "a", "digits", 0.1, control="blind")
    put(tmp_path, "b", "digits", 0.1, control="blind")
    assert ranks(tmp_path) == [("a", 1)]


def test_routes_may_mix_and_are_marked(tmp_path: Path) -> None:
    put(tmp_path, "a", "digits", 0.9)
    put(tmp_path, "b", "digits", 0.5)
    put(tmp_path, "c", "digits", 0.7, route="generate")
    assert ranks(tmp_path) == [("a", 1), ("c", 2), ("b", 3)]
    assert "0.700 ±0.050 (generate)" in board_markdown(Results(tmp_path).board())
    assert ranks(tmp_path, same_route=True) == [("a", 1), ("b", 2)]
    assert [each.entry.record.model for each in Results(tmp_path).board(same_route=True).apart] == ["c"]


def test_the_last_of_two_routes_of_a_model_stands(tmp_path: Path) -> None:
    put(tmp_path, "a", "digits", 0.9, created="2026-01")
    put(tmp_path, "a", "digits", 0.5, created="2026-02", route="generate")
    board = Results(tmp_path).board()
    assert [(line.model, line.cells[0].route) for line in board.lines if line.cells[0]] == [("a", "generate")]
    assert [each.entry.record.route for each in board.apart] == ["embed"]


def test_a_suite_fixes_tasks_and_their_order(tmp_path: Path) -> None:
    for task in ("digits", "digits-parity", "pets"):
        put(tmp_path, "a", task, 0.5)
    board = Results(tmp_path).board("digits")
    assert [column.task for column in board.columns] == ["digits@1", "digits-parity@1"]
    assert ranks(tmp_path, "digits") == [("a", 1)]


def test_a_suite_needs_records_only(tmp_path: Path) -> None:
    (tmp_path / "pets.yaml").write_text("name: pets\nfamily: retrieval\nsource: {kind: csv, path: gone.csv}\n")
    (tmp_path / "suite.yaml").write_text("name: mine\ntasks: [pets.yaml]\n")
    put(tmp_path, "a", "pets", 0.5)
    assert ranks(tmp_path, str(tmp_path / "suite.yaml")) == [("a", 1)]


@pytest.mark.parametrize("changes", [{"card": Card(best=None)}, {"chance": None}, {"chance": 1.0}])
def test_what_cannot_be_corrected_is_shown_and_not_ranked(tmp_path: Path, changes: dict[str, Any]) -> None:
    put(tmp_path, "a", "digits", 1.0, **changes)
    assert ranks(tmp_path) == [("a", None)]
    assert "1.000" in board_markdown(Results(tmp_path).board())


def test_every_missing_task_is_named(tmp_path: Path) -> None:
    """Also one that nobody was asked, and by the few that are there where most are missing."""
    (tmp_path / "suite.yaml").write_text(
        "name: some\ntasks: [scenes-shape, scenes-size, scenes-count, scenes-where, scenes-digit]\n"
    )
    for task in ("shape", "size", "count", "where"):
        put(tmp_path, "most", f"scenes-{task}", 0.5)
        put(tmp_path, "thin", f"scenes-{task}", 0.5, coverage=0.5 if task == "size" else 1.0)
    put(tmp_path, "few", "scenes-shape", 0.5)
    put(tmp_path, "few", "scenes-size", None, coverage=0.0)
    board = Results(tmp_path).board(str(tmp_path / "suite.yaml"))
    few = ["scenes-size@1", "scenes-count@1", "scenes-where@1", "scenes-digit@1"]
    told = [
        "few (no score on 4 tasks, all but scenes-shape@1)",
        "most, thin (no score on scenes-digit@1)",
        "thin (less than 99 % of its items scored on scenes-size@1)",
    ]
    assert board_notes(board)[:3] == [f"not ranked: {each}" for each in told]
    for each in told:
        assert f"not ranked: {each}" in board_markdown(board)
        assert f"Not ranked (-): {each}." in board_html(board)
    missing = {row["model"]: row["standing"]["missing"] for row in board.rows()}  # type: ignore[call-overload, index]
    assert missing == {"few": few, "most": few[3:], "thin": ["scenes-size@1", "scenes-digit@1"]}
    assert {row["model"]: row["missing"] for row in csv.DictReader(io.StringIO(board_csv(board)))} == {
        model: ", ".join(tasks) for model, tasks in missing.items()
    }


def test_a_score_without_value_is_a_dash(tmp_path: Path) -> None:
    put(tmp_path, "a", "digits", None)
    assert "| digits@1 accuracy | - |" in board_markdown(Results(tmp_path).board())


def test_markdown_csv_and_json_parse(tmp_path: Path) -> None:
    put(tmp_path, "a,b|c", "digits", 0.5)
    put(tmp_path, "plain", "digits", 0.25)
    put(tmp_path, "plain", "pets", 0.25)
    board = Results(tmp_path).board()
    rows = list(csv.DictReader(io.StringIO(board_csv(board))))
    assert [(row["model"], row["rank"], row["digits@1 accuracy"]) for row in rows] == [
        ("plain", "1", "0.25"),
        ("a,b|c", "", "0.5"),
    ]
    assert [row["missing"] for row in rows] == ["", "pets@1"]
    ranking, title, tasks, *notes = board_markdown(board).split("\n\n")
    assert ranking.splitlines()[0] == "| # | model | score | 95 % interval | ranks | group | items/s |"
    assert ranking.splitlines()[1] == "| --- | --- | ---: | ---: | ---: | ---: | ---: |"
    shown = [note.replace("|", "\\|") for note in board_notes(board)]
    assert (title, len(tasks.splitlines()), notes) == ("**Value by task**", 4, shown)
    for table, bars in ((ranking, 8), (tasks, 4)):
        assert all(line.replace("\\|", "").count("|") == bars for line in table.splitlines())
    assert json.loads(json.dumps(board.rows(), allow_nan=False)) == board.rows()


def test_rows_say_where_their_model_stands(tmp_path: Path) -> None:
    card = Card(best=1.0, primary="accuracy", dimension="digits")
    put(tmp_path, "a", "digits", 0.55, card=card, parameters=12)
    put(tmp_path, "b", "digits", 0.55, protocol="old", created="2026-01", card=card)
    first, _, other, _ = Results(tmp_path).board().rows()
    mean = {"value": pytest.approx(0.5), "low": pytest.approx(0.4 / 0.9), "high": pytest.approx(0.5 / 0.9)}
    assert first["standing"] == {
        "rank": 1,
        "rank_low": 1,
        "rank_high": 1,
        "group": 1,
        "missing": [],
        "score": mean,
        "dimension": {"name": "digits", **mean},
        "family": {"name": "zero-shot-classification", **mean},
    }
    assert (first["parameters"], first["reported"], first["source"], first["url"]) == (12, False, None, None)
    assert (other["model"], other["standing"]) == ("b", None)
    assert list(other) == list(first)


def test_frame(tmp_path: Path) -> None:
    put(tmp_path, "a", "digits", 0.5, card=Card(best=1.0, dimension="colour"))
    frame = load(tmp_path).leaderboard()
    place = ["rank", "model", "score", "score low", "score high", "rank low", "rank high", "group"]
    named = ["dimension colour", "family zero-shot-classification", "digits@1 accuracy"]
    ends = [f"{name}{end}" for name in named for end in ("", " low", " high")]
    assert list(frame.columns) == [
        *place,
        "missing",
        "coverage",
        "items_per_second",
        "parameters",
        *ends,
        "digits@1 accuracy route",
    ]
    assert frame["digits@1 accuracy"].tolist() == [0.5]


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"results folder .* does not exist; make one with: mmbench run --output"):
        load(tmp_path / "none")


WIDE_MODELS = ["clip-vitb32", "chance", *(f"open_clip-ViT-B-{i}-laion2b" for i in range(4))]
WIDE_TASKS = [f"task-{i}-of-a-long-name" for i in range(14)]


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Board:
    """Many models on many tasks."""
    folder = tmp_path_factory.mktemp("wide")
    for model in WIDE_MODELS:
        for i, task in enumerate(WIDE_TASKS):
            card = Card(best=1.0, primary="accuracy", dimension=f"dimension-{i % 7}")
            put(folder, model, task, 0.5, card=card, parameters=10**9)
    return Results(folder).board()


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_a_wide_board_is_cut_into_tables_that_fit(wide: Board, width: int) -> None:
    board, models, tasks = wide, WIDE_MODELS, WIDE_TASKS
    for view, names, value in (
        ("tasks", [f"{task}@1" for task in tasks], "0.500 ±0.050"),
        ("dimensions", list(board.dimensions), "0.444 ±0.0"),
    ):
        out = shown(board, width, view)
        assert max(map(len, out.splitlines())) <= width
        assert out.count(value) == len(models) * len(names)
        assert [name for name in names if name not in out] == []
        assert "…" not in out.replace(" … ", "")


def test_many_tasks_are_summed_up_by_what_they_measure(tmp_path: Path) -> None:
    for i in range(13):
        card = Card(best=1.0, dimension="colour" if i % 2 else "shape")
        put(tmp_path, "a", f"task-{i:02}", 0.55, card=card, route="generate" if i else "embed")
    few = Results(tmp_path).board(keep=Filter(dimensions=("colour",)))
    many = Results(tmp_path).board()
    assert (choose_view(few), choose_view(many)) == ("tasks", "dimensions")
    assert "mixed" in shown(many, 80)
    assert "task-01@1 accuracy (generate)" in shown(few, 80)
    assert "shape      7      0.500 ±0.0" in shown(many, 80)
    assert "zero-shot-classification  13     0.500 ±0.0" in shown(many, 80, "families")


def test_one_damaged_record_does_not_hide_the_rest(tmp_path: Path) -> None:
    put(tmp_path, "a", "digits", 0.5)
    (tmp_path / "runs" / "a" / "x.json").write_text("{")
    results = Results(tmp_path)
    assert len(results.errors) == 1
    assert f"runs{os.sep}a{os.sep}x.json" in str(results.errors[0])
    assert [line.model for line in results.board().lines] == ["a"]


# intervals, ranks and ties


def test_ranks_are_no_surer_than_the_items(tmp_path: Path) -> None:
    ease = np.random.default_rng(0).random(100)
    for model, share in (("best", 0.95), ("near", 0.94), ("worst", 0.3)):
        right = ease < share
        put(tmp_path, model, "digits", float(right.mean()), right=right, ends=wilson(right.sum(), 100))
    lines = Results(tmp_path).board().lines
    assert [line.standing for line in lines] == [Standing(1, 1, 2, 1), Standing(2, 1, 2, 1), Standing(3, 3, 3, 2)]
    assert all(mean.low < mean.value < mean.high for mean in (line.overall for line in lines))
    assert "1–2" in shown(Results(tmp_path).board(), 80)


def test_tasks_on_the_same_pictures_are_no_surer_than_one(tmp_path: Path) -> None:
    right = np.random.default_rng(0).permutation(100) < 60
    for task in ("digits", "pets"):
        put(tmp_path, "a", task, 0.6, right=right)
    put(tmp_path, "b", "digits", 0.6, right=right)
    put(tmp_path, "b", "pets", 0.6, right=right[::-1])
    lines = sorted(Results(tmp_path).board().lines, key=lambda line: line.model)
    same, apart = (line.overall for line in lines)
    assert (same.low, same.high) == pytest.approx((0.45 / 0.9, 0.55 / 0.9))
    assert apart.high - apart.low < 0.85 * (same.high - same.low)  # type: ignore[operator]


def test_means_of_dimensions_and_families(tmp_path: Path) -> None:
    for task, dimension, family in (
        ("digits", "writing", "zero-shot-classification"),
        ("word", "writing", "multiple-choice"),
        ("pets", "", "multiple-choice"),
    ):
        card = Card(best=1.0, primary="accuracy", dimension=dimension)
        put(tmp_path, "a", task, 0.55, card=card, family=family)
        if task != "word":
            put(tmp_path, "b", task, 1.0, card=card, family=family)
    board = Results(tmp_path).board()
    whole, half = board.lines
    assert (board.dimensions, board.families) == (("writing",), ("zero-shot-classification", "multiple-choice"))
    assert whole.dimensions["writing"] is not None
    assert whole.dimensions["writing"].value == pytest.approx(0.5)
    assert half.dimensions == {"writing": None}
    assert half.families["multiple-choice"] is None
    assert half.families["zero-shot-classification"] is not None


def test_a_task_of_the_suite_that_nobody_did_leaves_its_dimension_empty(tmp_path: Path) -> None:
    body = "family: multiple-choice\nsource: {kind: csv, path: gone.csv}\ncard: {dimension: colour}\n"
    for name in ("done", "open"):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\n{body}")
    (tmp_path / "suite.yaml").write_text("name: mine\ntasks: [done.yaml, open.yaml]\n")
    put(tmp_path, "a", "done", 0.5, card=Card(best=1.0, dimension="colour"), family="multiple-choice")
    board = Results(tmp_path).board(str(tmp_path / "suite.yaml"), keep=Filter(dimensions=("colour",)))
    assert [(column.task, column.dimension) for column in board.columns] == [("done@1", "colour"), ("open@1", "colour")]
    assert board.lines[0].dimensions == {"colour": None}
    assert board.lines[0].rank is None


def test_speed_leaves_out_what_the_store_answered(tmp_path: Path) -> None:
    cost: dict[str, Any] = {"seconds": 2.0, "items_per_second": 50.0, "parameters": 151_277_313}
    put(tmp_path, "a", "digits", 0.5, asked=50, remembered=50, **cost)
    put(tmp_path, "a", "pets", 0.5, seconds=1.0, items_per_second=100.0, asked=0, remembered=100)
    (line,) = Results(tmp_path).board().lines
    assert line.items_per_second == 25.0
    assert "25   151 M" in shown(Results(tmp_path).board(), 80)


def test_few_clusters_are_named(tmp_path: Path) -> None:
    put(tmp_path, "a", "digits", 0.5, clusters=19)
    put(tmp_path, "a", "pets", 0.5, clusters=20)
    assert "few clusters (under 20; intervals may be too narrow): digits@1" in board_notes(Results(tmp_path).board())


# sort and filter


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for model, route, colour, shape, seconds in (
        ("clip-b", "embed", 0.9, 0.2, 1.0),
        ("clip-l", "embed", 0.8, 0.9, 4.0),
        ("gpt", "generate", 0.7, 0.8, 2.0),
    ):
        cost: dict[str, Any] = {"route": route, "seconds": seconds, "items_per_second": 100 / seconds}
        put(tmp_path, model, "hue", colour, card=Card(best=1.0, dimension="colour"), **cost)
        put(tmp_path, model, "form", shape, card=Card(best=1.0, dimension="shape"), **cost)
    return tmp_path


@pytest.mark.parametrize(
    ("by", "order"),
    [
        ("rank", ["clip-l", "gpt", "clip-b"]),
        ("model", ["clip-b", "clip-l", "gpt"]),
        ("colour", ["clip-b", "clip-l", "gpt"]),
        ("shape", ["clip-l", "gpt", "clip-b"]),
        ("hue", ["clip-b", "clip-l", "gpt"]),
        ("form@1", ["clip-l", "gpt", "clip-b"]),
        ("zero-shot-classification", ["clip-l", "gpt", "clip-b"]),
        ("speed", ["clip-b", "gpt", "clip-l"]),
        ("parameters", ["clip-l", "gpt", "clip-b"]),
    ],
)
def test_sort(folder: Path, by: str, order: list[str]) -> None:
    assert [line.model for line in sort_lines(Results(folder).board(), by).lines] == order


def test_sort_names_the_nearest(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"sort column 'color' does not exist; did you mean 'colour'\?"):
        sort_lines(Results(folder).board(), "color")


@pytest.mark.parametrize(
    ("keep", "lines", "columns"),
    [
        (Filter(models=("clip-*",)), [("clip-l", 1), ("clip-b", 2)], ["form@1", "hue@1"]),
        (Filter(models=("gpt", "clip-b")), [("gpt", 1), ("clip-b", 2)], ["form@1", "hue@1"]),
        (Filter(dimensions=("colour",)), [("clip-b", 1), ("clip-l", 2), ("gpt", 3)], ["hue@1"]),
        (Filter(routes=("generate",)), [("gpt", 1)], ["form@1", "hue@1"]),
        (Filter(routes=("likelihood",)), [], []),
        (
            Filter(families=("zero-shot-classification",)),
            [("clip-l", 1), ("gpt", 2), ("clip-b", 3)],
            ["form@1", "hue@1"],
        ),
    ],
)
def test_models_are_ranked_among_those_that_are_left(
    folder: Path, keep: Filter, lines: list[tuple[str, int]], columns: list[str]
) -> None:
    board = Results(folder).board(keep=keep)
    assert [(line.model, line.rank) for line in board.lines] == lines
    assert [column.task for column in board.columns] == columns


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        (Filter(models=("clip-c",)), "model 'clip-c' is not in this folder; did you mean 'clip-"),
        (Filter(dimensions=("colours",)), r"dimension 'colours' has no task in this folder; did you mean 'colour'\?"),
        (Filter(families=("x",)), r"family 'x' has no task in this folder \(there are: zero-shot-classification\)"),
    ],
)
def test_a_filter_of_nothing_names_the_nearest(folder: Path, keep: Filter, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Results(folder).board(keep=keep)


# what cannot be read


def test_damaged_outcomes_leave_the_score_and_take_the_interval_of_the_rank(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = Results(folder).board().lines
    (path,) = (folder / "runs" / "clip-l").glob("hue*.parquet")
    path.write_bytes(path.read_bytes()[:100])
    results = Results(folder)
    lines = results.board().lines
    assert [(line.model, line.rank, line.overall.value) for line in lines] == [
        (line.model, line.rank, line.overall.value) for line in whole
    ]
    assert (lines[0].standing, lines[1].standing) == (None, Standing(2, 2, 2, 1))
    results.board()
    (error,) = results.errors
    assert str(error).startswith(f"{path} is damaged: it is not what its record was written with")
    with pytest.raises(typer.Exit) as done:
        leaderboard(folder)
    out, err = capsys.readouterr()
    assert (done.value.exit_code, out.count("clip-l"), err.count("warning: ")) == (1, 2, 1)
    assert "rank without interval: the outcomes of a task cannot be read" in out


def test_records_without_outcomes_are_ranked_all_the_same(folder: Path) -> None:
    for path in folder.rglob("*.parquet"):
        path.unlink()
    results = Results(folder)
    lines = results.board().lines
    assert [(line.rank, line.standing, line.overall.low is None) for line in lines] == [
        (i, None, False) for i in (1, 2, 3)
    ]
    assert len(results.errors) == 6


# published figures


def publish(folder: Path, *figures: tuple[str, str, str, float]) -> None:
    add_reported(folder, [Reported(*figure, "A <b>paper</b> | 1", "https://example.org/a(1)") for figure in figures])


def test_reported_figures_stand_below_and_are_not_ranked(folder: Path) -> None:
    publish(folder, ("GPT <i>", "hue", "accuracy", 0.99), ("GPT <i>", "coco", "cider", 1.2))
    board = Results(folder).board()
    assert [line.model for line in board.lines] == ["clip-l", "gpt", "clip-b"]
    assert board.below == board.reported
    out = shown(board, 100)
    assert out.index("clip-b") < out.index("Reported elsewhere, not measured") < out.index("GPT <i>")
    page = board_markdown(board)
    assert (
        "| GPT &lt;i> | hue | accuracy | 0.990 | [A &lt;b>paper&lt;/b> \\| 1](https://example.org/a%281%29) |" in page
    )
    rows = [row for row in board.rows() if row["reported"]]
    assert [(row["task"], row["value"], row["low"], row["n"], row["standing"]) for row in rows] == [
        ("hue", 0.99, None, None, None),
        ("coco", 1.2, None, None, None),
    ]
    assert all(set(row) == set(board.rows()[0]) for row in rows)
    last = list(csv.DictReader(io.StringIO(board_csv(board))))[-1]
    assert (last["model"], last["rank"], last["reported"], last["hue@1 accuracy"], last["coco cider"]) == (
        "GPT <i>",
        "",
        "True",
        "0.99",
        "1.2",
    )
    assert Results(folder).board(keep=Filter(dimensions=("shape",))).reported == ()
    assert len(Results(folder).board(keep=Filter(models=("GPT*",))).reported) == 2


def test_reported_figures_are_ranked_on_request(folder: Path) -> None:
    publish(folder, ("GPT", "hue", "accuracy", 0.99), ("GPT", "form@1", "accuracy", 0.99), ("X", "hue", "map", 0.5))
    publish(folder, ("part", "hue", "accuracy", 0.99))
    board = Results(folder).board(with_reported=True)
    assert [(line.model, line.rank, line.source is not None) for line in board.lines] == [
        ("GPT", 1, True),
        ("clip-l", 2, False),
        ("gpt", 3, False),
        ("clip-b", 4, False),
        ("part", None, True),
    ]
    assert board.lines[0].standing is None and board.lines[0].overall.low is None
    assert board.lines[1].standing is not None and board.lines[1].standing.rank_low == 2
    assert [each.model for each in board.below] == ["X"]
    assert "GPT (reported)" in shown(board, 100)
    first = next(row for row in board.rows() if row["model"] == "GPT")
    assert first["reported"] and first["standing"]["rank"] == 1  # type: ignore[index, call-overload]


def test_damaged_figures_are_named(folder: Path) -> None:
    (folder / "reported.json").write_text("{}")
    results = Results(folder)
    assert len(results.board().lines) == 3
    assert "reported.json is damaged" in str(results.errors[0])


# the page


def test_the_page_holds_every_column_and_escapes_every_text(folder: Path) -> None:
    publish(folder, ("<script>alert(1)</script>", "hue", "accuracy", 0.99))
    page = board_html(Results(folder).board())
    assert page.count("<script") == 2 == page.count("</script>"), "the data and the code of the page"
    assert "&lt;script&gt;alert(1)&lt;/<wbr>script&gt;" in page
    assert "<link" not in page and " src=" not in page and "@import" not in page
    assert page.count("https://") == 2, "the one address is that of a source, as link and as text"
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    means, tasks = 2 + 1, 2
    cells = [row.count("<td") + row.count("<th") for row in body.split("</tr>")[:-1]]
    assert set(cells) == {3 + means + tasks + 1}
    assert page.count('class="sort"') == 3 + means + tasks + 1
    assert board_html(Results(folder).board(), "families").count('class="sort"') == 3 + 1 + 1


def test_one_picture_has_no_interval_of_no_width(tmp_path: Path) -> None:
    for model, right in (("a", 1.0), ("b", 0.0)):
        score = Score("accuracy", right, None, None, 1, 1.0, None, 0.1, True)
        write(record(model=model, scores=(score,)), outcomes([right], PICTURES[:1]), tmp_path)
    means = [line.overall for line in Results(tmp_path).board().lines]
    assert [(made.low, made.high) for made in means if made] == [(None, None)] * 2


@pytest.mark.parametrize("folders", [12, pytest.param(40, marks=pytest.mark.long)])
def test_the_board_has_the_p_of_compare(tmp_path: Path, folders: int) -> None:
    """Of few pictures many signs give equal sums, and a rounded one would break their ties."""
    rng = np.random.default_rng(3)
    differ = 0
    for i in range(folders):
        folder = tmp_path / str(i)
        for task in ("one", "two", "three"):
            for model, better in (("a", 0.4), ("b", 0.65)):
                right = rng.random(16) < better
                score = Score("accuracy", float(right.mean()), 0.0, 1.0, 16, 1.0, None, 0.1, True)
                made = record(model=model, task=task, scores=(score,), card=Card(best=1.0))
                write(made, outcomes(right, PICTURES[:16]), folder)
        results = Results(folder)
        entries = results.entries
        ps = results._tests(Evidence(folder), entries, ["a", "b"])
        (overall,) = compare("a", "b", output=folder).overall
        assert ps is not None
        assert abs(ps[0, 1]) == pytest.approx(overall.p, rel=1e-9)
        assert np.signbit(ps[0, 1]) == (overall.difference.value > 0) or overall.difference.value == 0
        differ += overall.p < 0.05
    assert 0 < differ < folders


def test_what_a_third_model_lacks_turns_no_pair(tmp_path: Path) -> None:
    """Each pair is tested on its own items, as `compare` does, whoever else is ranked."""
    rng = np.random.default_rng(0)
    lacks = {("c", "one"): 3, ("d", "one"): 7, ("d", "two"): 3}
    for task in ("one", "two"):
        for model, better in (("a", 0.4), ("b", 0.6), ("c", 0.5), ("d", 0.5), ("e", 0.5)):
            items = outcomes(rng.random(100) < better, PICTURES)
            if (model, task) in lacks:
                items[lacks[model, task]] = replace(items[lacks[model, task]], status="error", values={})
            right = [each.values["accuracy"] for each in items if each.values]
            score = Score("accuracy", float(np.mean(right)), 0.0, 1.0, len(right), 1.0, None, 0.1, True)
            write(record(model=model, task=task, scores=(score,), card=Card(best=1.0)), items, tmp_path)
    models = ["a", "b", "c", "d", "e"]
    results = Results(tmp_path)
    assert all(line.standing for line in results.board().lines)
    ps = Results._tests(Evidence(tmp_path), results.entries, models)
    assert ps is not None
    for (i, one), (j, other) in combinations(enumerate(models), 2):
        (overall,) = compare(one, other, output=tmp_path).overall
        assert abs(ps[i, j]) == pytest.approx(overall.p, rel=1e-9)
        assert ps[j, i] == -ps[i, j] or overall.difference.value == 0


def test_pictures_that_help_are_a_gain_where_lower_is_better(tmp_path: Path, command: Callable[..., Any]) -> None:
    """Errors of .5 with the pictures, 3 and 5 without: the gain is over the better control, above 0."""
    rng, metric = np.random.default_rng(0), metric_named("counting", "mae")
    for control, mean in ((None, 0.5), ("blind", 3), ("shuffled", 5)):
        items = [measured(metric, i, (error, 1.0), 200) for i, error in enumerate(rng.poisson(mean, 200).tolist())]
        put_measured(
            tmp_path, metric, items, model="m", task="count", family="counting", control=control, card=Card(best=0.0)
        )
    code, out, _ = command("leaderboard", "--output", str(tmp_path), "--format", "json")
    assert code == 0
    (gain,) = {json.dumps(row["visual_gain"]) for row in json.loads(out) if row["visual_gain"]}
    made = json.loads(gain)
    assert made["control"] == "blind" and 2 < made["low"] < made["value"] < made["high"] < 3
