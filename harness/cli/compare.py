"""Commands `compare` and `check`: paired comparison for people, regression gate for a pipeline."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmbench.harness.cli.common import By, Form, Output, Results, Tasks, make_console, print_json, print_text, warn
from mmbench.harness.cli.streams import output_kept
from mmbench.harness.errors import MmbenchError

if TYPE_CHECKING:
    from mmbench.harness.gate.rows import Checked


Metrics = Annotated[
    list[str] | None,
    typer.Option("--metric", help="Metric in place of the primary one, such as ece@15 or mae. Repeatable."),
]


class ComparisonOutput(StrEnum):
    """Output format of a comparison."""

    table = "table"
    markdown = "markdown"
    json = "json"


def compare(
    names: Annotated[
        list[str],
        typer.Argument(metavar="A B [C]...", help="Runs: labels in results, record files or folders of records."),
    ],
    output: Results = Path("results"),
    suite: Annotated[
        str | None, typer.Option("--suite", help="Suite whose tasks alone are compared. Default: every task.")
    ] = None,
    task: Tasks = None,
    shared: Annotated[
        bool, typer.Option("--shared", help="Tasks that all runs have alone; the others are named.")
    ] = False,
    by: By = None,
    metric: Metrics = None,
    alpha: Annotated[
        float, typer.Option("--alpha", help="False-positive rate: how often runs that do not differ may seem to.")
    ] = 0.05,
    form: Annotated[
        ComparisonOutput, typer.Option("--format", help="Output format: table, markdown or json.")
    ] = ComparisonOutput.table,
    force: Annotated[
        bool, typer.Option("--force", help="Tasks with differing protocols are compared too, and marked.")
    ] = False,
) -> None:
    """Compare each run with the first on the same items, task by task, and test whether the difference is chance.

    Exit status: 0, 2 nothing could be compared, or a record could not be read (the others are shown).
    """
    from mmbench.harness.compare.compare import compare as compared

    with output_kept():  # families of plug-ins are code of others
        made = compared(
            *names,
            output=output,
            alpha=alpha,
            force=force,
            task=task or (),
            suite=suite,
            shared=shared,
            by=by,
            metric=metric or (),
        )
    if form is ComparisonOutput.json:
        print_json(made.as_json())
    elif form is ComparisonOutput.markdown:
        from mmbench.harness.terminal.comparison import comparison_markdown

        print_text(comparison_markdown(made))
    else:
        from mmbench.harness.terminal.comparison import comparison_tables

        console = make_console()
        console.print(comparison_tables(made, console.width), highlight=False)
    _warn((*made.errors, *made.remarks))
    raise typer.Exit(made.exit_code)


def check(
    candidate: Annotated[
        str, typer.Argument(help="Candidate run: a label in results, a record file or a folder of records.")
    ],
    baseline: Annotated[str, typer.Option("--baseline", help="Baseline run, given in the same way.")],
    output: Results = Path("results"),
    metric: Metrics = None,
    margin: Annotated[
        float | None,
        typer.Option(
            "--margin",
            help="Largest tolerated drop, of an error the largest rise, in the metric's unit. Default: 0.01.",
        ),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option("--alpha", help="False-positive rate: how often an unchanged model may fail. Default: 0.05."),
    ] = None,
    budget: Annotated[
        Path | None,
        typer.Option("--budget", help="Budget: a TOML file of margins, errors and coverage, also by task and metric."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Inconclusive tasks fail too.")] = False,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Runs of the first items only are judged by those; else they fail.")
    ] = False,
    junit: Annotated[Path | None, typer.Option("--junit", help="JUnit XML file to write.")] = None,
    summary: Annotated[
        Path | None, typer.Option("--summary", help="Markdown file to append to, such as $GITHUB_STEP_SUMMARY.")
    ] = None,
    form: Form = Output.table,
) -> None:
    """Check for regressions: fail where a run is worse than its baseline, on the same items, by more than a margin.

    Exit status: 0, 1 a task or their mean regressed, a task is over budget or partial,
    2 a task of the baseline could not be compared.
    """
    from mmbench.harness.gate.check import check as checked

    with output_kept(), _written_anyway(candidate, baseline, junit, summary):
        made = checked(
            candidate,
            baseline,
            output=output,
            margin=margin,
            alpha=alpha,
            budget=budget,
            strict=strict,
            allow_partial=allow_partial,
            metric=metric or (),
        )
    if form is Output.json:
        print_json(made.as_json())
    else:
        from mmbench.harness.terminal.comparison import check_table

        console = make_console()
        console.print(check_table(made, console.width), highlight=False)
    _write(made, junit, summary)
    _warn((*made.errors, *made.remarks))
    raise typer.Exit(made.exit_code)


def _write(made: "Checked", junit: Path | None, summary: Path | None) -> None:
    from mmbench.harness.gate.ci_files import append_summary, write_junit

    if junit is not None:
        write_junit(made, junit)
    if summary is not None:
        append_summary(made, summary)


@contextmanager
def _written_anyway(candidate: str, baseline: str, junit: Path | None, summary: Path | None) -> Iterator[None]:
    """Write the files of a pipeline also where nothing could be judged: it shows them, and no standard error."""
    from mmbench.harness.gate.check import unjudged

    try:
        yield
    except MmbenchError as error:
        _write(unjudged(candidate, baseline, str(error)), junit, summary)
        raise


def _warn(errors: tuple[str, ...]) -> None:
    for error in errors:
        warn(error)
