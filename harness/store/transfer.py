"""Transfer of answers between stores of several machines, in Parquet."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.parquet_footer import declared
from mmbench.harness.regular import regular
from mmbench.harness.store.answers import Answers, Row
from mmbench.harness.store.checksum import checksum, is_intact, seed_of
from mmbench.harness.store.database import Database
from mmbench.harness.strict_json import parse_json

_HEAD = b"mmbench.store"
"""Key of the file's metadata under which its models stand, as JSON."""
_SCHEMA = 1
_ROWS = 50_000
_BYTES = 32 << 20
"""Rows of a row group and bytes of the answers in them, at the most, but for a single one that is larger."""
_MOST_BYTES = 2 << 30
"""Bytes of texts in a row group that is read: more than this program writes."""
_AT_ONCE = 96 << 20
"""Bytes of answers that are added by one commit: of many millions the index is as good as written anew by each."""


@dataclass(slots=True)
class Moved:
    """What came of an export or an import."""

    models: int = 0
    answers: int = 0
    """Written to the file, or added to the store."""
    known: int = 0
    """Answers of the file that the store had before."""
    differing: int = 0
    """Those of them that are other answers; the store's own stay."""
    damaged: int = 0
    """Answers that are not what was once written, and were left out."""


@dataclass(slots=True)
class _Model:
    """A model in the head of a file."""

    fingerprint: str
    name: str
    used: float
    labels: list[tuple[str, float]] = field(default_factory=list)
    parameters: int | None = None
    snapshot: str | None = None


def export_answers(database: Database, answers: Answers, file: Path, only: Sequence[int] | None = None) -> Moved:
    """Write the answers of some models of a store, by default of all, to a Parquet file. Raises DataError, OSError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    heads = {number: head for number, head in _heads(database).items() if only is None or number in only}
    places = {number: place for place, number in enumerate(heads)}
    seeds = {number: seed_of(head.fingerprint) for number, head in heads.items()}
    moved = Moved(models=len(heads))
    told: Json = {"schema": _SCHEMA, "models": [_as_json(head) for head in heads.values()]}
    schema = _schema().with_metadata({_HEAD: json.dumps(told)})
    columns = f"model, kind, key, truncated, value, {database.checksum}"

    def intact() -> Iterator[Row]:
        for model, kind, key, truncated, value, sum_ in answers.each(columns):
            if model not in places:
                continue
            if not isinstance(kind, str) or not is_intact(seeds[model], key, value, truncated, sum_):
                moved.damaged += 1
                continue
            moved.answers += 1
            vouched = checksum(seeds[model], key, value, bool(truncated)) if sum_ is None else sum_
            yield places[model], kind, key, bool(truncated), value, vouched

    with pq.ParquetWriter(file, schema, use_dictionary=["model", "kind"]) as writer:
        for group in _groups(intact()):
            writer.write_batch(pa.record_batch([pa.array(cells) for cells in zip(*group, strict=True)], schema=schema))
    return moved


def import_answers(database: Database, answers: Answers, file: Path) -> Moved:
    """Add the answers of an exported file to a store; what the store has stays as it is. Raises DataError."""
    with _exported(file) as (read, heads):
        _hold_versions(database, heads, file)
        moved = Moved(models=len(heads))
        numbers = [_number(database, head) for head in heads]
        answers.settle()
        filled = {number for number in numbers if database.rows(_ANY, (number,))}
        waiting: list[Row] = []
        for group in range(read.num_row_groups):
            rows = read.read_row_group(group, columns=[*_schema().names]).to_pydict()
            waiting += _sound(rows, heads, numbers, moved)
            if sum(len(row[4]) for row in waiting) > _AT_ONCE or group + 1 == read.num_row_groups:
                _add(database, answers, waiting, filled, moved)
                waiting = []
    return moved


def check_export(file: Path) -> None:
    """Raise DataError where a file is no export of a store that can be read here."""
    with _exported(file):
        pass


@contextmanager
def _exported(file: Path) -> Iterator[tuple[Any, list[_Model]]]:
    """Open an exported file, with the models in its head. Raises DataError, also for what is read of it meanwhile."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if declared(regular(file))[1] > _MOST_BYTES:
        raise DataError(f"{file.name} declares row groups of more than {_MOST_BYTES >> 30} GB, which no export has")
    try:
        with pq.ParquetFile(file, pre_buffer=False) as read:
            yield read, _told(read.schema_arrow, file)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise DataError(f"{file.name} cannot be read as Parquet: {str(error).partition(chr(10))[0]}") from error


_ANY = "SELECT 1 FROM answers WHERE model=? LIMIT 1"


def _sound(rows: Mapping[str, list[Any]], heads: Sequence[_Model], numbers: Sequence[int], moved: Moved) -> list[Row]:
    """Return the answers of a row group that are what was written, as rows of the store; count the others."""
    seeds = [seed_of(head.fingerprint) for head in heads]
    sound: list[Row] = []
    for place, kind, key, truncated, value, sum_ in zip(*(rows[name] for name in _schema().names), strict=True):
        known = isinstance(place, int) and 0 <= place < len(heads) and isinstance(kind, str)
        if known and sum_ is not None and is_intact(seeds[place], key, value, truncated, sum_):
            sound.append((numbers[place], kind, key, truncated, value, sum_))
        else:
            moved.damaged += 1
    return sound


