"""Ending of a run: what gave no scores or left items out, why, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mmbench.harness.digest import Json
from mmbench.harness.records.record import Record
from mmbench.harness.render.figures import count
from mmbench.harness.render.plain import quoted
from mmbench.harness.run.progress import Problem
from mmbench.harness.run.sitting import under


@dataclass(frozen=True, slots=True)
class Ending:
    """Tasks of one model that ended in the same way."""

    model: str
    tasks: tuple[str, ...]
    """`task@version`, with the control in brackets where there was one."""
    reason: str
    """Why there are no scores, or not of every item."""
    step: str
    """What to do next."""

    def as_json(self) -> dict[str, Json]:
        """Return the ending as a row."""
        return {"model": self.model, "tasks": list(self.tasks), "reason": self.reason, "step": self.step}


def endings(records: Iterable[Record], problems: Iterable[Problem], results: Path | None) -> list[Ending]:
    """Return how tasks without scores ended, and those with errors, model by model; equal reasons stand together."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for problem in problems:
        key = (problem.model, str(problem.error), problem.error.step)
        found.setdefault(key, []).append(under(problem.task, problem.control))
    for record in records:
        if record.errors:
            key = (record.model, _errors(record), _items(record, results))
            found.setdefault(key, []).append(under(record.reference, record.control))
    return [Ending(model, tuple(tasks), reason, step) for (model, reason, step), tasks in found.items()]


def _errors(record: Record) -> str:
    return f"{count(record.errors, 'item')} without a score; the first: {record.first_error}"


def _items(record: Record, results: Path | None) -> str:
    if record.control is not None or results is None:
        return "see the first of each kind with --debug"
    here = Path.cwd()
    shown = results.relative_to(here) if results.is_relative_to(here) else results
    where = "" if shown == Path("results") else f" --output {quoted(shown)}"
    return f"mmbench show {record.model} --task {record.task} --wrong{where}"
