"""One damaged record among good ones: named and left out, and every command shows the others."""

import json
import math
import random
import shutil
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmbench.harness.cli.app import main
from tests.builders import BASELINES, rewrite
from tests.effort import within

CASES = 48
SLOWEST = 2.0
"""Of a command, in seconds of CPU time: whatever else the machine does."""
LABELS = ("tiny-coca", "micro-coca")
SEALED = "micro-coca"
"""Whose records are of the schema that notices every change; the others are older."""
ODD: tuple[Any, ...] = (
    None, True, "x", "0.5", "", -1, 0, 2**70, 10**400, 1e308, float("nan"), float("inf"), [], [1], [1, "a", None], {},
    {"a": {"b": []}}, "\x1b[2J", "[bold]", "n" * 3000,
)  # fmt: skip


def places(held: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of each part of a record, whose long inner lists are left alone."""
    if at:
        yield at
    inner = held.items() if isinstance(held, dict) else enumerate(held) if isinstance(held, list) else ()
    for key, value in inner if len(at) < 3 else ():
        yield from places(value, (*at, key))


def mutate(record: Path, chance: random.Random) -> str:
    """Damage one record or its outcomes, and tell how."""
    table = record.with_suffix(".parquet")
    way = chance.randrange(8)
    if way == 0:
        data = table.read_bytes()
        table.write_bytes(data[: chance.randrange(len(data))])
        return "outcomes cut short"
    if way == 1:
        pq.write_table(pa.table({"a": [1], "id": ["x"]}), table)
        return "outcomes of other columns"
    if way == 2:
        columns = pq.read_table(table)
        name = chance.choice(columns.column_names)
        at = columns.column_names.index(name)
        odd = chance.choice([pa.nulls(len(columns)), pa.array([1] * len(columns)), pa.array(["x"] * len(columns))])
        pq.write_table(columns.set_column(at, name, odd), table)
        return f"outcomes with {odd.type} as {name}"
    if way == 3:
        data = record.read_bytes()
        record.write_bytes(data[: chance.randrange(len(data))])
        return "record cut short"
    held = json.loads(record.read_text(encoding="utf-8"))
    at_once = sorted(places(held), key=str)
    *parents, last = chance.choice(at_once)
    inner = held
    for key in parents:
        inner = inner[key]
    if way == 4 and isinstance(inner, dict):
        del inner[last]
        said = "nothing"
    else:
        inner[last] = chance.choice(ODD)
        said = repr(inner[last])[:60]
    record.write_text(json.dumps(held), encoding="utf-8")
    return f"{(*parents, last)}: {said}"


def safely(record: Path) -> Any:
    """Return what a record holds, or None where that is no JSON."""
    try:
        return json.loads(record.read_bytes())
    except ValueError:
        return None


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A results folder with three records of each of two models."""
    for label in LABELS:
        (tmp_path / "results" / "runs" / label).mkdir(parents=True)
        for file in sorted((BASELINES / "runs" / label).glob("scenes-*.json"))[:3]:
            for each in (file, file.with_suffix(".parquet")):
                shutil.copy(each, tmp_path / "results" / "runs" / label / each.name)
    for file in (tmp_path / "results" / "runs" / SEALED).glob("*.json"):
        rewrite(file, schema=3, outcomes_digest=sha256(file.with_suffix(".parquet").read_bytes()).hexdigest())
    return tmp_path / "results"


def test_a_damaged_record_is_left_out(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(0)  # noqa: S311
    records = sorted((results / "runs").glob("*/*.json"))
    first = f"{records[0].name.partition('@')[0]}"
    commands = (
        ["leaderboard"],
        ["leaderboard", "--format", "json"],
        ["compare", *LABELS],
        ["check", LABELS[0], "--baseline", LABELS[1]],
        ["show", LABELS[0], "--task", first, "--limit", "2"],
        ["report", "--to", str(results / "report.html")],
    )
    monkeypatch.setattr(sys, "argv", ["mmbench", "leaderboard", "--output", str(results)])
    with pytest.raises(SystemExit):  # what is imported once costs no case its time
        main()
    for i in range(CASES):
        record = chance.choice(records)
        kept = {file: file.read_bytes() for file in (record, record.with_suffix(".parquet"))}
        said = mutate(record, chance)
        command = commands[i % len(commands)]
        monkeypatch.setattr(sys, "argv", ["mmbench", *command, "--output", str(results)])
        bound = math.inf if command[0] == "report" else SLOWEST
        with within(bound, f"case {i}, {record.name}, {said}: {command}"), pytest.raises(SystemExit) as done:
            main()
        out, err = capsys.readouterr()
        case = f"case {i}, {record.name}, {said}: mmbench {' '.join(command)}: {done.value.code}\n{err[:1500]}"
        assert done.value.code in (None, 0, 1, 2), case
        assert "Traceback" not in err and "internal error" not in err, case
        assert "\x1b" not in out + err, case
        if command[0] == "leaderboard":
            others = set(LABELS) - {record.parent.name}
            assert all(label in out for label in others), case
            if record.parent.name == SEALED and json.loads(kept[record]) != safely(record):
                assert done.value.code == 1 and record.name in err, case
        for file, data in kept.items():
            file.write_bytes(data)
