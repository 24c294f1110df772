"""Commands of the store: its size, pruning, and the way of answers between machines."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmbench.harness.cli.common import Form, Output, StorePath, make_console, print_json, warn
from mmbench.harness.cli.help import Command
from mmbench.harness.errors import UsageError
from mmbench.harness.render.figures import count

if TYPE_CHECKING:
    from mmbench.harness.store.store import Store

store_app = typer.Typer(
    help="Store of remembered answers: its size, removal, moving between machines.",
    no_args_is_help=True,
    rich_markup_mode=None,
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

        make_console().print(store_table(str(path) if path.exists() else f"{path} (not there yet)", holdings))
    if damaged := sum(each.damaged for each in holdings):
        warn(f"{damage(damaged)}; asked again when next needed")


@store_app.command(cls=Command)
def prune(
    model: Annotated[
        str | None, typer.Option("--model", help="Model label or fingerprint. Default: every model.")
    ] = None,
    unused: Annotated[
        float | None,
        typer.Option("--unused", min=0, metavar="DAYS", help="Only models that nothing was asked of for so many days."),
    ] = None,
    most: Annotated[
        str | None,
        typer.Option(
            "--most",
            metavar="SIZE",
            help="Only as much as leaves answers of this size, 20GB or 500MB: those of the model used longest ago "
            "first, the oldest of them first.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Answers of every model are removed without a question.")] = False,
    store: StorePath = None,
) -> None:
    """Remove the answers of a model from the store, or after a question those of all.

    Exit status: 0, 2 bad usage.
    """
    import time

    from mmbench.harness.errors import nearest

    limit = None if most is None else _bytes(most)
    held = _opened(store)
    try:
        sizes = held.sizes()
        names = [str(label) for each in sizes for label in each.labels]
        whole = model is None and unused is None and limit is None
        if whole and sizes and not yes and not _agreed(sum(each.answers for each in sizes), len(sizes)):
            typer.echo("nothing was removed")
            return
        if model and not any(model in (each.name, each.fingerprint, *each.labels) for each in sizes):
            raise UsageError(f"store has no answers of '{model}'{nearest(model, names)}")
        gone = held.prune(model, before=None if unused is None else time.time() - unused * 86400, most=limit)
    finally:
        held.close()
    now = [each.name for each in gone if model and model not in (each.name, each.fingerprint)]
    called = f", now called {', '.join(now)}" if now else ""
    typer.echo(f"removed {sum(each.answers for each in gone):,} answers of {count(len(gone), 'model')}{called}")


@store_app.command(cls=Command)
def vacuum(store: StorePath = None) -> None:
    """Make the file as small as what it holds, for which the disk must have room for it twice.

    Exit status: 0, 2 bad usage.
    """
    held = _opened(store)
    try:
        before = held.path.stat().st_size
        held.vacuum()
    finally:
        held.close()
    typer.echo(f"{held.path}: {before / 1e6:,.1f} MB before, {held.path.stat().st_size / 1e6:,.1f} MB now")


@store_app.command("export", cls=Command)
def export_store(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Parquet file to write; one that is there stays.")],
    model: Annotated[
        str | None, typer.Option("--model", help="Model label or fingerprint. Default: every model.")
    ] = None,
    store: StorePath = None,
) -> None:
    """Write the remembered answers of a model, or of all, to a file that another machine can take in.

    Exit status: 0, 2 bad usage.
    """
    from mmbench.harness.errors import nearest
    from mmbench.harness.records.files import replaced
    from mmbench.harness.store.holding import damage

    if file.exists() or file.is_symlink():
        raise UsageError(f"{file} exists already; name another file, or remove it")
    if not file.parent.is_dir():
        raise UsageError(f"folder {file.parent} does not exist")
    held = _opened(store)
    try:
        with replaced(file) as partial:
            moved = held.export(partial, model)
            if model and not moved.models:
                names = [str(label) for each in held.sizes() for label in each.labels]
                raise UsageError(f"store has no answers of '{model}'{nearest(model, names)}")
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror or error})") from error
    finally:
        held.close()
    if moved.damaged:
        warn(f"{damage(moved.damaged)} and left out")
    size = file.stat().st_size / 1e6
    typer.echo(f"wrote {count(moved.answers, 'answer')} of {count(moved.models, 'model')} to {file}, {size:,.1f} MB")


@store_app.command("import", cls=Command)
def import_store(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files that `mmbench store export` wrote.")],
    store: StorePath = None,
) -> None:
    """Add the answers of exported files to the store; what it has stays as it is.

    Exit status: 0, 2 bad usage.
    """
    from mmbench.harness.store.holding import damage
    from mmbench.harness.store.location import store_path
    from mmbench.harness.store.store import Store
    from mmbench.harness.store.transfer import check_export

    for file in files:
        if not file.is_file():
            raise UsageError(f"{file} {'is no file' if file.exists() else 'does not exist'}")
        check_export(file)  # all of them, before any is added or a store is made
    held = Store(store or store_path())
    try:
        for file in files:
            moved = held.take_in(file)
            known = f"; {count(moved.known, 'answer')} it had before" if moved.known else ""
            typer.echo(f"{file}: {count(moved.answers, 'answer')} of {count(moved.models, 'model')} added{known}")
            if moved.differing:
                warn(f"{count(moved.differing, 'answer')} of {file} differ from the store's own, which stay")
            if moved.damaged:
                warn(f"{file}: {damage(moved.damaged)} and left out")
    finally:
        held.close()


def _opened(path: Path | None) -> "Store":
    """Open a store that is there: to look must not make one. Raises UsageError."""
    from mmbench.harness.store.location import store_path
    from mmbench.harness.store.store import Store

    found = path or store_path()
    if not found.exists():
        raise UsageError(f"store {found} does not exist")
    return Store(found)


def _bytes(size: str) -> int:
    """Return the bytes of a size as people write it. Raises UsageError.

    >>> _bytes("20GB"), _bytes("1.5 mb"), _bytes("4096")
    (20000000000, 1500000, 4096)
    """
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*([kmgt]?)(i?)b?", size.strip().lower())
    if found is None:
        raise UsageError(f"--most is '{size}'; it must be a size such as 20GB or 500MB")
    number, unit, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** " kmgt".index(unit or " "))


def _agreed(answers: int, models: int) -> bool:
    """Ask whether all is to be removed. Raises UsageError where nobody can answer."""
    typer.echo(f"Remove all {answers:,} answers of {count(models, 'model')}? [y/N] ", nl=False, err=True)
    said = sys.stdin.readline()
    if not said:
        typer.echo(err=True)
        raise UsageError("nobody answers; name a --model, or remove the answers of every model with --yes")
    return said.strip().lower() in ("y", "yes")
