"""Commands `store info` and `store prune`."""

from typing import Annotated

import typer

from mmbench.harness.cli.common import Form, Output, StorePath, make_console, print_json
from mmbench.harness.errors import UsageError

store_app = typer.Typer(
    help="Look at, or clean, what models answered before.", no_args_is_help=True, rich_markup_mode=None
)


@store_app.command()
def info(store: StorePath = None, form: Form = Output.table) -> None:
    """Show how much each model left in the store."""
    from mmbench.harness.store.location import store_path
    from mmbench.harness.store.store import Store

    path = store or store_path()
    holdings = []
    if path.is_file():  # to look must not make one
        held = Store(path)
        holdings = held.holdings()
        held.close()
    if form is Output.json:
        size = path.stat().st_size if path.is_file() else 0
        print_json({"path": str(path), "bytes": size, "models": [each.as_json() for each in holdings]})
    else:
        from mmbench.harness.terminal.store import store_table

        make_console().print(store_table(str(path), holdings))


@store_app.command()
def prune(
    model: Annotated[str | None, typer.Option("--model", help="Label or fingerprint; default: every model.")] = None,
    store: StorePath = None,
) -> None:
    """Remove what a model left in the store."""
    from mmbench.harness.errors import nearest
    from mmbench.harness.store.location import store_path
    from mmbench.harness.store.store import Store

    path = store or store_path()
    if not path.is_file():
        raise UsageError(f"there is no store {path}")
    held = Store(path)
    names = [each.name for each in held.holdings()]
    gone = held.prune(model)
    held.close()
    if model and not gone:
        raise UsageError(f"the store holds nothing of '{model}'{nearest(model, names)}")
    many = "model" if len(gone) == 1 else "models"
    typer.echo(f"removed {sum(each.answers for each in gone):,} answers of {len(gone)} {many}")
