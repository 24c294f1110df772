"""Weights as files hold them: numbers that stand for others, and weights that are another model's, are refused."""

import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmbench.adapters.hf.checkpoint import Checkpoint
from mmbench.harness.errors import UsageError
from mmbench.harness.render.plain import plain

_LONGEST_HEAD = 100_000_000
_SCALED = ("I4", "U4", "I8", "U8", "F4", "F6", "F8")
"""Dtypes in which weights need a scale, as safetensors names them."""


def check_numbers(checkpoint: Checkpoint) -> None:
    """Raise UsageError for quantised weights where nothing says what their numbers stand for.

    transformers would take an 8 for 8.0.
    """
    if "quantization_config" in checkpoint.config:
        return
    for file in checkpoint.weights:
        for name, told in _tensors(file):
            if len(told.get("shape", ())) > 1 and str(told.get("dtype")).startswith(_SCALED):
                raise UsageError(
                    f"{checkpoint.label}: {file.name} has {plain(name, 80)} in {told['dtype']}, and config.json has no "
                    "quantization_config that says what its numbers stand for; take the whole checkpoint, or one that "
                    "is not quantised"
                )


def check_filled(label: str, told: Mapping[str, Any]) -> None:
    """Raise UsageError where weights do not fill the model, by what transformers tells of its loading."""
    other = (each if isinstance(each, str) else each[0] for each in told["mismatched_keys"])
    lacking = sorted({*told["missing_keys"], *other})
    if lacking:
        spare = sorted(map(str, told["unexpected_keys"]))
        wrapped = f", or were saved in a wrapper: they have {_some(spare)}" if spare else ""
        raise UsageError(
            f"{label}: its files have no weights, or of another shape, for {_some(lacking)}; they are another model's"
            f"{wrapped}"
        )


def _some(names: list[str]) -> str:
    return plain(f"{', '.join(names[:3])}{', …' if len(names) > 3 else ''}", 300)


def _tensors(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the name of each tensor of a safetensors file with its dtype and shape; nothing of other files."""
    if file.suffix != ".safetensors":
        return
    try:
        with file.open("rb") as opened:
            (length,) = struct.unpack("<Q", opened.read(8))
            head = json.loads(opened.read(min(length, _LONGEST_HEAD)))
    except (OSError, ValueError, RecursionError, struct.error):
        return  # loading says what is wrong
    for name, told in head.items() if isinstance(head, dict) else ():
        if isinstance(told, dict) and name != "__metadata__":
            yield name, told
