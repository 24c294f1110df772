"""Model source shared by the abilities of an open_clip adapter: the loaded model, its inputs and its batches."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mmbench.adapters.shared import batches
from mmbench.harness.models.abilities import Prepared

if TYPE_CHECKING:
    import torch


class Source(Protocol):
    """Source of model, transform and tokenizer: files, loaded when first asked, or memory."""

    @property
    def fingerprint(self) -> str:
        """Identity of the model."""

    @property
    def device(self) -> str:
        """Device of the model: `cpu`, `cuda` or `cuda:N`."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the model's scores should know; told after the fingerprint."""

    @property
    def captions(self) -> bool:
        """True where the model also writes texts; known before it is loaded."""

    @property
    def tunes(self) -> bool:
        """True where prompts can be learnt through the text tower; known before it is loaded."""

    @property
    def model(self) -> Any:
        """An open_clip model."""

    @property
    def preprocess(self) -> Callable[[Any], Any]:
        """PIL image to a (3, height, width) tensor."""

    @property
    def tokenizer(self) -> Any:
        """Texts to a (n, context) tensor of token ids."""

    @property
    def parameters(self) -> int | None:
        """Number of weights; None until they are loaded."""

    def download_size(self) -> int | None:
        """Bytes still to be fetched."""

    def weight_files(self) -> list[Path]:
        """Return the files that loading reads. Raises WeightsUnavailable."""

    def hub_repository(self) -> str | None:
        """Return the repository of the hub that the weights come from."""


def stacked(visual: Any, images: list[Prepared]) -> "torch.Tensor":
    """Return prepared pictures as one batch, on the device and in the dtype of the vision tower."""
    # The first convolution tells the input's device and dtype: at fp16 open_clip keeps other parameters float32.
    like = batches.first_filter(visual)
    return batches.stacked(images, like).to(like.dtype)
