"""Command `list`: models, tasks, suites and metrics."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

from mmbench.harness.cli.common import Form, Output, make_console, print_json, warn
from mmbench.harness.cli.streams import output_kept


class What(StrEnum):
    """What can be listed."""

    models = "models"
    tasks = "tasks"
    suites = "suites"
    metrics = "metrics"


def list_(
    what: Annotated[What, typer.Argument(help="Kind of things to list: models, tasks, suites or metrics.")],
    form: Form = Output.table,
) -> None:
    """List the available models, tasks, suites or metrics."""
    from mmbench.harness.tasks.listing import list_metrics, list_models, list_suites, list_tasks

    makers: dict[What, Callable[[Callable[[str], object]], list[dict[str, Any]]]] = {
        What.models: list_models,
        What.tasks: list_tasks,
        What.suites: list_suites,
        What.metrics: list_metrics,
    }
    with output_kept():  # plug-ins are code of others
        rows = makers[what](warn)
    if form is Output.json:
        print_json(rows)
    else:
        from mmbench.harness.terminal.listing import listing

        make_console().print(listing(what.value, rows))
