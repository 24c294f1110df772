"""Suites of public data name tasks that there are, and the battery of all has two of each dimension."""

from collections import Counter
from pathlib import Path

import pytest

from mmbench.benchmarks import SUITES
from mmbench.harness.tasks.suite import find_suite

NAMES = sorted(path.stem for path in Path(SUITES).glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_suite_names_tasks_once(name: str) -> None:
    tasks = [task.reference for task in find_suite(name).tasks]
    assert len(set(tasks)) == len(tasks) > 1


def test_the_battery_has_two_tasks_of_each_dimension() -> None:
    counts = Counter(task.card.dimension for task in find_suite("perception-hub").tasks)
    assert {*counts.values()} == {2} and len(counts) == 21
