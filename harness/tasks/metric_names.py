"""Metrics of a family by their printed names, also those with other numbers than it lists."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from mmbench.harness.errors import UsageError
from mmbench.harness.tasks.metric import Metric

if TYPE_CHECKING:
    from mmbench.harness.tasks.family import Family


def metric_named(family: str, name: str) -> Metric:
    """Return a metric of a family, or one of outcomes, by its printed form.

    Of names that count (`accuracy@5`, `16-shot/accuracy`), or that end in a name of the task's own behind a colon, a
    family lists examples: one that differs in these alone is made alike. Raises UsageError for any other: whether more
    of it is better nobody knows.

    >>> metric_named("zero-shot-classification", "accuracy@3").best
    1.0
    """
    # Here, since a board that is remembered needs no family.
    from mmbench.harness.tasks.plugins import find_family, find_metric, is_offered

    held = find_family(family)
    own = own_metric(held, name)
    if own is not None:
        return own
    if is_offered(name):
        return find_metric(name)
    for metric in held.known_metrics:  # `4-shot/seed0/map` is an average precision as `full/map` is
        if "/" in name and "/" in metric.name and _shape(_kind(metric.name)) == _shape(_kind(name)):
            return replace(metric, name=name)
    raise UsageError(
        f"'{name}' is no metric of family '{family}' or of a package that is installed here, so that nobody knows "
        "whether more of it is better; install the package that it is of"
    )


def own_metric(family: "type[Family]", name: str) -> Metric | None:
    """Return a family's own metric by its printed form, or None."""
    known = {metric.name: metric for metric in family.known_metrics}
    if name in known:
        return known[name]
    alike = next((metric for metric in family.known_metrics if _shape(metric.name) == _shape(name)), None)
    return replace(alike, name=name) if alike else None


def _shape(name: str) -> str:
    return re.sub(r"\d+", "0", re.sub(r":.+", ":", name))


def _kind(name: str) -> str:
    return name.rpartition("/")[2]
