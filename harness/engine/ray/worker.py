"""Worker: a process of Ray's that holds the model and answers batches through the local engine."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmbench.harness.digest import Json
from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.ray.line import Line
from mmbench.harness.engine.ray.parcel import Parcel
from mmbench.harness.engine.ray.recipe import Recipe
from mmbench.harness.errors import InternalError, MmbenchError
from mmbench.harness.foreign import described, tamed
from mmbench.harness.types import Failure


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker that has loaded its model."""

    node: str
    hardware: dict[str, Json]
    told: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Returned:
    """What came of a batch."""

    answers: list[tuple[bytes | Failure, bool] | None]
    """Of each question the packed answer and whether its text was cut; None of what was not asked for a fault."""
    size: int = 0
    """Inputs that the worker asks at a time by now."""
    fault: MmbenchError | None = None
    """What ends the task."""
    tracebacks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Absent:
    """A batch of which nothing was asked: its pictures are not in these folders here."""

    folders: set[Path]


class Worker:
    """Answers batches; what goes wrong is returned as an error that can be told, never raised."""

    def __init__(self, threads: int) -> None:
        # Ray sets one thread a core that it reserves. Before torch is imported, which reads this once.
        os.environ["OMP_NUM_THREADS"] = str(threads)
        self._threads = threads
        self._line: Line | None = None
        self._recipe: Recipe | None = None
        self._told: list[str] = []

    def place(self) -> str:
        """Return the id that Ray gave the machine, as soon as there is a process on it."""
        import ray

        return str(ray.get_runtime_context().get_node_id())

    def load(self, recipe: Recipe, batch_size: int | None, node: str) -> Ready | MmbenchError:
        """Make the model and load it."""
        try:
            return self._loaded(recipe, batch_size, node)
        except MmbenchError as error:
            return error
        except BaseException as error:  # its driver would take it for a worker that died
            return InternalError(f"a worker cannot load {recipe.label} ({described(error)})")

    def _loaded(self, recipe: Recipe, batch_size: int | None, node: str) -> Ready:
        self._recipe = recipe
        engine = LocalEngine(recipe.make().adapter, batch_size, workers=max(1, self._threads))
        engine.load()
        self._limit_threads()
        self._line = Line(engine)
        return Ready(node, dict(tamed(lambda: engine.hardware)), tamed(lambda: _told(engine)))

    def _limit_threads(self) -> None:
        import threadpoolctl

        threadpoolctl.threadpool_limits(self._threads)
        if (torch := sys.modules.get("torch")) is not None:
            torch.set_num_threads(self._threads)

    def answer(self, stream: int, parcels: Sequence[Parcel], proven: bool) -> Returned | Absent:  # noqa: FBT001
        """Answer a batch of one kind; `proven` where another worker has answered an input of it."""
        line = self._line
        assert line is not None  # noqa: S101 - loaded before
        kind = parcels[0].question.kind
        opened = line.engine.read([parcel.opened for parcel in parcels], apart=any(p.folders() for p in parcels))
        if any(question is None for question in opened):
            missing = [p for p, question in zip(parcels, opened, strict=True) if question is None]
            return Absent({folder for parcel in missing for folder in parcel.folders()})
        if proven:
            line.engine.findings.succeeded.add(kind)
        answered, fault = line.answer(stream, opened)
        found = [answered.get(question.key) for question in opened]
        return Returned(
            [None if each is None else (_packed(kind, each.value), each.truncated) for each in found],
            line.engine.size(kind).size,
            fault,
            self._new_tracebacks(line.engine),
        )

    def _new_tracebacks(self, engine: LocalEngine) -> list[str]:
        new = [text for text in engine.tracebacks() if text not in self._told]
        self._told += new
        return new

    def leave(self) -> None:
        """Clear up."""
        if self._recipe is not None:
            self._recipe.clear()


def _told(engine: LocalEngine) -> dict[str, Any]:
    """Return what the model tells of itself here, as plain values."""
    parameters, notes = engine.told("parameters"), engine.told("notes")
    texts = [str(note) for note in notes if isinstance(note, str)] if isinstance(notes, list | tuple) else []
    return {"parameters": None if parameters is None else int(parameters), "notes": texts}


def _packed(kind: Kind, value: Any) -> bytes | Failure:
    return value if isinstance(value, Failure) else kind.pack(value)
