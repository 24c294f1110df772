"""Models are compared item by item on what both were asked alike, and what was not is named."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from mmbench.harness.compare.compare import compare
from mmbench.harness.compare.rows import Comparison
from mmbench.harness.digest import digest_bytes
from mmbench.harness.errors import UsageError
from mmbench.harness.gate.check import check
from mmbench.harness.records import arrow
from mmbench.harness.records.changes import compared, part, pooled
from mmbench.harness.records.measured import Measured
from mmbench.harness.statistics.holm import holm
from mmbench.harness.statistics.mcnemar import mcnemar_mid
from mmbench.harness.statistics.paired import paired
from mmbench.harness.tasks.card import Card
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.metric_names import metric_named
from mmbench.harness.terminal.comparison import comparison_markdown, comparison_tables
from tests.builders import BASELINES, RECORD, changed, measured, put_measured, rewrite


def put(folder: Path, model: str, values: Sequence[float] | np.ndarray, /, **changes: Any) -> Path:
    """Write a record of (n,) per-item values, or (n, k) statistics; NaN is an item that could not be scored."""
    metric = metric_named(changes.get("family", RECORD.family), changes.pop("metric", "accuracy"))
    ids, shared = changes.pop("ids", range(len(values))), changes.pop("clusters", len(values))
    held = [None if np.isnan(value).any() else value for value in np.asarray(values, float)]
    items = [measured(metric, i, value, shared, id=str(ids[i])) for i, value in enumerate(held)]
    return put_measured(folder, metric, items, model=model, **changes)


YES_NO = np.repeat([[1.0, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1], [0, 0, 0, 1]], [60, 10, 10, 40], axis=0)
"""Statistics of items answered rightly with yes, wrongly with yes, wrongly with no, and rightly with no."""

HALF = np.tile([1.0, 0.0], 200)
PLAIN = Metric("error", "", best=None, proportion=False)


def test_each_task_is_a_paired_test(tmp_path: Path) -> None:
    for task, losses, gains in (("digits", 30, 2), ("pets", 3, 5), ("cars", 1, 25)):
        put(tmp_path, "a", HALF, task=task)
        put(tmp_path, "b", changed(HALF, losses, gains), task=task)
    made = compare("a", "b", output=tmp_path)
    assert [(row.task, row.verdict, row.gained, row.lost) for row in made.rows] == [
        ("cars", "better", 25, 1),
        ("digits", "worse", 2, 30),
        ("pets", "tied", 5, 3),
    ]
    alone = paired(HALF, changed(HALF, 30, 2), np.arange(400))
    row = made.rows[1]
    assert (row.a, row.b, row.difference.value) == pytest.approx((0.5, 0.43, -0.07))
    assert (row.difference.low, row.difference.high, row.n, row.p) == (alone.low, alone.high, 400, alone.p)
    assert [row.p_adjusted for row in made.rows] == holm([row.p for row in made.rows]).tolist()
    assert made.conclusion("b") == "b is worse on 1 of 3 tasks, better on 1; 1 tied"
    assert made.exit_code == 0


def test_what_a_tie_could_hide_is_found_as_often_as_is_said(tmp_path: Path) -> None:
    for task, losses, gains in (("digits", 40, 38), ("pets", 0, 0)):
        put(tmp_path, "a", HALF, task=task)
        put(tmp_path, "b", changed(HALF, losses, gains), task=task)
    row, same = compare("a", "b", output=tmp_path).rows
    assert (row.verdict, same.detectable) == ("tied", None)
    assert row.detectable is not None
    share, alpha = 78 / 400, 0.05 / 2
    rng = np.random.default_rng(0)
    kinds = rng.choice(3, p=[(share + row.detectable) / 2, (share - row.detectable) / 2, 1 - share], size=(2000, 400))
    gains, losses = (kinds == 0).sum(axis=1), (kinds == 1).sum(axis=1)
    found = np.mean([mcnemar_mid(int(up), int(down)) < alpha for up, down in zip(gains, losses, strict=True)])
    assert found == pytest.approx(0.8, abs=0.05)


def test_the_interval_is_that_of_alpha(tmp_path: Path) -> None:
    put(tmp_path, "a", HALF)
    put(tmp_path, "b", changed(HALF, 10))
    wide, narrow = (compare("a", "b", output=tmp_path, alpha=alpha).rows[0] for alpha in (0.01, 0.2))
    assert (wide.verdict, narrow.verdict) == ("worse", "worse")
    assert wide.difference.low < narrow.difference.low


def test_items_that_changed_most(tmp_path: Path) -> None:
    put(tmp_path, "a", [1, 1, 0, 0, 0.2, 1], metric="accuracy@5")
    put(tmp_path, "b", [0, 0.9, 1, 0, 0.4, 0], metric="accuracy@5")
    (row,) = compare("a", "b", output=tmp_path).rows
    assert [(flip.id, flip.a, flip.b) for flip in row.flips] == [("0", 1, 0), ("2", 0, 1), ("5", 1, 0)]
    assert row.as_json()["flips"][0] == {"id": "0", "a": 1.0, "b": 0.0}


def test_lower_is_better_for_a_rank(tmp_path: Path) -> None:
    ranks = np.random.default_rng(0).integers(1, 50, size=(60, 1)).astype(float)
    retrieval = {"family": "retrieval", "metric": "image_to_text/median_rank", "card": Card(best=1.0)}
    put(tmp_path, "a", ranks, **retrieval)
    put(tmp_path, "b", ranks + 10, **retrieval)
    (row,) = compare("a", "b", output=tmp_path).rows
    assert (row.verdict, row.difference.value) == ("worse", 10)
    assert row.difference.low <= 10 <= row.difference.high


def test_a_rate_is_neither_better_nor_worse(tmp_path: Path) -> None:
    rate = {"family": "yes-no", "metric": "yes_rate"}
    put(tmp_path, "a", YES_NO, **rate)
    always = YES_NO.copy()
    always[80:, 1] = 1
    put(tmp_path, "b", always, **rate)
    (row,) = compare("a", "b", output=tmp_path).rows
    assert (row.verdict, row.p_adjusted) == ("tied", None)
    assert row.difference.value > 0.2 and row.p < 0.05


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": 2}, "task version 1 against 2"),
        (
            {"digest": "e" * 16},
            "dataset digest dddddddd against eeeeeeee (a against b): same pictures and targets, so that questions, "
            "options or references differ; run a again on the present data, or restore the data and run b again",
        ),
        (
            {"protocol": "q" * 16},
            "protocol pppppppp against qqqqqqqq (templates, prompt, generation settings or matching)",
        ),
        ({"metric": "accuracy@5"}, "primary metric accuracy against accuracy@5"),
        ({"task": "pets"}, None),
    ],
)
def test_what_differs_is_named(tmp_path: Path, changes: dict[str, Any], reason: str | None) -> None:
    put(tmp_path, "a", HALF)
    put(tmp_path, "b", HALF, **changes)
    made = compare("a", "b", output=tmp_path)
    assert (made.rows, made.exit_code) == ((), 2)
    said = [(each.task, each.reason) for each in made.incomparable]
    if reason is None:
        assert said == [("digits", "b has no record of digits@1"), ("pets", "a has no record of pets@1")]
    else:
        assert said == [("digits", reason)]
    assert made.conclusion("b").startswith("b and a have no comparable task; ")


def test_scorers_differ(tmp_path: Path) -> None:
    for model, fingerprint in (("a", "clip"), ("b", "siglip"), ("c", "clip")):
        scorer = {"model": "second", "fingerprint": fingerprint}
        put(tmp_path, model, HALF, family="captioning", metric="clipscore", scorer=scorer, protocol=fingerprint)
    made = compare("a", "b", "c", output=tmp_path)
    assert [(each.model, each.reason) for each in made.incomparable] == [("b", "scorer clip against siglip")]
    assert [row.model for row in made.rows] == ["c"]


def test_a_family_that_is_not_installed(tmp_path: Path) -> None:
    for model in ("a", "b"):
        path = put(tmp_path, model, HALF)
        rewrite(path, family="one-of-a-plug-in")
    (left,) = compare("a", "b", output=tmp_path).incomparable
    assert left.reason.startswith("there is no family 'one-of-a-plug-in'")


def test_force_marks_what_differs(tmp_path: Path) -> None:
    put(tmp_path, "a", HALF, protocol="q")
    put(tmp_path, "b", changed(HALF, 40)[:300], digest="e")
    made = compare("a", "b", output=tmp_path, force=True)
    (row,) = made.rows
    assert (row.n, row.verdict, made.exit_code) == (300, "worse", 0)
    assert row.as_json()["forced"] is True
    assert "dataset digest" in str(row.as_json()["differs"])
    assert made.overall == ()
    assert "* digits@1: forced, for the runs differ in dataset digest" in text(made, 140)


def test_of_several_records_those_asked_alike(tmp_path: Path) -> None:
    put(tmp_path, "a", HALF, protocol="old", created="2026-01-01")
    put(tmp_path, "a", 1 - HALF, protocol="new", created="2026-06-01")
    put(tmp_path, "a", 1 - HALF, protocol="old", route="generate", created="2026-07-01")
    put(tmp_path, "b", HALF, protocol="old", created="2026-02-01")
    put(tmp_path, "b", 1 - HALF, protocol="old", control="blind", created="2026-08-01")
    (row,) = compare("a", "b", output=tmp_path).rows
    assert (row.gained, row.lost, row.routes) == (0, 0, ("embed", "embed"))


def test_versions_are_matched_one_by_one(tmp_path: Path) -> None:
    for version in (1, 2):
        put(tmp_path, "a", HALF, version=version)
    for version in (2, 3):
        put(tmp_path, "b", HALF, version=version)
    made = compare("a", "b", output=tmp_path)
    assert [row.reference for row in made.rows] == ["digits@2"]
    assert [each.reason for each in made.incomparable] == [
        "b has no record of digits@1",
        "a has no record of digits@3",
    ]


def test_other_routes_are_marked(tmp_path: Path) -> None:
    put(tmp_path, "a", HALF)
    put(tmp_path, "b", HALF, route="generate")
    made = compare("a", "b", output=tmp_path)
    assert made.rows[0].as_json()["routes"] == ["embed", "generate"]
    assert "* digits@1: routes embed and generate" in text(made, 80)


def test_the_first_items_are_compared_and_marked(tmp_path: Path) -> None:
    put(tmp_path, "a", HALF)
    put(tmp_path, "b", HALF[:100], partial=True, digest="e", protocol="q", clusters=400)
    (row,) = compare("a", "b", output=tmp_path).rows
    assert (row.n, row.partial, row.verdict) == (100, True, "tied")
    # Of the items that both were asked the pictures are compared, where no digest can be.
    put(tmp_path, "c", HALF[:100], partial=True, digest="e", protocol="q", clusters=7)
    made = compare("a", "c", output=tmp_path)
    assert [each.reason for each in made.incomparable] == ["item ids are equal but the pictures differ"]


@pytest.mark.parametrize(
    ("family", "metric"),
    [
        ("retrieval", "image_to_text/recall@1"),
        ("yes-no", "f1"),
        ("captioning", "cider"),
        ("probe", "full/accuracy"),
    ],
)
def test_the_first_items_are_no_part_of_a_whole_that_depends_on_all(tmp_path: Path, family: str, metric: str) -> None:
    values = YES_NO if metric == "f1" else HALF[:120]
    for model, n in (("a", 120), ("b", 60)):
        part = {"partial": n < 120, "digest": f"{n}", "protocol": f"{n}"}
        put(tmp_path, model, values[:n], family=family, metric=metric, **part)
    (left,) = compare("a", "b", output=tmp_path).incomparable
    assert left.reason.endswith("120 items of a and 60 items of b were asked; run both without --limit")
    assert check("b", "a", output=tmp_path).verdict == "not_comparable"


def test_only_what_both_were_scored_on(tmp_path: Path) -> None:
    lost = HALF.copy()
    lost[:50] = np.nan
    put(tmp_path, "a", HALF)
    put(tmp_path, "b", lost)
    put(tmp_path, "c", np.full(400, np.nan))
    put(tmp_path, "d", HALF, ids=[f"x{i}" for i in range(400)])
    made = compare("a", "b", "c", "d", output=tmp_path)
    assert [(row.model, row.n) for row in made.rows] == [("b", 350)]
    assert [(each.model, each.reason) for each in made.incomparable] == [
        ("c", "c has no value of accuracy"),
        ("d", "items scored in both runs: none"),
    ]
    assert (made.errors, made.exit_code) == ((), 0)


def test_no_verdict_depends_on_who_else_is_compared(tmp_path: Path) -> None:
    for task in ("digits", "pets"):
        put(tmp_path, "a", HALF, task=task)
    for model in ("b", "c", "d"):
        put(tmp_path, model, changed(HALF, 12, 3))
        put(tmp_path, model, HALF, task="pets")
    alone = compare("a", "b", output=tmp_path)
    among = compare("a", "b", "c", "d", output=tmp_path)
    assert among.of("b") == alone.rows
    assert alone.rows[0].p_adjusted == pytest.approx(2 * alone.rows[0].p)
    assert among.models == ("a", "b", "c", "d")


@pytest.mark.parametrize("tasks", [2, 6])
def test_interval_and_p_say_the_same(tmp_path: Path, tasks: int) -> None:
    for i in range(tasks):
        put(tmp_path, "a", HALF, task=f"t{i}")
        put(tmp_path, "b", changed(HALF, 10 + 2 * i, 4), task=f"t{i}")
    rows = compare("a", "b", output=tmp_path).rows
    assert len({row.verdict for row in rows}) == 2 or tasks == 2
    for row in rows:
        assert row.low_adjusted is not None and row.high_adjusted is not None and row.p_adjusted is not None
        assert (row.high_adjusted < 0) == (row.p_adjusted < 0.05) == (row.verdict == "worse")
        assert (row.difference.high < 0) == (row.p < 0.05)
        assert row.low_adjusted <= row.difference.low


def test_damaged_files_are_named(tmp_path: Path) -> None:
    put(tmp_path, "a", HALF)
    put(tmp_path, "a", HALF, task="pets")
    put(tmp_path, "b", HALF)
    put(tmp_path, "b", HALF, task="pets").with_suffix(".parquet").write_bytes(b"PAR1")
    (tmp_path / "runs" / "b" / "cars@1-00000000.json").write_text("{")
    made = compare("a", "b", output=tmp_path)
    assert [row.task for row in made.rows] == ["digits"]
    assert len(made.errors) == 2 and made.exit_code == 2
    assert "cars@1-00000000.json is not a readable record" in made.errors[0]
    assert "it is not what its record was written with" in made.errors[1]
    assert [each.task for each in made.incomparable] == ["pets"]


def test_runs_of_one_label_are_told_apart(tmp_path: Path) -> None:
    before, after = put(tmp_path / "before", "mine", HALF), put(tmp_path / "after", "mine", changed(HALF, 30))
    made = compare(before, after.parent)
    assert made.models == (str(before), str(after.parent))
    assert [(row.model, row.verdict) for row in made.rows] == [(str(after.parent), "worse")]
    assert compare(before, before).models == (f"{before} (1)", f"{before} (2)")


def test_a_model_is_tied_with_itself_everywhere() -> None:
    made = compare("tiny-coca", "tiny-coca", output=BASELINES)
    assert len(made.rows) == 31
    assert {row.verdict for row in made.rows} == {"tied"}
    assert not made.incomparable
    (overall,) = made.overall
    assert overall.difference.low == -overall.difference.high < overall.difference.value == 0.0
    assert (overall.p, overall.verdict) == (1.0, "tied")
    whole = len(made.rows)
    assert made.conclusion(made.models[1]) == f"tiny-coca (2) and tiny-coca (1) are tied on {whole} tasks"


def test_usage(tmp_path: Path) -> None:
    put(tmp_path, "mine", HALF)
    with pytest.raises(UsageError, match="comparison needs two runs or more"):
        compare("mine", output=tmp_path)
    with pytest.raises(UsageError, match="did you mean 'mine'"):
        compare("mine", "mein", output=tmp_path)
    with pytest.raises(UsageError, match="alpha is a number between 0 and 1, not 2"):
        compare("mine", "mine", output=tmp_path, alpha=2)


# the mean over tasks


def test_the_mean_over_tasks_is_corrected_for_chance(tmp_path: Path) -> None:
    for task in ("digits", "pets"):
        put(tmp_path, "a", HALF, task=task)
    put(tmp_path, "b", changed(HALF, 36))
    put(tmp_path, "b", HALF, task="pets")
    put(tmp_path, "a", HALF, task="rate", card=Card(best=None))
    put(tmp_path, "b", HALF, task="rate", card=Card(best=None))
    made = compare("a", "b", output=tmp_path)
    (overall,) = made.overall
    assert (overall.tasks, overall.difference.value) == (2, pytest.approx(-0.09 / 0.9 / 2))
    assert overall.difference.low < overall.difference.value < overall.difference.high < 0
    assert "over 2 tasks, chance-corrected: -0.050, 95 % interval" in text(made, 80)


@pytest.mark.parametrize(("tasks", "n", "shared"), [(5, 300, 300), (5, 300, 60), (1, 200, 200)])
def test_its_interval_covers_the_truth(tasks: int, n: int, shared: int) -> None:
    rng = np.random.default_rng(0)
    names = arrow.texts([digest_bytes(str(i % shared).encode()) for i in range(n)])
    ids = arrow.texts([str(i) for i in range(n)])
    covered = 0
    for _ in range(200):
        effect = rng.normal(0, 0.3, shared)[np.arange(n) % shared]  # of the picture, in every task
        runs = []
        for _ in range(tasks):
            change = 0.1 + effect + rng.normal(0, 0.5, n)
            runs.append([Measured(PLAIN, ids, names, each[:, None]) for each in (np.zeros(n), change)])
        tests = [compared(*run) for run in runs]
        made = pooled([test for test in tests if test], [(part(a, ""), part(b, "")) for a, b in runs])
        assert made.low is not None and made.high is not None
        covered += made.low <= 0.1 <= made.high
    assert 0.9 <= covered / 200 <= 0.985


def test_the_mean_of_one_task_is_that_of_the_task(tmp_path: Path) -> None:
    put(tmp_path, "a", HALF)
    put(tmp_path, "b", changed(HALF, 36, 9))
    made = compare("a", "b", output=tmp_path)
    (row,), (overall,) = made.rows, made.overall
    assert (overall.p, overall.verdict) == (row.p, row.verdict)
    assert overall.difference.low == pytest.approx(row.difference.low / 0.9)


# what is printed


def text(made: Comparison, width: int) -> str:
    console = Console(width=width, record=True, file=None, quiet=False)
    with console.capture() as capture:
        console.print(comparison_tables(made, width), highlight=False)
    return capture.get()


def test_the_table_fits_and_concludes(tmp_path: Path) -> None:
    for task in ("a-task-with-a-long-name", "digits"):
        put(tmp_path, "first", HALF, task=task)
        put(tmp_path, "second", changed(HALF, 30), task=task)
    made = compare("first", "second", output=tmp_path)
    for width in (80, 140):
        lines = [line.rstrip() for line in text(made, width).splitlines()]
        assert max(map(len, lines)) <= width
        assert lines[0].rstrip() == "A: first   B: second"
        assert lines[-1] == "second is worse on 2 of 2 tasks, better on none; none tied"
        assert any(line.startswith("a-task-with-a-long-name ") and "worse" in line for line in lines)
        assert "changed most digits@1: 0 (1 → 0), 2 (1 → 0), 4 (1 → 0)" in lines
    assert ("B down" in text(made, 80), "B down" in text(made, 140)) == (False, True)


def test_markdown(tmp_path: Path) -> None:
    put(tmp_path, "a", HALF)
    put(tmp_path, "b", changed(HALF, 30))
    put(tmp_path, "b", HALF, task="pets")
    lines = comparison_markdown(compare("a", "b", output=tmp_path)).splitlines()
    assert lines[0] == "**A: a, B: b**"
    assert lines[2] == "| task | metric | A | B | B - A | 95 % interval | p | items | verdict |"
    assert lines[4].startswith("| digits@1 | accuracy | 0.500 | 0.425 | -0.075 | -0.1")
    assert lines[4].endswith(" | <0.001 | 400 | worse |")
    assert "- pets is not comparable: a has no record of pets@1" in lines
    assert lines[-1] == "b is worse on 1 of 1 task, better on none; none tied; 1 task not comparable"


def test_json_is_what_the_interface_says(tmp_path: Path) -> None:
    put(tmp_path, "a", HALF)
    put(tmp_path, "b", changed(HALF, 30))
    made = json.loads(json.dumps(compare("a", "b", output=tmp_path).as_json(), allow_nan=False))
    assert {"models", "alpha", "rows", "incomparable"} <= made.keys()
    assert {"task", "version", "metric", "a", "b", "difference", "low", "high", "n"} <= made["rows"][0].keys()
    assert {"p", "p_adjusted", "verdict", "flips"} <= made["rows"][0].keys()


def test_a_corpus_metric_is_resampled(tmp_path: Path) -> None:
    yes_no = {"family": "yes-no", "metric": "f1"}
    worse = YES_NO.copy()
    worse[:30, [0, 2]] = worse[:30, [2, 0]]
    put(tmp_path, "a", YES_NO, **yes_no)
    put(tmp_path, "b", worse, **yes_no)
    (row,) = compare("a", "b", output=tmp_path).rows
    assert (row.verdict, row.a, row.b) == ("worse", pytest.approx(60 / 70), pytest.approx(30 / 55))
    assert (row.flips, row.gained, row.lost) == ((), None, None)
    assert row.difference.low < row.difference.value < row.difference.high < 0


def test_means_over_episodes_are_compared_on_those_that_both_learnt_from(tmp_path: Path) -> None:
    """The interval of the score knows of other episodes, that of the difference does not, and is told to."""
    metric = metric_named("probe", "4-shot/accuracy")
    for model, share in (("a", 0.6), ("b", 0.7)):
        table = np.random.default_rng(0).random((100, 3)) < share
        items = [
            replace(measured(metric, i, row.mean(), 100), statistics={metric.name: tuple(row.astype(float).tolist())})
            for i, row in enumerate(table)
        ]
        put_measured(tmp_path, metric, items, model=model, task="few", family="probe")
    told = (
        "tested on the episodes that both runs learnt from (others may turn a small difference): few@1 4-shot/accuracy"
    )
    assert compare("a", "b", output=tmp_path).remarks == (told,)
    assert check("b", "a", output=tmp_path).remarks == (told,)
