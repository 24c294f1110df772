"""Shared parts of the commands: printing, and options that several commands have."""

import io
import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from mmbench.harness.errors import UsageError
from mmbench.harness.render.plain import escaped_json, plain


class Output(StrEnum):
    """Output format of a command."""

    table = "table"
    json = "json"


Results = Annotated[Path, typer.Option("--output", help="Results folder, read or written.")]
Form = Annotated[Output, typer.Option("--format", help="Output format: table, or json on standard output.")]

By = Annotated[
    str | None,
    typer.Option("--by", help="Fact to show scores by, a column that travels with the items: answer_type, category."),
]
Tasks = Annotated[
    list[str] | None,
    typer.Option("--task", help="Task to keep: a name, a YAML file or a quoted glob of either. Repeatable."),
]


def make_console(*, stderr: bool = False) -> Any:
    """Return a rich console on standard output or error, as wide as the terminal, $COLUMNS or 140."""
    from mmbench.harness.terminal.console import PlainConsole

    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        # A table must not fail over a dash that an old terminal cannot show, nor become wider by it.
        stream.reconfigure(errors="replace")
    # A pipe has no width of its own; 80 columns would fold every table.
    asked = os.environ.get("COLUMNS", "")
    wide = int(asked) if asked.isascii() and asked.isdigit() and int(asked) else 140
    width = None if stream.isatty() else wide
    return PlainConsole(stream, width)


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output, alone; with escapes where its encoding lacks a character."""
    text = escaped_json(json.dumps(value, ensure_ascii=False, allow_nan=False))
    typer.echo(text if _has_all(text) else json.dumps(value, allow_nan=False))


def print_text(text: str, *, web: bool = False) -> None:
    """Print what becomes a file on standard output: in UTF-8 where its encoding lacks a character, or for the web."""
    if isinstance(sys.stdout, io.TextIOWrapper) and (web or not _has_all(text)):
        sys.stdout.reconfigure(encoding="utf-8")
    typer.echo(text)


def _has_all(text: str) -> bool:
    """Tell whether the encoding of standard output has all characters of a text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def warn(message: object) -> None:
    """Print a warning in one line on standard error."""
    typer.echo(f"warning: {plain(str(message))}", err=True)


StorePath = Annotated[
    Path | None, typer.Option("--store", help="Store file of remembered answers. Default: $MMBENCH_HOME/store.sqlite.")
]

Device = Annotated[str, typer.Option("--device", help="Device: auto, cpu, cuda or cuda:N.")]
Dtype = Annotated[str, typer.Option("--dtype", help="Precision: auto (fp32 on CPU, fp16 on CUDA), fp32, fp16 or bf16.")]
BatchSize = Annotated[str, typer.Option("--batch-size", help="Inputs in one forward pass, or auto.")]
Offline = Annotated[bool, typer.Option("--offline", help="Network access is never attempted.")]
Yes = Annotated[bool, typer.Option("--yes", help="Consent to what would be sent to a service, which is told before.")]
Debug = Annotated[bool, typer.Option("--debug", help="Tracebacks of errors are shown.")]

Scorer = Annotated[
    str | None, typer.Option("--scorer", help="Scorer: a second model, with embeddings, for metrics such as clipscore.")
]


def batch_size_of(given: str) -> int | None:
    """Return what --batch-size says; None for `auto`. Raises UsageError."""
    if given == "auto":
        return None
    if not given.isdigit() or int(given) < 1:
        raise UsageError(f"--batch-size must be 'auto' or a whole number from 1, not '{given}'")
    return int(given)
