"""Where a model's weights go: on its device, or over several where one is too small or the weights are quantised."""

import importlib.util
from collections.abc import Callable, Mapping

from mmbench.adapters.hf.checkpoint import Checkpoint
from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError

_BYTES: Mapping[str, int] = {"fp32": 4, "fp16": 2, "bf16": 2, "float32": 4, "float16": 2, "bfloat16": 2}
_SHARE = 0.9
"""Of the free memory what weights may take; pictures and what is written need the rest."""


def placement(checkpoint: Checkpoint, device: str, dtype: str, free: Callable[[], int]) -> Mapping[str, Json]:
    """Return arguments of `from_pretrained` that place a model; none where it is built and then moved to its device.

    `free` tells the bytes free on the device, and is asked for `cuda` alone: a numbered GPU is a person's choice, which
    is kept. Raises UsageError where accelerate, which places weights as they are read, is needed and is not there.
    """
    if checkpoint.kind.writes is None:
        return {}
    quantised = "quantization_config" in checkpoint.config
    spread = device == "cuda" and _size(checkpoint, dtype, quantised) > _SHARE * free()
    if not quantised and not spread:
        return {}
    if importlib.util.find_spec("accelerate") is None:
        reason = "its weights are quantised" if quantised else f"it is larger than the free memory of {device}"
        raise UsageError(
            f"{checkpoint.label}: {reason}, and to place them takes accelerate; pip install 'mmbench[large]'"
        )
    return {"device_map": "auto" if spread else {"": device}}


def _size(checkpoint: Checkpoint, dtype: str, quantised: bool) -> float:
    held = sum(file.stat().st_size for file in checkpoint.weights)
    stored = _BYTES.get(checkpoint.stored, 0)
    return held if quantised or not stored else held * _BYTES[dtype] / stored
