"""Records and outcomes come back as they were written, and a damaged one is named."""

import hashlib
import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mmbench.harness.errors import DataError
from mmbench.harness.records.entry import find, in_results
from mmbench.harness.records.outcomes import SCHEMA, read_outcomes
from mmbench.harness.records.record import Record, read, write
from mmbench.harness.scores.breakdown import Level
from mmbench.harness.tasks.card import Card
from mmbench.harness.types import Outcome, Score
from tests import builders
from tests.builders import rewrite

SCORE = Score("accuracy", 0.5, 0.1, 0.9, 4, 0.75, (0.4, 0.6), 0.1, True)
BARE = Score("map", None, None, None, 0, 0.0, None, None, False)


RECORD = builders.record(
    model="mine",
    fingerprint="f" * 8,
    parameters=2_840_000,
    task="pets",
    version=2,
    protocol="p" * 8,
    dataset={"digest": "d", "n": 4, "partial": False},
    scores=(SCORE, BARE),
    breakdown=(Level("level", 3, SCORE), Level("level", None, BARE)),
    card=Card(title="Haustiere – 猫", chance=0.1, best=1.0, primary="accuracy"),
    errors=1,
    first_error="a.png: not a readable picture",
    notes=("clipscore is -: no scorer was given",),
    details={"chosen": {"full": {"C": 0.3}}, "curve": [{"shots": None, "accuracy": [0.5]}]},
    versions={"python": "3.11", "torch": None},
    hardware={"cpus": 2},
    seconds=1.5,
    items_per_second=2.6,
    asked=3,
    remembered=1,
    created="2026-11-01T10:00:00.000+00:00",
)


def record(**changes: Any) -> Record:
    return replace(RECORD, **changes)


OUTCOMES = [
    Outcome(
        id="a",
        status="ok",
        prediction="cat",
        target="dog",
        values={"accuracy": 0.0},
        chances={"accuracy": 0.1},
        statistics={"map": (0.5, 1.0)},
        guesses={"cider": (0.25, 0.0, 2.0), "bleu@4": (1.0,)},
        facts={"level": 3, "name": "x", "share": 0.5, "flag": True, "mixed": 1},
        cluster="c",
        unit="image",
        locator="a.png",
        reply="<think>é\n😺</think>cat",
        prompt="What is it?",
    ),
    Outcome(id="b", status="error", prediction=None, target=None, values={}, message="b.png: gone"),
]


def found_in(results: Path) -> tuple[list[Record], list[DataError]]:
    found = find(in_results(results))
    assert all(entry.path.is_file() and read(entry.path) == entry.record for entry in found.entries)
    return [entry.record for entry in found.entries], list(found.errors)


def test_round_trip(tmp_path: Path) -> None:
    path = write(record(), OUTCOMES, tmp_path)
    assert path == tmp_path / "runs" / "mine" / record().file_name
    assert path.name.startswith("pets@2-")
    assert len(path.stem) == len("pets@2-") + 8
    assert read(path) == record()
    assert read_outcomes(path) == OUTCOMES
    assert found_in(tmp_path) == ([record()], [])
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name, f"{path.stem}.parquet"]


def test_outcomes_of_older_schemas_have_neither_reply_nor_prompt(tmp_path: Path) -> None:
    path = write(record(), OUTCOMES, tmp_path)
    table = path.with_suffix(".parquet")
    pq.write_table(pq.read_table(table).drop_columns(["reply", "prompt"]), table)
    assert read_outcomes(path) == [replace(outcome, reply=None, prompt=None) for outcome in OUTCOMES]


def test_a_record_of_the_first_schema_is_read(tmp_path: Path) -> None:
    path = write(record(), OUTCOMES, tmp_path)
    held = json.loads(path.read_text(encoding="utf-8"))
    held["schema"] = 1
    del held["parameters"]
    for score in (*held["scores"], *held["breakdown"]):
        del score["clusters"]
    path.write_text(json.dumps(held), encoding="utf-8")
    (found,), errors = found_in(tmp_path)
    assert not errors
    assert (found.parameters, found.primary.clusters, found.primary.value) == (None, None, SCORE.value)
    assert not found.primary.few_clusters


