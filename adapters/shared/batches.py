"""Batches of prepared pictures on their way to a device, and towers laid out and compiled for its kernels."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mmbench.adapters.shared.asking import ask
from mmbench.harness.errors import UsageError
from mmbench.harness.foreign import described

if TYPE_CHECKING:
    import torch


def stacked(pictures: "Sequence[torch.Tensor]", like: "torch.Tensor") -> "torch.Tensor":
    """Return tensors of one shape as one batch, on the device of a weight and in its layout.

    On the way to a GPU it lies in pinned memory, so that it is copied while the GPU still computes.
    """
    import torch

    batch = torch.empty((len(pictures), *pictures[0].shape), dtype=pictures[0].dtype, pin_memory=like.is_cuda)
    torch.stack(list(pictures), out=batch)
    moved = batch.to(like.device, non_blocking=True)
    last = torch.channels_last
    if moved.ndim == 4 and like.ndim == 4 and like.is_contiguous(memory_format=last) and not like.is_contiguous():
        return moved.contiguous(memory_format=last)
    return moved


def first_filter(tower: Any) -> "torch.Tensor":
    """Return the weights that a tower reads pictures with, the first of four dimensions; else its first."""
    found: torch.Tensor | None = next((weight for weight in tower.parameters() if weight.ndim == 4), None)
    return next(tower.parameters()) if found is None else found


def lay_out(tower: Any) -> None:
    """Lay the filters of a convolutional tower out by pixels, channels last, as the kernels of a GPU want them.

    A tower that only cuts pictures into patches has one convolution, and gains nothing. The numbers stay what they are,
    but for the order of sums.
    """
    import torch

    if sum(isinstance(module, torch.nn.Conv2d) for module in tower.modules()) > 1:
        tower.to(memory_format=torch.channels_last)


def compile_tower(model: Any, tower: Any, trial: Callable[[], Any], label: str) -> None:
    """Compile a tower for batches of any size, and ask a trial of it, so that this takes none of its answers' time.

    Raises UsageError where this machine cannot.
    """
    tower.compile(dynamic=True)
    try:
        ask(model, trial)
    except Exception as error:  # of a compiler that is not here, or of whatever it meets
        raise UsageError(
            f"{label}: torch.compile fails on this machine ({described(error)}); leave out ,compile=true"
        ) from error
