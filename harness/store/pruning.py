"""Pruning: which answers go where not all may stay, by model, by age and by size."""

from collections.abc import Mapping

from mmbench.harness.store.database import Database
from mmbench.harness.store.holding import Holding


def named(held: Mapping[int, Holding], model: str | None) -> dict[int, Holding]:
    """Return the models of a name or fingerprint, None for all; those that had it before where none bears it now."""
    found = {number: each for number, each in held.items() if model in (None, each.name, each.fingerprint)}
    return found or {number: each for number, each in held.items() if model in each.labels}


def prune(database: Database, gone: Mapping[int, Holding]) -> None:
    """Remove models with all that they left, also what a process that was still asking wrote after an earlier one."""
    with database.transaction():
        database.do_each("DELETE FROM models WHERE id=?", [(number,) for number in gone])
        for table in ("answers", "recent", "speeds", "sizes", "labels", "snapshots"):
            database.do(f"DELETE FROM {table} WHERE model NOT IN (SELECT id FROM models)")  # noqa: S608


def trim(database: Database, held: Mapping[int, Holding], surplus: int) -> list[Holding]:
    """Remove so many bytes of answers; return what went.

    The answers of the model that was used the longest time ago go first, and of each model the oldest first; those that
    moved on together (see `answers.py`) are of one age.
    """
    removed = []
    for number, each in sorted(held.items(), key=lambda entry: entry[1].used):
        if surplus <= 0:
            break
        if each.bytes <= surplus:
            prune(database, {number: each})
            removed.append(each)
        else:
            removed.append(_oldest(database, number, each, surplus))
        surplus -= removed[-1].bytes
    return removed


def _oldest(database: Database, number: int, held: Holding, surplus: int) -> Holding:
    """Remove the oldest answers of a model, at least so many bytes of them; return what went."""
    gone = Holding(held.name, held.fingerprint, held.used, held.labels)
    last = 0
    for row, size in database.each("SELECT rowid, length(value) FROM answers WHERE model=? ORDER BY rowid", (number,)):
        last = row
        gone.answers += 1
        gone.bytes += size or 0
        if gone.bytes >= surplus:
            break
    database.do("DELETE FROM answers WHERE model=? AND rowid<=?", (number, last))
    return gone
