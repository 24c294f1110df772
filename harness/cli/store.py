"""Commands `store info` and `store prune`."""

import sys
from typing import Annotated

import typer

from mmbench.harness.cli.common import Form, Output, StorePath, make_console, print_json, warn
from mmbench.harness.cli.help import Command
from mmbench.harness.errors import UsageError
from mmbench.harness.render.figures import count

store_app = typer.Typer(
    help="Store of remembered answers: show its size, or remove answers.", no_args_is_help=True, rich_markup_mode=None
)


@store_app.command(cls=Command)
def info(store: StorePath = None, form: Form = Output.table) -> None:
    """Show how many answers of each model the store holds, and check each for damage."""
    from mmbench.harness.store.holding import damage
    from mmbench.harness.store.location import store_path
    from mmbench.harness.store.store import Store

    path = store or store_path()
    holdings = []
    if path.exists():  # to look must not make one
        held = Store(path)
        holdings = held.holdings()
        held.close()
    if form is Output.json:
        size = path.stat().st_size if path.is_file() else 0
        print_json({"path": str(path), "bytes": size, "models": [each.as_json() for each in holdings]})
    else:
        from mmbench.harness.terminal.store import store_table

        make_console().print(store_table(str(path), holdings))
    if damaged := sum(each.damaged for each in holdings):
        warn(f"{damage(damaged)}; asked again when next needed")


@store_app.command(cls=Command)
def prune(
    model: Annotated[
        str | None, typer.Option("--model", help="Model label or fingerprint. Default: every model.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Answers of every model are removed without a question.")] = False,
    store: StorePath = None,
) -> None:
    """Remove the answers of a model from the store, or after a question those of all.

    Exit status: 0, 2 bad usage.
    """
    from mmbench.harness.errors import nearest
    from mmbench.harness.store.location import store_path
    from mmbench.harness.store.store import Store

    path = store or store_path()
    if not path.exists():
        raise UsageError(f"store {path} does not exist")
    held = Store(path)
    holdings = held.holdings()
    names = [str(label) for each in holdings for label in each.labels]
    if model is None and holdings and not yes and not _agreed(sum(each.answers for each in holdings), len(holdings)):
        held.close()
        typer.echo("nothing was removed")
        return
    gone = held.prune(model)
    held.close()
    if model and not gone:
        raise UsageError(f"store has no answers of '{model}'{nearest(model, names)}")
    now = [each.name for each in gone if model and model not in (each.name, each.fingerprint)]
    named = f", now called {', '.join(now)}" if now else ""
    typer.echo(f"removed {sum(each.answers for each in gone):,} answers of {count(len(gone), 'model')}{named}")


def _agreed(answers: int, models: int) -> bool:
    """Ask whether all is to be removed. Raises UsageError where nobody can answer."""
    typer.echo(f"Remove all {answers:,} answers of {count(models, 'model')}? [y/N] ", nl=False, err=True)
    said = sys.stdin.readline()
    if not said:
        typer.echo(err=True)
        raise UsageError("nobody answers; name a --model, or remove the answers of every model with --yes")
    return said.strip().lower() in ("y", "yes")
