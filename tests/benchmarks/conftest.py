"""What tests of families share: numbered pictures, tasks over them, and models that answer by function."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mmbench.harness.records import record as records
from mmbench.harness.records.outcomes import read_outcomes
from mmbench.harness.records.record import Record
from mmbench.harness.run.result import Run
from mmbench.harness.run.run import run
from mmbench.harness.types import Outcome, Score
from tests.fakes import numbered


@dataclass(frozen=True)
class Asked:
    """One task put to one model."""

    run: Run
    record: Record
    scores: Mapping[str, Score]
    outcomes: list[Outcome]

    @property
    def values(self) -> dict[str, float | None]:
        return {name: score.value for name, score in self.scores.items()}


@dataclass(frozen=True)
class Bench:
    """A folder to build tasks in."""

    folder: Path

    def picture(self, n: int) -> str:
        numbered(n).save(self.folder / f"{n}.png")
        return f"{n}.png"

    def broken(self) -> str:
        (self.folder / "broken.png").write_bytes(b"nothing")
        return "broken.png"

    def task(self, family: str, rows: Sequence[Mapping[str, Any]], keys: str = "", name: str = "items") -> str:
        (self.folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        text = f"name: {name}\nfamily: {family}\nsource: {{kind: jsonl, path: {name}.jsonl}}\n{keys}"
        (self.folder / f"{name}.yaml").write_text(text)
        return str(self.folder / f"{name}.yaml")

    def run(self, model: object, task: str | Sequence[str], **settings: Any) -> Run:
        """Ask anew: nothing is remembered from before."""
        (self.folder / "store.sqlite").unlink(missing_ok=True)
        return run(model, task=task, output=self.folder / "results", store=self.folder / "store.sqlite", **settings)

    def ask(self, model: object, task: str, **settings: Any) -> Asked:
        made = self.run(model, task, **settings)
        assert [str(problem.error) for problem in made.problems] == []
        (record,) = made.records
        path = self.folder / "results" / "runs" / record.model / record.file_name
        assert records.read(path) == record
        return Asked(made, record, {each.metric: each for each in record.scores}, read_outcomes(path))

    def failure(self, model: object, task: str, **settings: Any) -> tuple[str, int]:
        """Return why the one task failed, and the exit status."""
        made = self.run(model, task, **settings)
        assert not made.records
        (problem,) = made.problems
        return str(problem.error), made.exit_code


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A folder to build tasks in, and to ask them."""
    return Bench(tmp_path)
