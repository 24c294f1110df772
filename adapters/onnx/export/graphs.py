"""Modules of torch written as ONNX graphs."""

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmbench.adapters.onnx import manifest
from mmbench.adapters.onnx.export.source import Exportable

OPSET = 18
_LARGE = 1_500_000_000
"""Bytes of weights from which on they lie in a file beside the graph, which holds no more than 2 GiB."""
_BATCH, _LENGTH = 3, 11
"""Sizes of the example that the exporter follows: no model has a meaning for them."""


def write(source: Exportable, folder: Path) -> None:
    """Write both graphs into a folder. Raises whatever torch does of a model that it cannot follow."""
    import torch

    texts, sides = source.texts, source.preparation
    length = texts.context if texts.length == "context" else min(_LENGTH, texts.context)
    pixels = torch.rand((_BATCH, 3, sides.height, sides.width), generator=torch.Generator().manual_seed(0))
    ids = torch.tensor([_row(source, text, length) for text in ("a photo of a cat", "a dog", "one red house")])
    dynamic = {0: torch.export.Dim.DYNAMIC}
    long = dynamic if texts.length == "context" else {**dynamic, 1: torch.export.Dim.DYNAMIC}
    mask = (torch.ones_like(ids),) if texts.mask else ()
    outputs = [manifest.EMBEDDING, *([manifest.FEATURES] if source.features else [])]
    with _following():
        _write(source.image, (pixels,), ["pixels"], [dynamic], outputs, folder / manifest.IMAGE)
        names = ["ids", "mask"] if texts.mask else ["ids"]
        _write(source.text, (ids, *mask), names, [long] * len(names), [manifest.EMBEDDING], folder / manifest.TEXT)


def _row(source: Exportable, text: str, length: int) -> list[int]:
    row = source.tokens([text])[0][:length]
    return row + [source.texts.padding or 0] * (length - len(row))


def _write(
    module: Any, example: tuple[Any, ...], names: list[str], dynamic: list[Any], outputs: list[str], file: Path
) -> None:
    import torch

    held = sum(each.numel() * each.element_size() for each in module.parameters())
    torch.onnx.export(
        module.eval(),
        example,
        str(file),
        input_names=names,
        output_names=outputs,
        # By following symbols and not one example: sizes that a model fixes are then an error, not a wrong graph.
        dynamo=True,
        dynamic_shapes=tuple(dynamic),
        opset_version=OPSET,
        external_data=held > _LARGE,
        verbose=False,
    )
    _bare(file)


def _bare(file: Path) -> None:
    """Take out of a graph what tells where and by which lines of code it was made."""
    import onnx

    model = onnx.load(str(file), load_external_data=False)
    for part in _all(model):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    file.write_bytes(model.SerializeToString(deterministic=True))


def _all(model: Any) -> Iterator[Any]:
    yield model
    yield model.graph
    yield from model.graph.node
    yield from model.graph.value_info
    for group in (model.graph.input, model.graph.output, model.graph.initializer):
        yield from group


@contextlib.contextmanager
def _following() -> Iterator[None]:
    """Have torch follow a model: without the fused path of its attention, gradients, or words on the terminal."""
    import torch

    fast = torch.backends.mha.get_fastpath_enabled()
    before = logging.root.manager.disable
    torch.backends.mha.set_fastpath_enabled(False)
    logging.disable(logging.ERROR)
    try:
        with (
            torch.no_grad(),
            warnings.catch_warnings(),
            Path(os.devnull).open("w") as nowhere,
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        torch.backends.mha.set_fastpath_enabled(fast)
