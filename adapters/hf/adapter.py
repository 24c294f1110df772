"""Adapters of transformers by their spec."""

from typing import TypeAlias

from mmbench.adapters.hf.dual_encoder import DualEncoder
from mmbench.adapters.hf.generative import VisionLanguageModel
from mmbench.adapters.hf.language import LanguageModel
from mmbench.adapters.hf.source import FromFiles
from mmbench.adapters.hf.spec import parse
from mmbench.adapters.hf.video_text import VideoTextModel
from mmbench.adapters.shared import device as devices

Model: TypeAlias = DualEncoder | LanguageModel | VisionLanguageModel


def from_spec(rest: str, *, device: str, dtype: str, offline: bool) -> Model:
    """Return the adapter for what follows `hf:`; neither torch nor transformers is imported.

    `rest` is `ORG/NAME`, `ORG/NAME@REVISION` or a folder as transformers saves it. Behind it `,backend=pil` or
    `,backend=torchvision` chooses what prepares pictures; for a model that writes `,max_pixels=N` and `,min_pixels=N`
    limit their size, `,video=frames` shows it clips as pictures, and `,system=TEXT`, the last option, is what its chat
    begins with. `device` is `auto`, `cpu`, `cuda` or `cuda:N`; `dtype` is `auto` (fp16 on a GPU), `fp32`, `fp16` or
    `bf16`. Raises UsageError.
    """
    place, asked = parse(rest)
    device, dtype = devices.resolve(device, dtype)
    source = FromFiles(place, asked, device=device, dtype=dtype, offline=offline)
    source.check_here()
    kind = source.kind_at_once
    if kind is not None and kind.writes is not None:
        return VisionLanguageModel(source)
    if kind is not None and kind.beside:
        return VideoTextModel(source)
    return DualEncoder(source) if kind is None or kind.sees else LanguageModel(source)
