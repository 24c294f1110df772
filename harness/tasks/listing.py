"""Listings of models, tasks, suites and metrics, made without loading a model or reading data.

Each tells `warn` in a sentence what of a package cannot be used, and lists the rest.
"""

import math
from collections.abc import Callable
from typing import Any

from mmbench.harness import registry
from mmbench.harness.errors import UsageError
from mmbench.harness.tasks.catalogue import check_name, load_offered, naming_package
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.plugins import all_families, all_metrics
from mmbench.harness.tasks.prompts import OFFICIAL
from mmbench.harness.tasks.suite import read_suite

Warn = Callable[[str], object]

TERMS = ("items", "classes", "bytes", "licence", "gate", "human", "verified", "prompt_source", "sources")
"""What a list of tasks says of their data, as their cards do; beside a title a terminal has no room for it."""

ANY_FAMILY = "any family"
"""Where a metric of outcomes stands in a list of metrics."""


def _nobody(message: str) -> None:
    """Tell nobody."""


def list_models(warn: Warn = _nobody) -> list[dict[str, Any]]:
    """Return a row for each alias and each kind of adapter."""
    aliases, adapters = registry.aliases(), registry.entries(registry.ADAPTERS)
    _tell(warn, *aliases.faults, *adapters.faults)
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "spec": alias.spec,
            "download_mb": getattr(alias, "download_mb", None),
            "description": getattr(alias, "description", ""),
        }
        for name, alias in sorted(aliases.items())
    ]
    kinds = [
        {"name": kind, "spec": f"{kind}:…", "download_mb": None, "description": "kind of adapter, see docs/adapters.md"}
        for kind in sorted(adapters)
    ]
    return kinds + rows


def list_tasks(warn: Warn = _nobody) -> list[dict[str, Any]]:
    """Return a row for each task of the catalogue."""
    known = registry.files(registry.TASKS)
    _tell(warn, *known.faults)
    rows = []
    for name in known:
        try:
            task = load_offered(name, known)
        except UsageError as error:
            warn(str(error))
            continue
        rows.append(
            {
                "name": task.reference,
                "family": task.family_name,
                "dimension": task.card.dimension,
                "title": task.card.title,
                **{name: getattr(task.card, name) for name in TERMS},
                "prompts": [OFFICIAL, *task.prompts],
            }
        )
    return rows


def list_suites(warn: Warn = _nobody) -> list[dict[str, Any]]:
    """Return a row for each suite of the catalogue."""
    known = registry.files(registry.SUITES)
    _tell(warn, *known.faults)
    rows = []
    for name, path in known.items():
        try:
            with naming_package("suite", name, known.package(name)):
                spec, _ = read_suite(path)
                check_name(spec.name, path)
        except UsageError as error:
            warn(str(error))
            continue
        rows.append({"name": f"{spec.name}@{spec.version}", "tasks": ", ".join(spec.tasks), "title": spec.title})
    return rows


def list_metrics(warn: Warn = _nobody) -> list[dict[str, Any]]:
    """Return a row for each metric of each family, and for each that any family may be scored by."""
    families, metrics = all_families(), all_metrics()
    _tell(warn, *families.faults, *metrics.faults)
    own = [(name, metric) for name, family in sorted(families.items()) for metric in family.known_metrics]
    return [_metric_row(family, metric) for family, metric in own] + [
        _metric_row(ANY_FAMILY, metric) for _, metric in sorted(metrics.items())
    ]


def _metric_row(family: str, metric: Metric) -> dict[str, Any]:
    return {
        "family": family,
        "metric": metric.name,
        "range": f"{'−∞' if metric.lowest == -math.inf else f'{metric.lowest:g}'} … {_highest(metric)}",
        "better": {True: "higher", False: "lower", None: "neither"}[metric.higher_is_better],
        "description": metric.description,
    }


def _highest(metric: Metric) -> str:
    if metric.best is not None and metric.higher_is_better:
        return f"{metric.best:g}"
    return "1" if metric.proportion else "∞"


def _tell(warn: Warn, *faults: str) -> None:
    for fault in dict.fromkeys(faults):
        warn(fault)
