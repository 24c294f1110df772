"""Diagnosis of a model on a task: its pictures and texts embedded through the store, and figures of them."""

import os
from contextlib import closing
from pathlib import Path
from typing import Literal

from mmbench.harness.ask.subject import Subject
from mmbench.harness.diagnose.diagnosis import Diagnosis
from mmbench.harness.diagnose.figures import figures
from mmbench.harness.diagnose.vectors import Space, check_able, embedded
from mmbench.harness.engine.engines import Engines
from mmbench.harness.errors import UsageError
from mmbench.harness.garbage import seldom_collected
from mmbench.harness.hub.access import network
from mmbench.harness.models.models import Loading, Model
from mmbench.harness.registry import contained
from mmbench.harness.render.figures import count
from mmbench.harness.render.plain import plain
from mmbench.harness.run.choose import Asked, choose_models, choose_tasks
from mmbench.harness.run.consent import consent_to_trial
from mmbench.harness.run.examine import sampled
from mmbench.harness.run.output_folder import try_writing
from mmbench.harness.run.price import free
from mmbench.harness.run.progress import Progress, Silent
from mmbench.harness.run.settings import RunSettings
from mmbench.harness.run.sitting import Sitting
from mmbench.harness.store.location import store_path
from mmbench.harness.store.meter import Meter
from mmbench.harness.store.store import Store
from mmbench.harness.tasks.data_digest import Dataset
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import FEW_CLUSTERS

_LONG = 10_000**2
"""Comparisons from which on they take a minute, so that it is told."""


def diagnose(
    model: object = None,
    task: Asked | None = None,
    *,
    output: str | Path | None = None,
    name: str | None = None,
    store: str | Path | None = None,
    limit: int | None = None,
    sample: int | None = None,
    device: str = "auto",
    dtype: str = "auto",
    batch_size: int | Literal["auto"] | None = None,
    seed: int = 0,
    offline: bool = False,
    yes: bool = False,
    progress: Progress | None = None,
) -> Diagnosis:
    """Embed a task's pictures and texts, and return what the space of the model is like there.

    `model` and `task` are given as to `run`, one of each, and so are `name`, `store`, `limit`, `sample` with its
    `seed`, `device`, `dtype`, `batch_size` and `offline`; what is embedded is remembered, and not asked again by a run.
    With `output` the diagnosis is kept in that results folder too. Without `yes` a model that sends what it embeds to a
    service is asked for after a person consents. Raises UsageError or DataError for what cannot be used, Unsupported
    for a model without vectors, and AdapterError for one that gives none of a picture or text.
    """
    settings = RunSettings(
        limit=limit,
        sample=sample,
        seed=seed,
        batch_size=None if batch_size == "auto" else batch_size,
        loading=Loading(device, dtype, offline),
    )
    for path, what in ((output, "the results folder"), (store, "the store")):
        if path is not None and not isinstance(path, str | os.PathLike):
            raise UsageError(f"{what} is a path, not {plain(repr(path), 60)}")
    if task is None:
        raise UsageError("a diagnosis needs a task, whose pictures and texts are embedded")
    models = choose_models(model, settings.loading, name)
    tasks = choose_tasks(None, task)
    for found, kind in ((models, "models"), (tasks, "tasks")):
        if len(found) != 1:
            raise UsageError(f"a diagnosis is of one model on one task, and {len(found)} {kind} were named")
    if output is not None:
        try_writing(Path(output), models[0].label)
    made = _of(models[0], tasks[0], settings, Path(store) if store else store_path(), progress or Silent(), yes=yes)
    if output is not None:
        made.keep(Path(output))
    return made


def _of(model: Model, task: Task, settings: RunSettings, store: Path, progress: Progress, *, yes: bool) -> Diagnosis:
    with (
        network(allowed=not settings.loading.offline),
        seldom_collected(),
        closing(Store(store.absolute())) as held,
        closing(Engines(settings.engine, settings.loading)) as engines,
    ):
        return contained(
            lambda: _asked(model, task, settings, held, engines, progress, yes=yes),
            f"model '{model.label}' cannot be diagnosed on {task.reference}",
        )


def _asked(
    model: Model,
    task: Task,
    settings: RunSettings,
    store: Store,
    engines: Engines,
    progress: Progress,
    *,
    yes: bool,
) -> Diagnosis:
    check_able(model)
    with closing(engines.of(model, settings.batch_size, progress.told)) as engine:
        fingerprint = model.fingerprint
        subject = Subject(model.label, model.adapter, store, engine, pinned="embed", fingerprint=fingerprint)
        items = settings.items_of(task.size)
        consent_to_trial(model, f"the pictures of {count(items, 'item')} of {task.reference}, and its texts", yes=yes)
        store.name(fingerprint, model.label)
        progress.started(Sitting(model.label, task), items)
        store.meter = Meter(on_progress=progress.advanced, on_expected=progress.expected, price=free)
        dataset = Dataset(task.family.samples(), settings.part_of(task.family))
        space = embedded(task, subject, dataset)
        digest = dataset.digest()
        if len(space.pictures) * max(len(space.pictures), space.held_texts) > _LONG:
            progress.told(f"comparing {len(space.pictures):,} pictures and {space.held_texts:,} texts, all with all")
        notes = (*task.opened.notes, *dataset.notes(), *subject.notes, *_notes(space, store.meter.truncated_texts))
    return Diagnosis(
        model=model.label,
        fingerprint=fingerprint,
        task=task.name,
        version=task.version,
        dataset={"digest": digest, "n": dataset.n, "partial": dataset.cut, **sampled(dataset, settings)},
        dimension=space.pictures.shape[1],
        medium="picture" if task.opened.frames is None else "clip",
        pictures=len(space.pictures),
        texts=space.held_texts,
        text_kind=space.kind,
        scale=space.scale.factor if space.scale else None,
        bias=space.scale.bias if space.scale else None,
        left_out=space.left_out,
        first_failure=space.first_failure,
        notes=notes,
        figures=figures(space, f"{model.label} tells no logit scale, by which its cosines would become a loss"),
    )


def _notes(space: Space, cut: int) -> list[str]:
    """Return what of the vectors makes figures say less than they seem to."""
    notes = []
    n, d = space.pictures.shape
    if space.left_out:
        notes.append(f"pictures that could not be read, and are left out: {space.left_out:,}; {space.first_failure}")
    if cut:
        notes.append(f"texts longer than the model's context, and cut: {cut:,}")
    paired = space.first[space.first >= 0]
    if space.texts is not None and (shared := len(paired) - len(set(paired.tolist()))):
        notes.append(f"pictures whose text is another's too, which no loss can tell apart: {shared:,}")
    if n <= 2 * d:
        few = f"few pictures, {n:,}, for vectors of {d:,} numbers"
        notes.append(f"{few}: ranks and gaps compare with those of as many alone")
    if n < FEW_CLUSTERS:
        notes.append(f"fewer than {FEW_CLUSTERS} pictures: intervals may be too narrow")
    return notes