def _add(database: Database, answers: Answers, sound: list[Row], filled: set[int], moved: Moved) -> None:
    """Add answers, all of them or none."""
    # By key, so that the index is written page by page and not once for each answer.
    sound.sort(key=lambda row: (row[0], row[2]))
    for number in filled:
        mine = {key: value for model, _, key, _, value, _ in sound if model == number}
        moved.differing += sum(mine[key] != value for key, value, _, _ in answers.find(number, [*mine]))
    with database.transaction():
        added = answers.add_many(sound)
    moved.answers += added
    moved.known += len(sound) - added


def _groups(rows: Iterator[Row]) -> Iterator[list[Row]]:
    group: list[Row] = []
    held = 0
    for row in rows:
        group.append(row)
        held += len(row[4])
        if len(group) == _ROWS or held > _BYTES:
            yield group
            group, held = [], 0
    if group:
        yield group


def _schema() -> Any:
    import pyarrow as pa

    return pa.schema(
        [
            ("model", pa.int32()),
            ("kind", pa.string()),
            ("key", pa.binary()),
            ("truncated", pa.bool_()),
            ("value", pa.binary()),
            ("checksum", pa.int64()),
        ]
    )


def _heads(database: Database) -> dict[int, _Model]:
    """Return what a store knows of each model, by its number in this store."""
    query = (
        "SELECT id, fingerprint, name, used, parameters, snapshot FROM models "
        "LEFT JOIN sizes ON sizes.model=id LEFT JOIN snapshots ON snapshots.model=id ORDER BY id"
    )
    heads = {
        number: _Model(str(fingerprint), str(name), _seconds(used), [], _count(size), snapshot and str(snapshot))
        for number, fingerprint, name, used, size, snapshot in database.rows(query)
    }
    for number, name, used in database.rows("SELECT model, name, used FROM labels ORDER BY used"):
        if number in heads:
            heads[number].labels.append((str(name), _seconds(used)))
    return heads


def _as_json(head: _Model) -> Json:
    return {
        "fingerprint": head.fingerprint,
        "name": head.name,
        "used": head.used,
        "labels": [[name, used] for name, used in head.labels],
        "parameters": head.parameters,
        "snapshot": head.snapshot,
    }


def _told(schema: Any, file: Path) -> list[_Model]:
    """Return the models in the head of a file. Raises DataError where it is not one that was exported."""
    wrong = DataError(f"{file.name} is no export of a store; mmbench store export writes one")
    if not schema.equals(_schema()):
        raise wrong
    try:
        head = parse_json((schema.metadata or {})[_HEAD].decode())
        if head["schema"] != _SCHEMA:
            raise DataError(
                f"{file.name} was exported by another version of mmbench (schema {head['schema']}, this one reads "
                f"{_SCHEMA}); export it again with the version that reads it here"
            )
        return [_model(each) for each in head["models"]]
    except (KeyError, TypeError, ValueError) as error:
        raise wrong from error


def _model(told: Mapping[str, Any]) -> _Model:
    """Return one model of a head. Raises KeyError, TypeError and ValueError."""
    fingerprint, name, snapshot = told["fingerprint"], told["name"], told["snapshot"]
    if not (isinstance(fingerprint, str) and fingerprint and isinstance(name, str) and name):
        raise ValueError("a model has no name")
    if snapshot is not None and not isinstance(snapshot, str):
        raise ValueError("a snapshot is no text")
    labels = [(str(label), _seconds(used)) for label, used in told["labels"]]
    return _Model(fingerprint, name, _seconds(told["used"]), labels, _count(told["parameters"]), snapshot)


def _hold_versions(database: Database, heads: Sequence[_Model], file: Path) -> None:
    """Raise DataError where the file has answers of another version of a served model than the store."""
    here = {head.fingerprint: head.snapshot for head in _heads(database).values()}
    for head in heads:
        mine = here.get(head.fingerprint)
        if mine and head.snapshot and mine != head.snapshot:
            raise DataError(
                f"{file.name} has answers of {head.name} that come from '{head.snapshot}', and those of this store "
                f"come from '{mine}'; nothing was added: import it into a store of its own with --store"
            )


def _number(database: Database, head: _Model) -> int:
    """Return the number of a model in this store, where it is entered if it is new."""
    with database.transaction():
        database.do(
            "INSERT INTO models (fingerprint, name, used) VALUES (?,?,?) "
            "ON CONFLICT DO UPDATE SET used=max(used, excluded.used)",
            (head.fingerprint, head.name, head.used),
        )
        ((number,),) = database.rows("SELECT id FROM models WHERE fingerprint=?", (head.fingerprint,))
        for name, used in head.labels:
            database.do("INSERT OR IGNORE INTO labels VALUES (?,?,?)", (number, name, used))
        if head.parameters is not None:
            database.do("INSERT OR IGNORE INTO sizes VALUES (?,?)", (number, head.parameters))
        if head.snapshot is not None:
            database.do("INSERT OR IGNORE INTO snapshots VALUES (?,?)", (number, head.snapshot))
    return int(number)


def _seconds(found: Any) -> float:
    return float(found) if isinstance(found, int | float) else 0.0


def _count(found: Any) -> int | None:
    return found if isinstance(found, int) and 0 <= found < 1 << 62 else None