def test_keys_of_the_record(tmp_path: Path) -> None:
    held = json.loads(write(record(), OUTCOMES, tmp_path).read_text(encoding="utf-8"))
    expected = (
        "schema model fingerprint task version protocol route control scorer dataset scores notes seed versions "
        "hardware seconds items_per_second asked remembered truncated_texts created"
    )
    assert set(expected.split()) <= set(held)
    assert held["schema"] == SCHEMA
    assert held["card"]["title"] == "Haustiere – 猫"
    assert held["scores"][1] == {
        "metric": "map",
        "value": None,
        "low": None,
        "high": None,
        "n": 0,
        "coverage": 0.0,
        "bounds": None,
        "chance": None,
        "primary": False,
        "clusters": None,
    }


def test_outcomes_are_a_table_for_other_tools(tmp_path: Path) -> None:
    path = write(record(), OUTCOMES, tmp_path).with_suffix(".parquet")
    table = pq.read_table(path)
    assert {"id", "status", "prediction", "target", "values", "facts", "cluster", "unit"} <= set(table.column_names)
    assert table.schema.metadata[b"mmbench.schema"] == str(SCHEMA).encode()
    first, second = table.select(["id", "status", "prediction", "target", "values", "facts"]).to_pylist()
    assert first == {
        "id": "a",
        "status": "ok",
        "prediction": "cat",
        "target": "dog",
        "values": {"accuracy": 0.0},
        "facts": {"level": 3, "name": "x", "share": 0.5, "flag": True, "mixed": 1},
    }
    assert (second["values"], second["facts"]["level"]) == ({"accuracy": None}, None)


def test_outcomes_without_values_and_with_mixed_facts(tmp_path: Path) -> None:
    bare = [
        Outcome(id="a", status="error", prediction=None, target=None, values={}, facts={"x": 1, "y": math.nan}),
        Outcome(id="b", status="error", prediction=None, target=None, values={}, facts={"x": "one", "y": 0.5}),
    ]
    path = write(record(), bare, tmp_path)
    assert [dict(each.facts) for each in read_outcomes(path)] == [{"x": "1"}, {"x": "one", "y": 0.5}]
    assert [dict(each.values) for each in read_outcomes(path)] == [{}, {}]


def test_a_record_that_json_cannot_hold_leaves_the_old_one(tmp_path: Path) -> None:
    path = write(record(), OUTCOMES, tmp_path)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write(record(seconds=math.nan), OUTCOMES, tmp_path)
    assert read(path) == record()
    assert found_in(tmp_path) == ([record()], [])


def test_half_written_files_are_no_records(tmp_path: Path) -> None:
    path = write(record(), OUTCOMES, tmp_path)
    path.with_suffix(".json.123").write_text("{")
    path.with_suffix(".parquet.123").write_text("")
    assert found_in(tmp_path) == ([record()], [])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"schema": 1, "model"', "is not a readable record"),
        (b"", "is not a readable record"),
        (b"\xff\xfe", "is not a readable record"),
        (b"[]", "has schema None, this version reads 1 to 3; run the task again to replace it"),
        (b'{"schema": 0}', "has schema 0, this version reads 1 to 3; run the task again to replace it"),
        (b'{"schema": 4}', "has schema 4, this version reads 1 to 3; update mmbench"),
        (b'{"schema": 3}', "is damaged or was changed after it was written"),
        (b'{"schema": 1}', "lacks or misspells a part of a record (model is missing)"),
    ],
)
def test_a_damaged_record_is_named_and_the_others_are_kept(tmp_path: Path, content: bytes, expected: str) -> None:
    write(record(), OUTCOMES, tmp_path)
    bad = tmp_path / "runs" / "mine" / "pets@2-00000000.json"
    bad.write_bytes(content)
    records, errors = found_in(tmp_path)
    assert records == [record()]
    (error,) = errors
    assert str(error).startswith(str(bad))
    assert expected in str(error)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("scores", [1]),
        ("scores", [{"metric": "x"}]),
        ("card", {"titel": ""}),
        ("card", None),
        ("breakdown", [[]]),
        ("notes", None),
    ],
)
def test_a_part_of_the_wrong_shape(tmp_path: Path, part: str, value: Any) -> None:
    path = write(record(), OUTCOMES, tmp_path)
    rewrite(path, **{part: value})
    with pytest.raises(DataError, match="lacks or misspells a part of a record"):
        read(path)


