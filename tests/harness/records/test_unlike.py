"""Which items of two records differ."""

from dataclasses import replace
from pathlib import Path

import pytest

from mmbench.harness.records.entry import Entry
from mmbench.harness.records.record import write
from mmbench.harness.records.unlike import unlike
from mmbench.harness.types import Outcome
from tests.builders import outcomes, record

ITEMS = outcomes([1.0] * 6, [f"picture {i}" for i in range(6)])


def entry(folder: Path, label: str, items: list[Outcome]) -> Entry:
    made = record(model=label)
    return Entry(made, write(made, items, folder))


def at(place: int, **changes: object) -> list[Outcome]:
    return [replace(item, **changes) if i == place else item for i, item in enumerate(ITEMS)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("items", "said"),
    [
        (at(2, target="blue"), "1 of 6 items differs: '2' (target {} against 'blue')"),
        (at(2, cluster="other"), "1 of 6 items differs: '2' (another picture)"),
        (ITEMS[:-1], "1 of 6 items differs: '5' (only in the first)"),
        ([*ITEMS, replace(ITEMS[0], id="new")], "1 of 7 items differs: 'new' (only in the second)"),
        (ITEMS[::-1], "the same items in another order"),
        (ITEMS, "same pictures and targets, so that questions, options or references differ"),
        (at(2, target="x" * 90), "1 of 6 items differs: '2' (target {} against '" + "x" * 40 + "…')"),
        (
            [replace(item, cluster="one") for item in ITEMS],
            "6 of 6 items differ: '0' (another picture); '1' (another picture); '2' (another picture); …",
        ),
    ],
)
def test_what_differs_is_named(tmp_path: Path, items: list[Outcome], said: str) -> None:
    held = ITEMS[2].target
    found = unlike(entry(tmp_path, "a", ITEMS), entry(tmp_path, "b", items))
    assert str(found) == said.replace("{}", "none" if held is None else f"'{held}'")


def test_a_task_with_two_kinds_of_queries_knows_them_apart(tmp_path: Path) -> None:
    both = [*ITEMS, *(replace(item, unit="text") for item in ITEMS)]
    changed = [*ITEMS, *(replace(item, unit="text") for item in at(1, target="else"))]
    found = unlike(entry(tmp_path, "a", both), entry(tmp_path, "b", changed))
    assert found is not None and (found.items, len(found.differing)) == (12, 1)


def test_outcomes_that_cannot_be_read_tell_nothing(tmp_path: Path) -> None:
    one, other = entry(tmp_path, "a", ITEMS), entry(tmp_path, "b", ITEMS)
    other.path.with_suffix(".parquet").write_bytes(b"no table")
    assert unlike(one, other) is None
