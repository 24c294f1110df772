"""Plan of a run before it asks: distinct inputs, remembered answers, time and download."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np

from mmbench.harness.ask.corrupted import UNCORRUPTED
from mmbench.harness.ask.subject import Subject
from mmbench.harness.digest import Json
from mmbench.harness.engine.engine import Engine
from mmbench.harness.engine.kinds.image import IMAGE
from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.kinds.reply import REPLY
from mmbench.harness.engine.kinds.score import SCORE
from mmbench.harness.engine.kinds.text import TEXT
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.packing import Value
from mmbench.harness.engine.question import Question
from mmbench.harness.errors import AdapterError, DataError, DoesNotFit, MmbenchError, OnePicture, Unsupported
from mmbench.harness.foreign import described, tamed
from mmbench.harness.models.abilities import Downloads, TakesOnePicture
from mmbench.harness.models.models import Model
from mmbench.harness.run.examine import asked, control_of
from mmbench.harness.run.fitting import by_fitting_route
from mmbench.harness.run.settings import RunSettings
from mmbench.harness.run.sitting import Sitting, fails_alike
from mmbench.harness.store.store import Store
from mmbench.harness.tasks.data_digest import Dataset
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Failure, Route


@dataclass(frozen=True, slots=True)
class Plan:
    """What one task would ask of one model."""

    model: str
    task: str
    control: str | None
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


Seen: TypeAlias = Callable[[Question, Sitting, bool], None]
"""Hears a question, of which task, and whether nobody has answered it and this plan asks it for the first time."""

_Routes: TypeAlias = dict[str, Route]
"""By which route each task is asked without a control, and so under each."""

_NOT_ASKED = "not asked: this is a dry run"


class _Counting:
    """Stands in for the store: counts distinct questions and answers none."""

    def __init__(
        self,
        model: Model,
        store: Store,
        expected: set[tuple[str, bytes]],
        routes: _Routes,
        seen: Callable[[Question, bool], None],
    ) -> None:
        self.model = model
        self.store = store
        self.routes = routes
        self._seen = seen
        self._expected = expected
        """Questions that an earlier task of the run will have asked."""
        self.missing: dict[bytes, Kind] = {}
        self.known: set[bytes] = set()

    def begin(self) -> None:
        """Count anew, as the task is asked by another route."""
        self.missing.clear()
        self.known.clear()

    def ask(self, engine: Engine, fingerprint: str, questions: Iterable[Question]) -> Iterator[Value | Failure]:
        adapter = self.model.adapter
        one = isinstance(adapter, TakesOnePicture) and adapter.takes_one_picture
        for question in questions:
            read = question.read()
            if isinstance(read, Failure):
                yield Failure(_NOT_ASKED)
                continue
            if one and read.kind in (REPLY, SCORE) and len(read.contents) > 1:
                told = f"{self.model.label} reads and writes about one picture; an item has {len(read.contents)}"
                raise OnePicture(told)
            new = False
            if read.key not in self.missing and read.key not in self.known:
                if (fingerprint, read.key) in self._expected or self.store.known(fingerprint, [read.key]):
                    self.known.add(read.key)
                else:
                    self.missing[read.key] = read.kind
                    new = True
            self._seen(read, new)
            if read.kind in (IMAGE, TEXT):
                # Without vectors of pictures no text is asked, and without those of texts no picture. Nothing is
                # scored from these, which differ so that ranking them takes no longer than usual.
                yield np.frombuffer(read.key, np.uint8)[:8] - 127.5
            elif read.tuning is not None:
                yield np.ones(8 * len(read.tuning.class_names))
            else:
                yield Failure(_NOT_ASKED)

    def remembers(self, fingerprint: str, question: Question) -> bool:
        return self.store.remembers(fingerprint, question)

    def expect_later(self, fingerprint: str) -> None:
        """Tell the tasks that follow what this one will have asked."""
        self._expected |= {(fingerprint, key) for key in self.missing}

    def expect(self, inputs: int) -> None:
        """Nobody watches a dry run."""

    def parameters(self, fingerprint: str, counted: int | None) -> int | None:
        """Return what is known without loading."""
        return counted


def plan(
    models: Sequence[Model],
    tasks: Sequence[Task],
    store: Store,
    settings: RunSettings,
    seen: Seen = lambda question, sitting, new: None,
) -> list[Plan]:
    """Return what each model would be asked by each task, in the order in which a run would ask.

    Each question, its pictures read, is told to `seen`.
    """
    expected: set[tuple[str, bytes]] = set()
    plans = []
    for model in models:
        sittings = [Sitting(model.label, task, control) for task in tasks for control in (None, *settings.controls)]
        routes: _Routes = {}
        try:
            with closing(tamed(partial(LocalEngine, model.adapter))) as engine:
                refused: Sitting | None = None
                for each in sittings:
                    if refused is not None and fails_alike(refused, each):
                        continue
                    counting = _Counting(model, store, expected, routes, partial(_told, seen, each))
                    plans.append(_tried(each, counting, engine, settings))
                    if each.control == UNCORRUPTED and plans[-1].unsupported:
                        refused = each
        except MmbenchError:
            raise
        except Exception as error:  # the model itself; a run would tell it in the same words
            plans += [_failed(sitting, error) for sitting in sittings]
    return plans


def _told(seen: Seen, sitting: Sitting, question: Question, new: bool) -> None:  # noqa: FBT001 - a callback's own
    seen(question, sitting, new)


def _tried(sitting: Sitting, counting: _Counting, engine: Engine, settings: RunSettings) -> Plan:
    """Return the plan of one task, which says so where that fails as nobody foresaw: the others go on."""
    try:
        return tamed(lambda: _plan(sitting, counting, engine, settings))
    except MmbenchError:
        raise
    except Exception as error:
        return _failed(sitting, error)


def _failed(sitting: Sitting, error: Exception) -> Plan:
    reason = f"internal error ({described(error)})"
    return Plan(sitting.model, sitting.task.reference, sitting.control, 0, 0, 0, None, None, reason)


def _plan(sitting: Sitting, counting: _Counting, engine: Engine, settings: RunSettings) -> Plan:
    model, task = counting.model, sitting.task
    download = model.adapter.download_size() if isinstance(model.adapter, Downloads) else 0
    if missing := task.opened.missing_bytes():  # to count what is asked would fetch it
        return Plan(
            *(sitting.model, task.reference, sitting.control, settings.items_of(task.size), 0, 0, None),
            download=None if download is None else download + missing,
            unsupported=f"its data are not here yet, of which a run over all items fetches {missing / 1e6:,.1f} MB",
        )
    # The identity of weights that are not here is unknown, and to learn it would fetch them.
    fingerprint = model.fingerprint if download == 0 else f"to be fetched: {model.spec}"
    subject = Subject(
        model.label, model.adapter, counting, engine, pinned=settings.route, fingerprint=fingerprint, dry=True
    )
    refused, items = None, settings.items_of(task.size)

    def put(sat: Subject, notes: Sequence[str]) -> tuple[int, Route]:  # noqa: ARG001 - a plan has no notes
        counting.begin()
        dataset = Dataset(task.family.samples(), settings.part_of(task.family))
        try:
            asked(task, sat, dataset)
        except DoesNotFit:
            raise
        except AdapterError:
            pass  # where everything fails, as all but embeddings do here, there is nothing to rank
        return dataset.n, sat.route(task.family.verb)

    try:
        control = control_of(sitting, settings)
        items, route = by_fitting_route(task, subject, control, put, counting.routes.get(task.reference))
        counting.routes.setdefault(task.reference, route)
    except (Unsupported, DataError) as error:
        refused = str(error)
    counting.expect_later(subject.fingerprint)
    return Plan(
        model=sitting.model,
        task=task.reference,
        control=sitting.control,
        items=items,
        inputs=len(counting.missing) + len(counting.known),
        remembered=len(counting.known),
        seconds=_seconds(counting.missing, subject.fingerprint, counting.store),
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
