"""Fitting route: where a model does not read a question to its end, its task is asked by the next route that fits."""

from collections.abc import Callable, Mapping, Sequence

from mmbench.harness.ask.controls import Control
from mmbench.harness.ask.subject import Subject
from mmbench.harness.digest import Json
from mmbench.harness.errors import DoesNotFit, OnePicture, Unsupported
from mmbench.harness.records.record import Record
from mmbench.harness.run.examine import examine
from mmbench.harness.run.settings import RunSettings
from mmbench.harness.store.meter import Meter
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Outcome, RouteTaken


def examine_fitting(
    task: Task,
    subject: Subject,
    control: Control | None,
    settings: RunSettings,
    meter: Meter,
    hardware: Callable[[], Mapping[str, Json]],
    taken: RouteTaken | None = None,
) -> tuple[Record, Sequence[Outcome]]:
    """Put a task to a model by the first of its routes that all questions fit, and return record and outcomes.

    A control is asked by the route that its task was (`taken`): a clip of which one frame is left may fit where the
    whole did not, and the two would not compare. A model that takes one picture is asked of several by a route that
    looks at each. A route after the first must not cut a text either: candidates that differ behind the cut would
    tie. Where none fits, or one is pinned, what does not fit fails item by item. Raises as `examine`, and
    DoesNotFit, which says why of each route, where nothing fits.
    """
    passed: dict[str, str] = {}
    routes = [route for route in task.routes if taken in (None, route)]
    left = [] if subject.pinned else list(routes)
    while left:
        sat = subject.sit(left, control, "uncut" if passed else "read")
        try:
            return examine(task, sat, settings, meter, hardware, _notes(passed))
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
        return examine(task, subject.sit(routes, control), settings, meter, hardware, _notes(passed))
    except DoesNotFit as error:
        raise DoesNotFit(_said(passed) or str(error)) from error


def _notes(passed: Mapping[str, str]) -> tuple[str, ...]:
    return (f"does not fit {_said(passed)}",) if passed else ()


def _said(passed: Mapping[str, str]) -> str:
    return "; ".join(f"{way}: {why}" for way, why in passed.items())
