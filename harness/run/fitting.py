"""Fitting route: where a model does not read a question to its end, its task is asked by the next route that fits."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from mmbench.harness.ask.controls import Control
from mmbench.harness.ask.subject import Subject
from mmbench.harness.errors import DoesNotFit, OnePicture, Unsupported
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import RouteTaken

Made = TypeVar("Made")


def by_fitting_route(
    task: Task,
    subject: Subject,
    control: Control | None,
    put: Callable[[Subject, Sequence[str]], Made],
    taken: RouteTaken | None = None,
) -> Made:
    """Return what `put` makes of the model as it sits a task by the first of its routes that all questions fit.

    `put` receives notes too: which routes do not fit, and why. A control is asked by the route that its task was
    (`taken`): a clip of which one frame is left may fit where the whole did not, and the two would not compare. A model
    that takes one picture is asked of several by a route that looks at each. A route after the first must not cut a
    text either: candidates that differ behind the cut would tie; a dry run, which loads nothing, does not look for
    that. Where none fits, or one is pinned, what does not fit fails item by item. Raises as `put`, and DoesNotFit,
    which says why of each route, where nothing fits.
    """
    passed: dict[str, str] = {}
    routes = [route for route in task.routes if taken in (None, route)]
    left = [] if subject.pinned else list(routes)
    while left:
        sat = subject.sit(left, control, "uncut" if passed and not subject.dry else "read")
        try:
            return put(sat, _notes(passed))
        except (DoesNotFit, OnePicture) as error:
            route = sat.route(task.family.verb)
            passed[f"by {route}"] = str(error)
            left.remove(route)
        except Unsupported as error:
            if not passed:
                raise
            passed[f"by {' or '.join(left)}"] = str(error)
            break
    try:
        return put(subject.sit(routes, control), _notes(passed))
    except DoesNotFit as error:
        raise DoesNotFit(_said(passed) or str(error)) from error


def _notes(passed: Mapping[str, str]) -> tuple[str, ...]:
    return (f"does not fit {_said(passed)}",) if passed else ()


def _said(passed: Mapping[str, str]) -> str:
    return "; ".join(f"{way}: {why}" for way, why in passed.items())
