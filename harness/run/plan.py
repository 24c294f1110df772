"""What a run would ask before it asks: distinct inputs, what is remembered, time and download."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mmbench.harness.ask.controls import ControlName
from mmbench.harness.ask.subject import Subject
from mmbench.harness.digest import Json
from mmbench.harness.engine.local import Engine
from mmbench.harness.engine.question import Ask, Kind, Request, Value
from mmbench.harness.errors import AdapterError, DataError, Unsupported
from mmbench.harness.models.abilities import Downloads
from mmbench.harness.models.models import Model
from mmbench.harness.run.examine import control_of
from mmbench.harness.store.store import Store
from mmbench.harness.tasks.data_digest import Dataset
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Failure, Route


@dataclass(frozen=True, slots=True)
class Plan:
    """What one task would ask of one model."""

    model: str
    task: str
    control: ControlName | None
    items: int
    inputs: int
    """Distinct pictures, texts and prompts."""
    remembered: int
    """Those that the store, or an earlier task of the same run, answers."""
    seconds: float | None
    """Estimated from how fast this model answered before; None where it never did."""
    download: int | None
    """Bytes to fetch first; None where unknown."""
    unsupported: str | None = None
    """Why the task cannot be asked, if so."""

    def as_json(self) -> dict[str, Json]:
        """Return the plan as `--format json` prints it."""
        return {name: getattr(self, name) for name in self.__slots__}


class _Counting:
    """Stands in for the store: counts distinct questions and answers none."""

    def __init__(self, store: Store, expected: set[tuple[str, bytes]]) -> None:
        self._store = store
        self._expected = expected
        """Questions that an earlier task of the run will have asked."""
        self.missing: dict[bytes, Kind] = {}
        self.known: set[bytes] = set()

    def ask(self, engine: Engine, fingerprint: str, asks: Iterable[Ask]) -> Iterator[Value | Failure]:
        for ask in asks:
            request = ask.read()
            if isinstance(request, Request) and request.key not in self.missing and request.key not in self.known:
                if (fingerprint, request.key) in self._expected or self._store.known(fingerprint, [request.key]):
                    self.known.add(request.key)
                else:
                    self.missing[request.key] = ask.kind
            if isinstance(request, Request) and ask.kind in ("image", "text"):
                # Without vectors of pictures no text is asked, and without those of texts no picture. Nothing is
                # scored from these, which differ so that ranking them takes no longer than usual.
                yield np.frombuffer(request.key, np.uint8)[:8] - 127.5
            elif isinstance(request, Request) and request.tuning is not None:
                yield np.ones(8 * len(request.tuning.class_names))
            else:
                yield Failure("not asked: this is a dry run")

    def remembers(self, fingerprint: str, ask: Ask) -> bool:
        return self._store.remembers(fingerprint, ask)

    def expect(self, inputs: int) -> None:
        """Nobody watches a dry run."""

    def parameters(self, fingerprint: str, counted: int | None) -> int | None:
        """Return what is known without loading."""
        return counted


def plan(
    models: Sequence[Model],
    tasks: Sequence[Task],
    store: Store,
    limit: int | None,
    route: Route | None,
    controls: Sequence[ControlName] = (),
    seed: int = 0,
) -> list[Plan]:
    """Return what each model would be asked by each task, in the order in which a run would ask."""
    expected: set[tuple[str, bytes]] = set()
    plans = []
    for model in models:
        engine = Engine(model.adapter)
        try:
            plans += [
                _plan(model, task, control, store, engine, expected, limit, route, seed)
                for task in tasks
                for control in (None, *controls)
            ]
        finally:
            engine.close()
    return plans


def _plan(
    model: Model,
    task: Task,
    control: ControlName | None,
    store: Store,
    engine: Engine,
    expected: set[tuple[str, bytes]],
    limit: int | None,
    route: Route | None,
    seed: int,
) -> Plan:
    counting = _Counting(store, expected)
    download = model.adapter.download_size() if isinstance(model.adapter, Downloads) else 0
    # The identity of weights that are not here is unknown, and to learn it would fetch them.
    fingerprint = None if download == 0 else f"to be fetched: {model.spec}"
    subject = Subject(model.label, model.adapter, counting, engine, pinned=route, fingerprint=fingerprint, dry=True)
    subject.preferred = task.routes
    dataset = Dataset(task.family.samples(), limit)
    refused = None
    try:
        if control:
            subject.put_under(control_of(task, control, limit, seed))
        for _ in task.family.outcomes(subject, dataset):
            pass
    except (Unsupported, DataError) as error:
        refused = str(error)
    except AdapterError:
        pass  # where everything fails, as all but embeddings do here, there is nothing to rank
    expected |= {(subject.fingerprint, key) for key in counting.missing}
    return Plan(
        model=model.label,
        task=task.reference,
        control=control,
        items=min(task.size, limit or task.size) if refused else dataset.n,
        inputs=len(counting.missing) + len(counting.known),
        remembered=len(counting.known),
        seconds=_seconds(counting.missing, subject.fingerprint, store),
        download=download,
        unsupported=refused,
    )


def _seconds(missing: dict[bytes, Kind], fingerprint: str, store: Store) -> float | None:
    total = 0.0
    for kind, count in Counter(missing.values()).items():
        speed = store.speed(fingerprint, kind)
        if speed is None:
            return None
        total += count / speed
    return round(total, 1)
