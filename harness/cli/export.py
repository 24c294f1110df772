"""Command `export-onnx`: a model of two towers as a folder that runs without the library it was trained in."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmbench.harness.cli.common import Debug, Form, Offline, Output, make_console, print_json
from mmbench.harness.cli.streams import output_kept
from mmbench.harness.errors import MmbenchError, UsageError

if TYPE_CHECKING:
    from mmbench.harness.models.models import Model


def export_onnx(
    spec: Annotated[
        str, typer.Argument(metavar="MODEL", help="Model: a dual encoder, open_clip:… or hf:…, or an alias of one.")
    ],
    folder: Annotated[Path, typer.Argument(help="Folder to write: a new or an empty one.")],
    offline: Offline = False,
    form: Form = Output.table,
    debug: Debug = False,
) -> None:
    """Write a dual encoder as ONNX graphs with its preprocessing and tokenizer, for onnx:FOLDER.

    Pictures, tokens and vectors are compared with the model's own first: the folder is there whole, or not at all.

    Exit status: 0 written, 2 it cannot be, or bad usage.
    """
    if offline:  # before huggingface_hub is imported anywhere, since it reads this once
        os.environ["HF_HUB_OFFLINE"] = "1"
    from mmbench.harness.registry import DEFAULTS, contained, find

    with output_kept():  # from here on code of adapters runs
        export = find(DEFAULTS, "export-onnx", "default")
        model = _one(spec, offline)
        try:
            made = contained(
                lambda: export(model.adapter, model.label, folder.expanduser()), f"{model.label} cannot be exported"
            )
        except UsageError:
            raise
        except MmbenchError as error:  # weights that are not here, a model that does not fit: nothing was written
            raise UsageError(str(error)) from error
    if form is Output.json:
        print_json(_row(model, folder, made))
    else:
        console = make_console()
        for line in _lines(model, folder, made):
            console.print(line)


def _one(spec: str, offline: bool) -> "Model":
    from mmbench.harness.models.models import Loading, make_models

    models = make_models([spec], Loading("cpu", "fp32", offline))
    if len(models) > 1:
        raise UsageError(f"'{spec}' stands for {len(models)} models; one at a time is exported")
    return models[0]


def _row(model: "Model", folder: Path, made: Any) -> dict[str, Any]:
    return {
        "model": model.label,
        "spec": model.spec,
        "folder": str(folder),
        "files": made.files,
        "difference": {"pictures": made.pictures, "texts": made.texts, "allowed": made.allowed},
        "notes": [*made.notes],
    }


def _lines(model: "Model", folder: Path, made: Any) -> list[str]:
    pictures, texts = made.tried
    return [
        f"{folder}: " + ", ".join(f"{name} {_size(size)}" for name, size in made.files.items()),
        f"vectors as {model.label} gives them: within {made.pictures:.0e} of their norm for {pictures} pictures, "
        f"{made.texts:.0e} for {texts} texts (allowed {made.allowed:.0e}); tokens equal",
        *(f"note: {note}" for note in made.notes),
        f"run it: mmbench run --model onnx:{folder}",
    ]


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
