"""Models of torch asked without traces: eval mode, no gradients, and memory that ran out told as such."""

from collections.abc import Callable
from typing import Any, TypeVar

from mmbench.harness.errors import OutOfMemory

T = TypeVar("T")


def count_parameters(model: Any) -> int:
    """Return the number of a module's weights."""
    return sum(parameter.numel() for parameter in model.parameters())


def ask(model: Any, question: Callable[[], T]) -> T:
    """Return what `question` returns, with `model` in eval mode and without gradients; its modes are then restored.

    Raises OutOfMemory.
    """
    import torch

    training = [module for module in model.modules() if module.training]
    if training:
        model.eval()
    try:
        with torch.inference_mode():
            return question()
    except RuntimeError as error:
        said = str(error)
        if not isinstance(error, torch.OutOfMemoryError) and not _is_cpu_memory(said):
            raise
    finally:
        # Module by module: a part that was frozen in eval mode must stay so.
        for module in training:
            module.training = True
    # Raised out here because a chained error would keep the frames, and with them the tensors, of the failed pass.
    raise OutOfMemory(said)


def _is_cpu_memory(message: str) -> bool:
    return "DefaultCPUAllocator" in message or "not enough memory" in message
