"""The gate names what broke, holds what did not, and passes over nothing that it could not judge."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
import pytest
from rich.console import Console

from mmbench.harness.compare.variation import Variation
from mmbench.harness.errors import UsageError
from mmbench.harness.gate.budget import read_budget
from mmbench.harness.gate.check import check
from mmbench.harness.gate.ci_files import append_summary, summary, write_junit
from mmbench.harness.gate.rows import Checked
from mmbench.harness.gate.verdict import needed
from mmbench.harness.records.record import sealed
from mmbench.harness.statistics.paired import Paired
from mmbench.harness.statistics.power import Discordant, needed_for_margin
from mmbench.harness.tasks.metric_names import metric_named
from mmbench.harness.terminal.comparison import check_table
from tests.builders import BASELINES, RECORD, changed, measured, put_measured


def put(folder: Path, model: str, values: np.ndarray, /, errors: int = 0, unparsed: int = 0, **changes: Any) -> Path:
    """Write a record of these per-item values; the last items are errors, those before them unparsed."""
    metric = metric_named(changes.get("family", RECORD.family), changes.pop("metric", "accuracy"))
    shared, right = changes.pop("clusters", len(values)), len(values) - errors - unparsed
    items = [measured(metric, i, value, shared) for i, value in enumerate(values[:right].tolist())]
    items += [measured(metric, i, 0.0, shared, status="unparsed") for i in range(right, right + unparsed)]
    items += [measured(metric, i, None, shared) for i in range(right + unparsed, len(values))]
    return put_measured(folder, metric, items, model=model, errors=errors, **{"seconds": 1.5, **changes})


MANY = np.tile([1.0, 1.0, 1.0, 0.0], 500)


def verdicts(made: Checked) -> dict[str, str]:
    return {row.task: row.verdict for row in made.rows}


def test_each_verdict(tmp_path: Path) -> None:
    changes = {"same": (0, 0), "held": (5, 5), "better": (5, 60), "worse": (100, 10), "open": (100, 85)}
    for task, (losses, gains) in changes.items():
        put(tmp_path, "base", MANY, task=task)
        put(tmp_path, "new", changed(MANY, losses, gains), task=task)
    made = check("new", "base", output=tmp_path)
    assert verdicts(made) == {
        "same": "held",
        "held": "held",
        "better": "improved",
        "worse": "regressed",
        "open": "inconclusive",
    }
    assert (made.verdict, made.exit_code) == ("regressed", 1)
    assert made.conclusion == (
        "new fails against base: of 5 tasks 1 regressed (worse@1), 1 inconclusive, 2 held, 1 improved"
    )


@pytest.mark.parametrize(("n", "clusters"), [(4, 4), (12, 3), (12, 1)])
def test_identical_runs_hold_however_short(tmp_path: Path, n: int, clusters: int) -> None:
    put(tmp_path, "base", MANY[:n], clusters=clusters)
    put(tmp_path, "new", MANY[:n], clusters=clusters)
    made = check("new", "base", output=tmp_path, strict=True)
    assert (made.verdict, made.exit_code) == ("held", 0)
    assert made.rows[0].identical


def test_a_drop_within_the_margin_holds_or_stays_open(tmp_path: Path) -> None:
    put(tmp_path, "base", MANY)
    put(tmp_path, "new", changed(MANY, 20))
    assert verdicts(check("new", "base", output=tmp_path)) == {"digits": "inconclusive"}
    assert verdicts(check("new", "base", output=tmp_path, margin=0.02)) == {"digits": "held"}
    assert verdicts(check("new", "base", output=tmp_path, margin=0.005)) == {"digits": "regressed"}


def test_what_is_inconclusive_says_how_many_items_would_do(tmp_path: Path) -> None:
    put(tmp_path, "base", MANY[:200])
    put(tmp_path, "new", changed(MANY[:200], 5, 5))
    made = check("new", "base", output=tmp_path)
    (row,) = made.rows
    assert (row.verdict, made.exit_code, replace(made, strict=True).exit_code) == ("inconclusive", 0, 1)
    assert row.needed_n == needed_for_margin(Discordant(0.05), 0.01) == 3162
    assert row.reason == (
        "accuracy 0.750 to 0.750 (0.000), within the margin of 0.01 or not: 200 items cannot tell, about 3,162 would do"
    )
    put(tmp_path, "base", np.repeat(MANY[:200], 4), clusters=200, task="clustered")
    put(tmp_path, "new", np.repeat(changed(MANY[:200], 5, 5), 4), clusters=200, task="clustered")
    wide = next(row for row in check("new", "base", output=tmp_path).rows if row.task == "clustered")
    assert wide.needed_n is not None and wide.needed_n >= 3162


@pytest.mark.parametrize("value", [-0.01, np.nextafter(-0.01, -1), np.nextafter(-0.01, 0)])
def test_no_number_of_items_decides_on_a_drop_by_the_margin_itself(value: float) -> None:
    """Whatever its last digit is: by how much it exceeds the margin then it would take 10 to the power of 30."""
    seen = Paired(float(value), -0.02, 0.001, 0.1, 0.05, 5000, 5000)
    assert needed(Variation(Discordant(0.05), 1.0), seen, 0.01, 0.05, 1) is None
    more = replace(seen, value=-0.011)
    assert 5000 < (needed(Variation(Discordant(0.05), 1.0), more, 0.01, 0.05, 1) or 0) < 10**6


def test_items_of_one_picture_need_more(tmp_path: Path) -> None:
    values = np.tile(MANY[:100], 4)  # item i shows picture i % 100
    worse = np.tile(changed(MANY[:100], 3, 3), 4)
    put(tmp_path, "base", values, clusters=100)
    put(tmp_path, "new", worse, clusters=100)
    (row,) = check("new", "base", output=tmp_path).rows
    alone = needed_for_margin(Discordant(0.06), 0.01)
    assert alone is not None and row.needed_n == pytest.approx(4 * alone, rel=0.05)


def test_other_values_than_right_and_wrong(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 1, 400)
    for task, moved, spread in (("same", 0.0, 0.01), ("open", 0.0, 0.3), ("worse", -0.1, 0.2)):
        put(tmp_path, "base", values, task=task)
        noise = rng.normal(0, spread, 400)
        put(tmp_path, "new", values + moved + noise - noise.mean(), task=task)
    made = check("new", "base", output=tmp_path)
    assert verdicts(made) == {"same": "held", "open": "inconclusive", "worse": "regressed"}
    wanted = next(row.needed_n for row in made.rows if row.task == "open")
    assert wanted == pytest.approx(((1.645 + 0.842) * 0.3 / 0.01) ** 2, rel=0.15)


def test_lower_is_better_for_a_rank(tmp_path: Path) -> None:
    retrieval = {"family": "retrieval", "metric": "image_to_text/median_rank"}
    ranks = np.random.default_rng(0).integers(5, 50, size=101).astype(float)
    put(tmp_path, "base", ranks, **retrieval)
    put(tmp_path, "worse", ranks + 10, **retrieval)
    put(tmp_path, "better", ranks - 4, **retrieval)
    (row,) = check("worse", "base", output=tmp_path).rows
    assert (row.verdict, row.difference.value) == ("regressed", 10)
    assert row.difference.low <= 10 <= row.difference.high
    assert verdicts(check("better", "base", output=tmp_path)) == {"digits": "improved"}


def test_what_is_missing_is_never_passed_over(tmp_path: Path) -> None:
    for task in ("digits", "pets", "cars"):
        put(tmp_path, "base", MANY, task=task)
    put(tmp_path, "new", MANY)
    put(tmp_path, "new", MANY, task="pets", digest="e" * 16)
    put(tmp_path, "new", MANY, task="birds")
    made = check("new", "base", output=tmp_path)
    unlike, lacking = made.incomparable
    assert (unlike.task, lacking.task, lacking.reason) == ("pets", "cars", "new has no record of cars@1")
    sides = "(the baseline base against the candidate new)"
    assert unlike.reason.startswith(f"dataset digest dddddddd against eeeeeeee {sides}: ")
    assert "run the baseline base again on the present data, or restore the data" in unlike.reason
    assert (made.verdict, made.exit_code, made.new) == ("not_comparable", 2, ("birds@1",))
    put(tmp_path, "new", changed(MANY, 200), created="2026-12-01")
    assert check("new", "base", output=tmp_path).exit_code == 1


def test_a_damaged_record_is_never_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "base", MANY)
    put(tmp_path, "new", MANY)
    (tmp_path / "runs" / "base" / "pets@1-00000000.json").write_text("{")
    made = check("new", "base", output=tmp_path)
    assert (made.verdict, made.exit_code) == ("not_comparable", 2)
    assert "pets@1-00000000.json is not a readable record" in made.errors[0]
    put(tmp_path, "new", MANY).with_suffix(".parquet").unlink()
    again = check("new", "base", output=tmp_path)
    assert (again.rows, again.exit_code, len(again.errors)) == ((), 2, 2)


def test_new_tasks_pass(tmp_path: Path) -> None:
    put(tmp_path, "base", MANY)
    put(tmp_path, "new", MANY)
    put(tmp_path, "new", MANY, task="pets")
    made = check("new", "base", output=tmp_path)
    assert (made.verdict, made.new) == ("held", ("pets@1",))


def test_damage_spread_over_tasks_fails_by_their_mean(tmp_path: Path) -> None:
    for i in range(8):
        put(tmp_path, "base", MANY[:200], task=f"t{i}", digest=f"{i}" * 16)
        put(tmp_path, "new", changed(MANY[:200], 8, 3), task=f"t{i}", digest=f"{i}" * 16)
    made = check("new", "base", output=tmp_path)
    assert set(verdicts(made).values()) == {"inconclusive"}
    assert made.pooled is not None
    assert (made.pooled.verdict, made.verdict, made.exit_code) == ("regressed", "regressed", 1)
    assert made.pooled.high_adjusted is not None and made.pooled.high_adjusted < 0
    for row in made.rows:
        assert row.high_adjusted is not None and row.high_adjusted >= 0
    assert "their mean regressed (-0.028)" in made.conclusion


def test_a_partial_run_fails_unless_allowed(tmp_path: Path) -> None:
    put(tmp_path, "base", MANY)
    put(tmp_path, "new", MANY[:1000], partial=True, digest="e" * 16, protocol="q" * 16, clusters=2000)
    made = check("new", "base", output=tmp_path)
    assert (made.rows[0].verdict, made.verdict, made.exit_code) == ("held", "partial", 1)
    assert made.conclusion.endswith("1 partial (digits@1), which --allow-partial lets pass")
    allowed = check("new", "base", output=tmp_path, allow_partial=True)
    assert (allowed.verdict, allowed.exit_code) == ("held", 0)


# budgets


def test_errors_and_coverage_are_held_to_a_budget(tmp_path: Path) -> None:
    put(tmp_path, "base", MANY)
    put(tmp_path, "new", MANY, errors=100)
    made = check("new", "base", output=tmp_path)
    assert (made.verdict, made.exit_code) == ("over_budget", 1)
    assert made.rows[0].reason == "coverage 95.0% is below 99.0%; 100 items could not be scored, 20 may"
    put(tmp_path, "few", MANY, errors=20)
    assert check("few", "base", output=tmp_path).verdict == "held"
    file = tmp_path / "budget.toml"
    file.write_text("[default]\nmax_errors = 19\nmin_coverage = 1\n")
    assert check("few", "base", output=tmp_path, budget=file).rows[0].over == (
        "coverage 99.0% is below 100.0%",
        "20 items could not be scored, 19 may",
    )


def test_what_the_baseline_lacks_too_is_within_the_usual_budget(tmp_path: Path) -> None:
    put(tmp_path, "base", MANY, unparsed=100)
    put(tmp_path, "new", MANY, unparsed=100)
    assert check("new", "base", output=tmp_path).verdict == "held"
    file = tmp_path / "budget.toml"
    file.write_text("[default]\nmin_coverage = 0.99\n")
    assert check("new", "base", output=tmp_path, budget=file).verdict == "over_budget"
    put(tmp_path, "worse", MANY, unparsed=120)
    made = check("worse", "base", output=tmp_path, margin=0.001)
    assert (made.verdict, made.rows[0].over) == ("regressed", ("coverage 94.0% is below 95.0%",))


def test_margins_by_task(tmp_path: Path) -> None:
    for task in ("digits", "pets", "cars"):
        put(tmp_path, "base", MANY, task=task)
        put(tmp_path, "new", changed(MANY, 60), task=task)
    file = tmp_path / "budget.toml"
    file.write_text('[default]\nmargin = 0.04\nalpha = 0.1\n[task."digits@1"]\nmargin = 0.02\n[task.pets]\nmargin=0.05')
    made = check("new", "base", output=tmp_path, budget=file)
    assert verdicts(made) == {"digits": "regressed", "pets": "held", "cars": "held"}
    assert (made.alpha, [row.margin for row in made.rows]) == (0.1, [0.04, 0.02, 0.05])
    again = check("new", "base", output=tmp_path, budget=file, margin=0.01, alpha=0.05)
    assert (again.alpha, [row.margin for row in again.rows]) == (0.05, [0.01, 0.02, 0.05])
    file.write_text("[task.pet]\nmargin = 0.1\n")
    with pytest.raises(UsageError, match="task 'pet', which neither run has; did you mean 'pets'?"):
        check("new", "base", output=tmp_path, budget=file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[default]\nmargn = 0.1", r"\[default\]: unknown key 'margn'; did you mean 'margin'\?"),
        ('[task."a@1"]\nalpha = 0.1', r"\[task.a@1\]: unknown key 'alpha'; the keys are margin, max_errors, min_cov"),
        ("[defaults]\nmargin = 0.1", r"toml: unknown key 'defaults'; did you mean 'default'\?"),
        ("[default]\nmargin = -0.1", r"\[default\]: 'margin': input should be greater than or equal to 0, not -0.1"),
        ("[default]\nmargin = nan", r"\[default\]: 'margin': input should be a finite number, not nan"),
        ("[default]\nmax_errors = true", r"'max_errors': input should be a valid integer, not True"),
        ("[default]\nmin_coverage = 99", r"'min_coverage': input should be less than or equal to 1, not 99"),
        ("[task]\ndigits = 0.02", r"\[task\]: 'digits': is a table, not 0.02"),
        ("[default", "is not a readable TOML file"),
    ],
)
def test_what_is_wrong_with_a_budget(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "budget.toml"
    file.write_text(content)
    with pytest.raises(UsageError, match=message):
        read_budget(file)


def test_what_is_wrong_with_options(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--margin and --alpha: 'margin': input should be greater than or equal to 0"):
        read_budget(margin=-1)
    with pytest.raises(UsageError, match="'alpha': input should be less than 0.5"):
        read_budget(alpha=0.5)
    with pytest.raises(UsageError, match="is not a readable TOML file"):
        read_budget(tmp_path / "none.toml")


# the models of this project


def test_a_model_holds_against_itself(tmp_path: Path) -> None:
    for path in (BASELINES / "runs" / "tiny-coca").glob("*.json"):
        (tmp_path / path.name).write_text(sealed({**json.loads(path.read_text()), "created": "2030-01-01"}))
        (tmp_path / path.with_suffix(".parquet").name).symlink_to(path.with_suffix(".parquet"))
    made = check(tmp_path, "tiny-coca", output=BASELINES, strict=True)
    assert (made.verdict, made.exit_code) == ("held", 0)
    assert len(made.rows) == 31


@pytest.mark.parametrize("name", ["base", "runs/base"])
def test_a_record_does_not_pass_for_its_own_candidate(tmp_path: Path, name: str) -> None:
    put(tmp_path, "base", MANY)
    put(tmp_path / "copy", "base", MANY)
    made = check(tmp_path / "copy" / name if "/" in name else name, "base", output=tmp_path)
    assert (made.verdict, made.exit_code) == ("not_comparable", 2)
    assert "candidate and baseline are the same record" in made.incomparable[0].reason


def test_planted_damage_is_named(tmp_path: Path) -> None:
    """One class of two is flipped on one task, noise costs a little on another, five are asked again."""
    rng = np.random.default_rng(0)
    right = (rng.random(1000) < 0.8).astype(float)
    flipped, noised = right.copy(), right.copy()
    flipped[::10] = 1 - flipped[::10]
    noised[rng.permutation(1000)[:120]] = 0
    for task in ("one", "two", "three", "four", "five", "flipped", "noised"):
        put(tmp_path, "base", right, task=task)
        put(tmp_path, "new", {"flipped": flipped, "noised": noised}.get(task, right), task=task)
    made = check("new", "base", output=tmp_path)
    assert {task for task, verdict in verdicts(made).items() if verdict == "regressed"} == {"flipped", "noised"}
    assert {verdict for task, verdict in verdicts(made).items() if task not in ("flipped", "noised")} == {"held"}


# what is printed and written


@pytest.fixture
def made(tmp_path: Path) -> Checked:
    for task, losses, gains in (("same", 0, 0), ("worse", 200, 0), ("open", 90, 90)):
        put(tmp_path, "base", MANY, task=task)
        put(tmp_path, "new\x07|", changed(MANY, losses, gains), task=task)
    put(tmp_path, "base", MANY, task="gone")
    put(tmp_path, "new\x07|", MANY, task="added")
    put(tmp_path, "base", MANY, task="errors")
    put(tmp_path, "new\x07|", MANY, task="errors", errors=200)
    return check("new\x07|", "base", output=tmp_path)


def test_junit(made: Checked, tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    for strict, failures, skipped in ((False, "3", "1"), (True, "4", "0")):
        write_junit(replace(made, strict=strict), file)
        (suite,) = Xml.parse(file).getroot()
        assert suite.attrib | {"name": ""} == {
            "name": "",
            "tests": "6",
            "failures": failures,
            "errors": "1",
            "skipped": skipped,
            "time": "6.000",
        }
        cases = {case.get("name"): case for case in suite.iter("testcase")}
        assert len(cases) == 6
        assert cases["same@1 accuracy"].get("time") == "1.500" and not len(cases["same@1 accuracy"])
        failure = cases["worse@1 accuracy"].find("failure")
        assert failure is not None and failure.get("type") == "regressed"
        assert failure.get("message") == "accuracy 0.750 to 0.650 (-0.100), beyond the margin of 0.01 (p <0.001)"
        error = cases["gone"].find("error")
        assert error is not None and error.text == "new\ufffd| has no record of gone@1"
        assert (cases["open@1 accuracy"].find("skipped") is None) is strict


def test_summary(made: Checked, tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    append_summary(made, file)
    text = file.read_text()
    assert text == "before\n" + summary(made)
    lines = text.splitlines()
    assert lines[1] == "### mmbench check"
    assert lines[3].startswith(
        "new\ufffd\\| fails against base: of 5 tasks 1 regressed (worse@1), 1 over budget (errors@1)"
    )
    assert lines[5] == "|  | task | metric | base | new\ufffd\\| | change | 90 % interval | margin | verdict |"
    assert lines[7].startswith("| ❌ | worse@1 | accuracy | 0.750 | 0.650 | -0.100 | -0.1")
    assert "- **gone** is not comparable: new\ufffd\\| has no record of gone@1" in lines
    assert "- **added@1** is new" in lines


def test_files_that_cannot_be_written(made: Checked, tmp_path: Path) -> None:
    for writer in (write_junit, append_summary):
        with pytest.raises(UsageError, match="cannot be written"):
            writer(made, tmp_path / "none" / "file")


@pytest.mark.parametrize("width", [80, 140])
def test_the_table_fits_and_concludes(made: Checked, width: int) -> None:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(check_table(made, width), highlight=False)
    lines = [line.rstrip() for line in capture.get().splitlines()]
    assert max(map(len, lines)) <= width
    assert "against base, margin 0.01" in lines[0]
    assert lines[-1].endswith("1 not comparable (gone)")
    for start in ("regressed worse@1: accuracy 0.750 to 0.650", "over budget errors@1: coverage 90.0%", "new added@1"):
        assert any(line.startswith(start) for line in lines)


def test_json_is_what_the_interface_says(made: Checked) -> None:
    held = json.loads(json.dumps(made.as_json(), allow_nan=False))
    assert held["verdict"] == "regressed"
    assert {"task", "metric", "baseline", "candidate", "difference", "low", "high", "margin"} <= held["rows"][0].keys()
    assert {"p", "verdict", "needed_n"} <= held["rows"][0].keys()
