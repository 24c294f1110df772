"""Command line application: thin commands that import what they need when they need it."""

import gc
import io
import os
import sys
from typing import Annotated

import typer

from mmbench.harness.cli.board import import_figures, leaderboard
from mmbench.harness.cli.compare import check, compare
from mmbench.harness.cli.contract import contract
from mmbench.harness.cli.diagnose import diagnose
from mmbench.harness.cli.explain import explain
from mmbench.harness.cli.export import export_onnx
from mmbench.harness.cli.fetch import fetch, lock
from mmbench.harness.cli.help import Command
from mmbench.harness.cli.init import init
from mmbench.harness.cli.items import report, show
from mmbench.harness.cli.list import list_
from mmbench.harness.cli.run import run
from mmbench.harness.cli.score import score
from mmbench.harness.cli.store import store_app
from mmbench.harness.cli.streams import leave, open_missing
from mmbench.harness.cli.validate import validate
from mmbench.harness.cli.verify import verify
from mmbench.harness.errors import MmbenchError, UsageError
from mmbench.harness.garbage import seldom_collected
from mmbench.harness.render.plain import plain

_OF_MODELS = ("torch", "jax", "tensorflow", "keras", "onnxruntime")
"""Libraries that run models."""

_WITH_DEBUG = (["run"], ["contract"], ["diagnose"], ["export-onnx"])
"""Commands that have --debug."""

app = typer.Typer(
    name="mmbench",
    help="What a multimodal model perceives, how it ranks, and whether yesterday's change broke it.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"mmbench {version('mmbench')}")
        raise typer.Exit


@app.callback()
def _shared(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Version of mmbench, and nothing else.")
    ] = False,
) -> None:
    """Say what concerns no command."""


for name, command in (
    ("run", run),
    ("score", score),
    ("list", list_),
    ("init", init),
    ("validate", validate),
    ("fetch", fetch),
    ("lock", lock),
    ("contract", contract),
    ("verify", verify),
    ("diagnose", diagnose),
    ("export-onnx", export_onnx),
    ("leaderboard", leaderboard),
    ("compare", compare),
    ("check", check),
    ("show", show),
    ("explain", explain),
    ("report", report),
    ("import", import_figures),
):
    app.command(name, cls=Command)(command)
app.add_typer(store_app, name="store")


def script() -> None:
    """Run the command line as a process of its own, which ends with it."""
    try:
        main()
    except SystemExit as ended:
        leave(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
        _spare_garbage()
        raise


def _spare_garbage() -> None:
    """Spare the search for garbage with which Python ends: the system takes all back a moment later.

    Not where libraries of models are loaded, some of which complain on standard error of what was not collected.
    """
    if sys.modules.keys().isdisjoint(_OF_MODELS):
        gc.freeze()


def main() -> None:
    """Run the command line; an error is one sentence on standard error."""
    # Nobody named the plug-ins of pydantic on this machine, and one broken package ends the search for them.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    open_missing()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name that an old terminal cannot show is no error
        sys.stdout.reconfigure(errors="backslashreplace")
    debug = "--debug" in sys.argv
    try:
        with seldom_collected():
            app()
    except MmbenchError as error:
        if debug:
            raise
        typer.echo(f"mmbench: {plain(str(error))}", err=True)
        for detail in error.details:
            typer.echo(f"mmbench: {plain(detail)}", err=True)
        raise SystemExit(2 if isinstance(error, UsageError) else 1) from error
    except OSError as error:  # a path that no file can have: too long, links in a circle
        if debug:
            raise
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"mmbench: {plain(f'{where}{error.strerror or error}')}", err=True)
        raise SystemExit(2) from error
    except Exception as error:  # a mistake of ours: still one sentence, and what was answered is kept
        if debug:
            raise
        hint = "--debug shows where" if sys.argv[1:2] in _WITH_DEBUG else "please report it"
        typer.echo(f"mmbench: internal error ({type(error).__name__}: {plain(str(error))}); {hint}", err=True)
        raise SystemExit(1) from error
    except KeyboardInterrupt:
        typer.echo("mmbench: stopped", err=True)
        raise SystemExit(130) from None
