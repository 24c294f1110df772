"""Listings of models, tasks, suites and metrics, made without loading a model or reading data."""

from typing import Any

from mmbench.harness import registry
from mmbench.harness.tasks.family import Family
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.task_file import load_task
from mmbench.harness.tasks.yaml_file import read_yaml


def list_models() -> list[dict[str, Any]]:
    """Return a row for each alias and each kind of adapter."""
    rows: list[dict[str, Any]] = [
        {"name": name, "spec": alias.spec, "download_mb": alias.download_mb, "description": alias.description}
        for name, alias in sorted(registry.aliases().items())
    ]
    kinds = [
        {"name": kind, "spec": f"{kind}:…", "download_mb": None, "description": "kind of adapter, see docs/adapters.md"}
        for kind in sorted(registry.entries(registry.ADAPTERS))
    ]
    return kinds + rows


def list_tasks() -> list[dict[str, Any]]:
    """Return a row for each task of the catalogue."""
    return [
        {
            "name": task.reference,
            "family": task.family_name,
            "dimension": task.card.dimension,
            "title": task.card.title,
        }
        for task in map(load_task, registry.files(registry.TASKS).values())
    ]


def list_suites() -> list[dict[str, Any]]:
    """Return a row for each suite of the catalogue."""
    rows = []
    for path in registry.files(registry.SUITES).values():
        content, _ = read_yaml(path)
        rows.append(
            {
                "name": f"{content['name']}@{content.get('version', 1)}",
                "tasks": ", ".join(content["tasks"]),
                "title": content.get("title", ""),
            }
        )
    return rows


def list_metrics() -> list[dict[str, Any]]:
    """Return a row for each metric of each family."""
    families: list[type[Family]] = [
        registry.loaded(entry, "family") for entry in registry.entries(registry.FAMILIES).values()
    ]
    return [
        {
            "family": family.name,
            "metric": metric.name,
            "range": f"{metric.lowest:g} … {_highest(metric)}",
            "better": {True: "higher", False: "lower", None: "neither"}[metric.higher_is_better],
            "description": metric.description,
        }
        for family in sorted(families, key=lambda family: family.name)
        for metric in family.known_metrics
    ]


def _highest(metric: Metric) -> str:
    if metric.best is not None and metric.higher_is_better:
        return f"{metric.best:g}"
    return "1" if metric.proportion else "∞"
