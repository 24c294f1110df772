"""Ray engine: questions of one model answered by several workers; see docs/scale.md."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Literal

from mmbench.harness.digest import Json
from mmbench.harness.engine.hardware import own_hardware
from mmbench.harness.engine.question import Answered, Question
from mmbench.harness.engine.ray.cluster import Cluster
from mmbench.harness.engine.ray.crew import Crew
from mmbench.harness.engine.ray.flight import Flight, Memory
from mmbench.harness.engine.ray.recipe import recipe_of
from mmbench.harness.engine.readers import Readers
from mmbench.harness.foreign import tamed
from mmbench.harness.models.models import Loading, Model

_READERS = 8


class RayEngine:
    """Streams questions through workers that each hold the model; they are begun for the first question."""

    def __init__(
        self, model: Model, loading: Loading, cluster: Cluster, batch_size: int | None, tell: Callable[[str], None]
    ) -> None:
        self.loading = 0.0
        self._model = model
        self._loading = loading
        self._cluster = cluster
        self._fixed = batch_size or getattr(model.adapter, "batch_size", None)
        self._tell = tell
        self._readers = Readers(min(_READERS, os.cpu_count() or 1))
        self._memory = Memory()
        self._streams = count()
        self._held: Crew | None = None

    def _crew(self) -> Crew:
        """Return the workers, one of which at least is ready. Raises Unavailable."""
        if self._held is None:
            started = time.perf_counter()
            self._tell(f"loading {self._model.label} on workers of Ray")
            recipe = recipe_of(self._model, self._loading)
            self._held = Crew(self._cluster, recipe, self._fixed, self._tell)
            self._held.wait()
            self.loading += time.perf_counter() - started
        return self._held

    @property
    def hardware(self) -> Mapping[str, Json]:
        """What answers, see `Engine.hardware`: that of a worker, where there is one."""
        own = own_hardware(tamed(lambda: getattr(self._model.adapter, "device", None)))
        return own if self._held is None else {**own, **self._held.hardware}

    def told(self, name: str) -> Any:
        """Return what the model tells of itself, see `Engine.told`: where a worker loaded it, if one did."""
        told = None if self._held is None else self._held.told(name)
        return getattr(self._model.adapter, name, None) if told is None else told

    def tracebacks(self) -> list[str]:
        """Return where the adapter raised for single inputs, the first of each kind."""
        return list(self._memory.tracebacks)

    def read(self, readers: Sequence[Callable[[], Any]], *, apart: bool) -> list[Any]:
        """Run `readers`, in threads of their own where they read files, and return their results in order."""
        return self._readers.read(readers, apart=apart)

    def map(self, questions: Iterable[Question | Literal["flush"] | None]) -> Iterator[list[Answered]]:
        """Yield answered batches of `questions`, see `Engine.map`. Raises AdapterError or Unavailable."""
        return Flight(self._crew, self._memory, next(self._streams), questions, self._fixed)

    def close(self) -> None:
        """Dismiss the workers."""
        self._readers.close()
        if self._held is not None:
            self._held.close()