@pytest.mark.parametrize("value", [0.99, math.nan, "\ud800", 10**400, None])
def test_a_record_that_was_changed_by_hand_is_refused(tmp_path: Path, value: Any) -> None:
    path = write(record(), OUTCOMES, tmp_path)
    held = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(held, indent=4, sort_keys=True), encoding="utf-8")
    assert read(path) == record(), "another layout is no change"
    held["scores"][0]["value"] = value
    path.write_text(json.dumps(held), encoding="utf-8")
    with pytest.raises(DataError, match=r"damaged or was changed|is not a readable record"):
        read(path)


def test_a_flipped_byte_of_the_outcomes_is_noticed(tmp_path: Path) -> None:
    path = write(record(), OUTCOMES, tmp_path)
    digest = read(path).outcomes_digest
    table = path.with_suffix(".parquet")
    content = table.read_bytes()
    assert digest == hashlib.sha256(content).hexdigest()
    assert read_outcomes(path, digest) == OUTCOMES
    for at in range(0, len(content), 97):
        table.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(DataError, match="it is not what its record was written with"):
            read_outcomes(path, digest)


def test_missing_or_damaged_outcomes(tmp_path: Path) -> None:
    path = write(record(), OUTCOMES, tmp_path)
    path.with_suffix(".parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="is not a readable table of outcomes"):
        read_outcomes(path)
    path.with_suffix(".parquet").unlink()
    with pytest.raises(DataError, match="is not a readable table of outcomes"):
        read_outcomes(path)

    os.mkfifo(path.with_suffix(".parquet"))
    with pytest.raises(DataError, match="it is a pipe, not a file"):
        read_outcomes(path)


def test_a_process_that_read_outcomes_ends_well(tmp_path: Path) -> None:
    """Threads of pyarrow that hold a Python file abort the process where Python ends before them."""
    path = write(record(), OUTCOMES, tmp_path)
    code = (
        "import sys; from pathlib import Path; from mmbench.harness.records.outcomes import read_outcomes\n"
        "read_outcomes(Path(sys.argv[1]))"
    )
    for _ in range(3):
        subprocess.run([sys.executable, "-c", code, str(path)], check=True)


PARTIAL = {"digest": "d", "n": 2, "partial": True}


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": PARTIAL},
        {"protocol": "other"},
        {"fingerprint": "other"},
        {"route": "generate"},
        {"control": "blind"},
    ],
)
def test_what_differs_never_shares_a_file(tmp_path: Path, change: dict[str, Any]) -> None:
    paths = {write(record(), OUTCOMES, tmp_path), write(record(**change), OUTCOMES, tmp_path)}
    assert len(paths) == 2
    assert write(record(created="2027"), OUTCOMES, tmp_path) in paths


def test_shuffles_of_two_seeds_are_both_kept(tmp_path: Path) -> None:
    made = {write(record(control="shuffled", seed=seed), OUTCOMES, tmp_path) for seed in (0, 1, 2)}
    assert len(made) == 3
    assert write(record(seed=1), OUTCOMES, tmp_path) == write(record(seed=0), OUTCOMES, tmp_path)
