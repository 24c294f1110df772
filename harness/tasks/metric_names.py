"""Metrics of a family by their printed names, also those with other numbers than it lists."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from mmbench.harness import registry
from mmbench.harness.tasks.metric import Metric

if TYPE_CHECKING:
    from mmbench.harness.tasks.family import Family


def metric_named(family: str, name: str) -> Metric:
    """Return a family's metric by its printed form.

    Of names that count (`accuracy@5`, `16-shot/accuracy`) a family lists examples: one that differs in its numbers
    alone is made alike. Any other is the mean of its values.

    >>> metric_named("zero-shot-classification", "accuracy@3").best
    1.0
    """
    held: type[Family] = registry.find(registry.FAMILIES, family, "family")
    known = {metric.name: metric for metric in held.known_metrics}
    if name in known:
        return known[name]
    alike = next((metric for metric in held.known_metrics if _shape(metric.name) == _shape(name)), None)
    return replace(alike, name=name) if alike else Metric(name, "")


def _shape(name: str) -> str:
    return re.sub(r"\d+", "0", name)
