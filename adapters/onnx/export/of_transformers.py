"""Dual encoders of transformers for the export."""

from typing import Any

import PIL.Image

from mmbench.adapters.hf import towers
from mmbench.adapters.hf.dual_encoder import DualEncoder
from mmbench.adapters.onnx.export.source import Exportable
from mmbench.adapters.onnx.manifest import Text
from mmbench.adapters.shared.preparation import Preparation
from mmbench.harness.errors import UsageError

_PIXELS = "pixel_values"


def exportable(adapter: DualEncoder) -> Exportable:
    """Return the towers of a model, which is loaded. Raises UsageError and WeightsUnavailable."""
    import torch

    source = adapter.source
    if source.kind.texts is None:
        raise UsageError("it embeds texts only together with a picture, and two graphs apart cannot")
    if source.backend != "pil":
        raise UsageError(
            "its pictures are prepared by torchvision, and those of an exported folder by PIL; add ,backend=pil behind "
            "the spec to export the model so, whose pictures differ in rounding"
        )
    made = adapter.prepare_image(PIL.Image.new("RGB", (64, 48)))
    if set(made) != {_PIXELS} or made[_PIXELS].ndim != 3:
        raise UsageError("it takes pictures of any shape as patches (NaFlex), and one graph for all of them cannot")
    model, kind = source.model, source.kind

    class Image(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
            embedding, features = towers.images(self.model, {_PIXELS: pixels})
            return (embedding,) if features is None else (embedding, features)

    class Words(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
            given = {"input_ids": ids} if mask is None else {"input_ids": ids, "attention_mask": mask}
            return towers.texts(self.model, given)

    with torch.inference_mode():
        _, features = towers.images(model, {_PIXELS: made[_PIXELS][None]})
    return Exportable(
        adapter=adapter,
        image=Image(),
        features=features is not None,
        text=Words(),
        preparation=_preparation(source.pictures, made[_PIXELS].shape),
        prepared=lambda picture: adapter.prepare_image(picture)[_PIXELS].numpy(),
        tokenizer=_tokenizer(source.texts),
        texts=Text(
            steps=["lower"] if kind.lower else [],
            context=source.context,
            padding=source.padding,
            length="context" if kind.texts == "full" else "longest",
            mask=kind.texts == "masked",
        ),
        tokens=lambda texts: adapter.tokens(texts, cut=True),
    )


def _tokenizer(tokenizer: Any) -> str:
    if not getattr(tokenizer, "is_fast", False):
        raise UsageError("its tokenizer has no form as a tokenizer.json")
    return str(tokenizer.backend_tokenizer.to_str())


def _preparation(processor: Any, shape: Any) -> Preparation:
    """Return what an image processor does, by its settings; the export then holds its pictures against these."""

    def said(name: str) -> Any:
        return getattr(processor, name, None)

    if said("rescale_offset") or (said("do_rescale") and said("rescale_factor") != 1 / 255) or not said("do_rescale"):
        raise UsageError("it scales pictures otherwise than from 0 to 1, which no exported folder does")
    size = dict(said("size") or {})
    edge = size.get("shortest_edge")
    resize = ("squash" if edge is None else "shortest") if said("do_resize") else "none"
    normalises = bool(said("do_normalize"))
    # EfficientNet's own divides once more by the deviations where it prepares for the classifier.
    power = 2 if said("include_top") else 1
    return Preparation(
        resize=resize,  # type: ignore[arg-type]
        edge=edge if resize == "shortest" else None,
        interpolation=PIL.Image.Resampling(int(said("resample") or 0)).name.lower(),  # type: ignore[arg-type]
        height=int(shape[1]),
        width=int(shape[2]),
        margin="floor",
        mean=[float(each) for each in said("image_mean")] if normalises else [0.0] * 3,
        std=[float(each) ** power for each in said("image_std")] if normalises else [1.0] * 3,
    )
