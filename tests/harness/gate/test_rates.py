"""A gate raises as few false alarms as it promises, and finds the drop that it is there to find."""

from functools import cache

import numpy as np
import pytest

from mmbench.harness.gate.verdict import Verdict, judge
from mmbench.harness.statistics.paired import Paired, paired
from tests.perf.coverage import gate_run

TASKS = 20
ALPHA = 0.05
MARGIN = 0.01
SIZES = [200] * TASKS


@cache
def gain(gains: int, losses: int, n: int) -> Paired:
    """Return what two runs differ by that are right on so many items apart; runs of one count are alike."""
    before, after = np.zeros(n), np.zeros(n)
    after[:gains] = 1
    before[gains : gains + losses] = 1
    return paired(before, after, np.arange(n), confidence=1 - 2 * ALPHA)


def verdicts(rng: np.random.Generator, n: int, drops: list[float], discordant: float, margin: float) -> list[Verdict]:
    """Return the verdicts of one simulated run of tasks of n items whose true drops are given."""
    cells = [((discordant - drop) / 2, (discordant + drop) / 2, 1 - discordant) for drop in drops]
    counts = rng.multinomial(n, cells)[:, :2].tolist()
    return [each.verdict for each in judge([gain(up, down, n) for up, down in counts], [margin] * len(drops), ALPHA)]


@pytest.mark.parametrize(
    ("n", "discordant", "margin"), [(1000, 0.05, MARGIN), (200, 0.1, MARGIN), (50, 0.3, MARGIN), (1000, 0.05, 0.0)]
)
def test_no_change_fails_at_most_alpha_of_the_time(n: int, discordant: float, margin: float) -> None:
    rng = np.random.default_rng(0)
    failed = sum("regressed" in verdicts(rng, n, [0.0] * TASKS, discordant, margin) for _ in range(2000))
    assert failed / 2000 <= ALPHA


def test_a_drop_is_named_most_of_the_time() -> None:
    rng = np.random.default_rng(0)
    drops = [0.0] * TASKS
    drops[7] = 0.03
    runs = [verdicts(rng, 1000, drops, 0.05, MARGIN) for _ in range(500)]
    assert sum(run[7] == "regressed" for run in runs) / 500 >= 0.8
    assert sum("regressed" in run[:7] + run[8:] for run in runs) / 500 <= ALPHA


def test_a_drop_of_the_margin_is_seldom_held() -> None:
    """To hold is to reject inferiority at alpha, task by task."""
    rng = np.random.default_rng(0)
    runs = [verdicts(rng, 2000, [MARGIN] * TASKS, 0.05, MARGIN) for _ in range(100)]
    held = np.mean([verdict in ("held", "improved") for run in runs for verdict in run])
    assert held <= ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / 2000)


@pytest.mark.slow
@pytest.mark.parametrize(("margin", "alike"), [(MARGIN, 0.0), (0.0, 0.0), (0.0, 0.5)])
def test_no_change_fails_at_most_alpha_of_the_time_by_tasks_or_mean(margin: float, alike: float) -> None:
    rng = np.random.default_rng(0)
    failed = np.mean([any(gate_run(rng, SIZES, 0.0, margin, alike=alike)) for _ in range(600)])
    assert failed <= ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / 600)


@pytest.mark.slow
@pytest.mark.parametrize(("drop", "margin"), [(0.015, 0.0), (0.02, MARGIN)])
def test_a_drop_everywhere_is_found_by_the_mean(drop: float, margin: float) -> None:
    """It is too small to be found on any one task most of the time."""
    rng = np.random.default_rng(0)
    tasks, mean = np.mean([gate_run(rng, SIZES, drop, margin) for _ in range(200)], axis=0)
    assert mean >= 0.8 > tasks
