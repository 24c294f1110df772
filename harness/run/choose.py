"""Choice of what a run asks: tasks of a suite, models, and the scorer, from the names that a user gives."""

import os
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

from mmbench.harness import registry
from mmbench.harness.errors import DataUnavailable, MmbenchError, UsageError, nearest
from mmbench.harness.foreign import tamed
from mmbench.harness.models.models import Loading, Model, make_models
from mmbench.harness.models.own_file import check_adapter
from mmbench.harness.render.plain import plain
from mmbench.harness.tasks.catalogue import find_task
from mmbench.harness.tasks.prompts import OFFICIAL
from mmbench.harness.tasks.suite import find_suite
from mmbench.harness.tasks.task import Task
from mmbench.harness.tasks.task_names import expanded

Asked: TypeAlias = str | os.PathLike[str] | Task
"""A task: a name of the catalogue, the path of a task file, or what `mmbench.task` made."""


def choose_tasks(
    suite: str | os.PathLike[str] | None, task: Asked | Sequence[Asked] | None, prompt: str | None = None
) -> tuple[Task, ...]:
    """Return the tasks of a suite and the single tasks named, each once. Raises UsageError or DataError.

    Those that have this variant of their prompt are asked by it.
    """
    found = _worded(named_tasks(suite, task), prompt)
    lacking: dict[str, DataUnavailable] = {}
    for each in found:
        try:
            _open(each)
        except DataUnavailable as error:
            lacking[each.reference] = error
    if len(lacking) == 1:
        raise next(iter(lacking.values()))
    if lacking:  # told together, so that they can be fetched together
        raise DataUnavailable(
            f"{len(lacking)} tasks lack data, which `mmbench fetch` gets where there is a network",
            details=[f"{reference}: {error}" for reference, error in lacking.items()],
        )
    return found


def named_tasks(suite: str | os.PathLike[str] | None, task: Asked | Sequence[Asked] | None) -> tuple[Task, ...]:
    """Return the same tasks without opening their data. Raises UsageError or DataError."""
    names = [each for name in listed(task) for each in (expanded([name]) if isinstance(name, str) else [name])]
    if suite is not None and not isinstance(suite, str | os.PathLike):
        raise UsageError(f"a suite is a name or a YAML file, not {plain(repr(suite), 60)}")
    found = (
        find_suite(registry.default("suite") if suite is None else os.fspath(suite)).tasks
        if suite is not None or not names
        else ()
    )
    found = (*found, *map(choose_task, names))
    by_reference: dict[str, Task] = {}
    for each in found:
        first = by_reference.setdefault(each.reference, each)
        if first is not each and not first.alike(each):
            raise UsageError(f"two different tasks are called {each.reference}; give one another name or version")
    return tuple(by_reference.values())


def _worded(tasks: tuple[Task, ...], prompt: str | None) -> tuple[Task, ...]:
    """Return the tasks by a variant of their prompt, or by their own where they have none of this name.

    Raises UsageError where no task has it.
    """
    known = {name for task in tasks for name in task.prompts}
    if prompt is None or prompt == OFFICIAL:
        return tasks
    if prompt not in known:
        there = nearest(prompt, known) or f" (there are: {', '.join(sorted(known)) or 'none'})"
        raise UsageError(f"no task that is asked has a prompt '{prompt}'{there}")
    return tuple(task.asked_by(prompt) if prompt in task.prompts else task for task in tasks)


def listed(task: object) -> list[Any]:
    """Return several tasks, a single one or none as a list."""
    if task is None:
        return []
    return list(task) if isinstance(task, Iterable) and not isinstance(task, str) else [task]


def choose_task(task: object) -> Task:
    """Return the task that is named, or the task itself. Raises UsageError or DataError."""
    if isinstance(task, Task):
        return task
    if isinstance(task, str | os.PathLike):
        return find_task(os.fspath(task))
    raise UsageError(f"a task is a name, a YAML file or made by mmbench.task, not {plain(repr(task), 60)}")


def _open(task: Task) -> None:
    """Open a task's data, so that a misspelt column is told before anything is asked. Raises DataError."""
    try:
        tamed(lambda: task.opened)
    except MmbenchError:
        raise
    except Exception:  # whatever else goes wrong is told as this task's own when it is asked, and the others go on
        return


_LOOKED_AT = 100
"""Items whose facts stand for those of all."""


def check_known(fact: str | None, tasks: Sequence[Task]) -> None:
    """Raise UsageError, before anything is asked, where a fact is named that the items of no task have."""
    if fact is None:
        return
    known: set[str] = set()
    for task in tasks:
        try:
            known.update(tamed(partial(_facts, task)))
        except Exception:  # a task that fails here is told as failed when it is asked
            return
    if fact not in known:
        from mmbench.harness.records.by_fact import unknown

        raise UsageError(unknown(fact, "these tasks", known))


def _facts(task: Task) -> set[str]:
    return {name for sample in islice(task.family.samples(), _LOOKED_AT) for name in sample.facts}


def choose_models(model: object, loading: Loading, name: str | None) -> list[Model]:
    """Return a labelled adapter for each spec or adapter object. Raises UsageError."""
    model = model or registry.default("model")
    given = list(model) if isinstance(model, (list, tuple)) else [model]
    specs = [each for each in given if isinstance(each, str)]
    objects = [each for each in given if not isinstance(each, str)]
    if name is not None and not isinstance(name, str):
        raise UsageError(f"the name of a model is a text, not {plain(repr(name), 60)}")
    if name and len(given) > 1:
        raise UsageError(f"the name '{name}' stands for one model, and {len(given)} are to run; leave it out")
    kinds = [type(each).__name__ for each in objects]
    own = [
        # Several objects of one class are numbered: nothing else is known that would tell them apart.
        Model(name or (kind if kinds.count(kind) == 1 else f"{kind}-{kinds[: i + 1].count(kind)}"), "", adapter)
        for i, (kind, adapter) in enumerate(zip(kinds, map(check_adapter, objects, kinds), strict=True))
    ]
    return make_models(specs, loading, name) + own


def choose_scorer(scorer: object, loading: Loading) -> Model | None:
    """Return the second model, if one is given. Raises UsageError."""
    if scorer is None:
        return None
    found = choose_models(scorer, loading, None)
    if len(found) != 1:
        raise UsageError(f"the scorer is one model, and {len(found)} were given")
    return found[0]
