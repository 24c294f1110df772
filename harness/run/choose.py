"""Choice of what a run asks: tasks of a suite, models, and the scorer, from the names that a user gives."""

from collections.abc import Sequence

from mmbench.harness import registry
from mmbench.harness.errors import MmbenchError, UsageError
from mmbench.harness.foreign import tamed
from mmbench.harness.models.models import Loading, Model, make_models
from mmbench.harness.models.own_file import check_adapter
from mmbench.harness.tasks.suite import find_suite
from mmbench.harness.tasks.task import Task
from mmbench.harness.tasks.task_file import find_task


def choose_tasks(suite: str | None, task: str | Sequence[str] | None) -> tuple[Task, ...]:
    """Return the tasks of a suite and the single tasks named, each once. Raises UsageError or DataError."""
    names = [task] if isinstance(task, str) else list(task or ())
    found = find_suite(suite or registry.default("suite")).tasks if suite or not names else ()
    found = (*found, *(find_task(name) for name in names))
    by_reference: dict[str, Task] = {}
    for each in found:
        first = by_reference.setdefault(each.reference, each)
        if first is not each and not first.alike(each):
            raise UsageError(f"two different tasks are called {each.reference}; give one another name or version")
    for each in by_reference.values():
        _open(each)
    return tuple(by_reference.values())


def _open(task: Task) -> None:
    """Open a task's data, so that a misspelt column is told before anything is asked. Raises DataError."""
    try:
        tamed(lambda: task.opened)
    except MmbenchError:
        raise
    except Exception:  # whatever else goes wrong is told as this task's own when it is asked, and the others go on
        return


def choose_models(model: object, loading: Loading, name: str | None) -> list[Model]:
    """Return a labelled adapter for each spec or adapter object. Raises UsageError."""
    model = model or registry.default("model")
    given = list(model) if isinstance(model, (list, tuple)) else [model]
    specs = [each for each in given if isinstance(each, str)]
    objects = [each for each in given if not isinstance(each, str)]
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
