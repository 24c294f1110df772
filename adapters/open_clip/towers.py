"""Pass through the vision tower of an open_clip model, which gives two kinds of vectors where it has them."""

from typing import TYPE_CHECKING, Any

from mmbench.adapters.open_clip.source import stacked
from mmbench.adapters.shared import batches

if TYPE_CHECKING:
    import torch


def images(model: Any, batch: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor | None]":
    """Return (n, d) vectors of prepared pictures, and the (n, width) vectors before the projection where it has one."""
    visual = model.visual
    if not splits(visual):
        return model.encode_image(batch, normalize=False), None
    # The steps of VisionTransformer.forward, which gives only the projected vector; a test holds the two equal.
    pooled, _ = visual._pool(visual.transformer(visual._embeds(batch)))
    return pooled @ visual.proj, pooled


def compile_images(model: Any, size: tuple[int, int], label: str) -> None:
    """Compile what of a model sees pictures of this height and width. Raises UsageError where this machine cannot."""
    import torch

    visual = model.visual
    black = [torch.zeros(3, *size)] * 2
    tower = visual.transformer if splits(visual) else visual  # what `images` calls
    batches.compile_tower(model, tower, lambda: images(model, stacked(visual, black)), label)


def splits(visual: Any) -> bool:
    """Tell whether a vision tower has vectors before its projection."""
    from open_clip.transformer import VisionTransformer

    return type(visual) is VisionTransformer and visual.proj is not None
