"""Training recipe of an embedded model: its architecture and hyper-parameters, as figures."""

from collections.abc import Mapping
from dataclasses import dataclass

from mmbench.adapters.tiny.tower import IMAGE_SIZE
from mmbench.harness.digest import Json


@dataclass(frozen=True, slots=True)
class Recipe:
    """An embedded model, all of it but its seed and its vocabulary."""

    tower: str
    """Name of the vision tower in timm's registry."""
    embed_dim: int
    """Length of the vectors."""
    width: int
    """Width of the text tower, the decoder and the vision tower."""
    steps: int
    """Optimiser steps of the shipped model."""
    layers: int = 2
    """Number of layers of the text tower, and of the decoder."""
    heads: int = 4
    """Number of heads of each attention."""
    context: int = 32
    """Most tokens of a text, start and end included."""
    batch: int = 64
    """Pictures of a step; divides the rows of a block."""
    rate: float = 2e-3
    """Highest learning rate."""
    warm_up: int = 500
    """Steps until it is reached."""
    betas: tuple[float, float] = (0.9, 0.98)
    """Decay rates of AdamW's two moments."""
    decay: float = 0.05
    """Weight decay of matrices; norms, biases and embeddings have none."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    contrastive: float = 1.0
    """Weight of the contrastive loss."""
    caption: float = 0.7
    """Weight of the captioning loss."""
    answer: float = 1.5
    """Weight of the question-answering loss."""
    dense: float = 0.5
    """Weight of each respect in which patches are asked what lies there."""
    facts: float = 1.0
    """Weight of what is asked of a picture's vector: attributes, which shape has which colour, how things stand."""

    def config(self, vocabulary: int) -> dict[str, Json]:
        """Return the content of `open_clip_config.json` for this many tokens."""
        text: dict[str, Json] = {
            "context_length": self.context,
            "vocab_size": vocabulary,
            "width": self.width,
            "heads": self.heads,
            "layers": self.layers,
        }
        model: dict[str, Json] = {
            "embed_dim": self.embed_dim,
            "custom_text": True,
            "vision_cfg": {
                "image_size": IMAGE_SIZE,
                "timm_model_name": self.tower,
                "timm_pool": "",
                "timm_proj": "none",
            },
            "text_cfg": {**text, "embed_cls": True, "output_tokens": True},
            "multimodal_cfg": text,
        }
        preprocessing: dict[str, Json] = {
            "mean": [GREY] * 3,
            "std": [GREY] * 3,
            "interpolation": "bicubic",
            "resize_mode": "shortest",
        }
        return {"model_cfg": model, "preprocess_cfg": preprocessing}


GREY = 0.5
"""Mean and standard deviation by which pictures are scaled to -1..1."""

RECIPES: Mapping[str, Recipe] = {
    "tiny": Recipe(tower="mmbench_tiny", embed_dim=256, width=128, steps=9_000),
    "micro": Recipe(tower="mmbench_micro", embed_dim=128, width=64, steps=1_200),
}
