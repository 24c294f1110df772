"""Models of open_clip for the export."""

from typing import Any

from mmbench.adapters.onnx.export.simple_tokenizer import tokenizer_json
from mmbench.adapters.onnx.export.source import Exportable
from mmbench.adapters.onnx.manifest import Text
from mmbench.adapters.open_clip import towers
from mmbench.adapters.open_clip.adapter import OpenClip
from mmbench.adapters.open_clip.text_tower import CausalTower
from mmbench.adapters.shared.preparation import Preparation
from mmbench.harness.errors import UsageError

_STEPS = {
    "_clean_lower": ["mend", "unescape", "whitespace", "lower"],
    "_clean_whitespace": ["mend", "unescape", "whitespace"],
    "_clean_canonicalize": ["mend", "unescape", "punctuation", "lower", "whitespace"],
}
"""What open_clip's functions that clean a text do, by their names."""


def exportable(adapter: OpenClip) -> Exportable:
    """Return the towers of a model, which is loaded. Raises UsageError and WeightsUnavailable."""
    import torch

    model, tokenizer = adapter.source.model, adapter.source.tokenizer
    causal = CausalTower.of(model)

    class Image(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
            embedding, features = towers.images(self.model, pixels)
            return (embedding,) if features is None else (embedding, features)

    class Words(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            if causal is None:
                encoded: torch.Tensor = self.model.encode_text(ids, normalize=False)
                return encoded
            return causal.at_ends(ids, causal.ends(ids))

    written, padding = _tokenizer(tokenizer)
    return Exportable(
        adapter=adapter,
        image=Image(),
        features=towers.splits(model.visual),
        text=Words(),
        preparation=_preparation(model),
        prepared=lambda picture: adapter.prepare_image(picture).numpy(),
        tokenizer=written,
        texts=Text(
            steps=_steps(tokenizer),  # type: ignore[arg-type]
            context=int(tokenizer.context_length),
            padding=padding,
            length="context" if causal is None else "longest",
            mask=False,
        ),
        tokens=lambda texts: tokenizer(texts).tolist(),
        notes=("its encoders alone; the decoder that writes texts is left out",) if adapter.source.captions else (),
    )


def _preparation(model: Any) -> Preparation:
    said = model.visual.preprocess_cfg
    size = said["size"]
    height, width = size if isinstance(size, tuple | list) else (size, size)
    mode, interpolation = said["resize_mode"], said["interpolation"]
    if mode == "shortest" and height != width:
        mode, interpolation = "cover", "bicubic"  # whatever is asked for, as open_clip has it
    return Preparation(
        resize=mode,
        edge=height if mode == "shortest" else None,
        interpolation="bilinear" if interpolation == "bilinear" else "bicubic",
        height=height,
        width=width,
        margin="even",
        fill=int(said["fill_color"]),
        mean=[float(each) for each in said["mean"]],
        std=[float(each) for each in said["std"]],
    )


def _steps(tokenizer: Any) -> list[str]:
    name = str(getattr(getattr(tokenizer, "clean_fn", None), "__name__", ""))
    if name not in _STEPS:
        raise UsageError("its tokenizer cleans texts in a way that no file can say")
    return _STEPS[name]


def _tokenizer(tokenizer: Any) -> tuple[str, int]:
    """Return the file of a tokenizer, and its padding."""
    inner = getattr(tokenizer, "tokenizer", None)
    if inner is None:
        return tokenizer_json(tokenizer), 0
    if not getattr(inner, "is_fast", False):
        raise UsageError("its tokenizer has no form as a tokenizer.json")
    return inner.backend_tokenizer.to_str(), int(inner.pad_token_id or 0)
