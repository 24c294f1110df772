"""Folder of an embedded model: started before training and complete after it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmbench.adapters.open_clip.recipe import MERGES
from mmbench.adapters.tiny.training import merges
from mmbench.adapters.tiny.training.recipe import Recipe

CONFIG = "open_clip_config.json"
WEIGHTS = "open_clip_model.safetensors"
_BYTES_AND_MARKS = 2 * 256 + 2


def begin(recipe: Recipe, texts: Iterable[str], folder: Path) -> None:
    """Write configuration and merges of a model for these texts."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = _BYTES_AND_MARKS + merges.write(texts, folder / MERGES)
    (folder / CONFIG).write_text(json.dumps(recipe.config(vocabulary), indent=2) + "\n", encoding="utf-8")


def fresh(folder: Path) -> Any:
    """Return an `open_clip.CoCa` by the folder's configuration, its weights drawn from torch's generator.

    open_clip leaves a CoCa's decoder as torch draws it and its projection as memory was; both are drawn here by the
    rule of the text tower.
    """
    import open_clip
    from torch import nn

    import mmbench.adapters.tiny.tower  # noqa: F401 - registers the towers

    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["model_cfg"]
    model = open_clip.CoCa(**{key: config[key] for key in config if key != "custom_text"})
    decoder = model.text_decoder
    std = decoder.width**-0.5
    for block in (*decoder.resblocks, *decoder.cross_attn):
        nn.init.normal_(block.attn.in_proj_weight, std=std)
        nn.init.normal_(block.attn.out_proj.weight, std=std * (4 * decoder.layers) ** -0.5)
        nn.init.normal_(block.mlp.c_fc.weight, std=std * 2**-0.5)
        nn.init.normal_(block.mlp.c_proj.weight, std=std * (4 * decoder.layers) ** -0.5)
    nn.init.normal_(decoder.text_projection, std=std)
    return model


def finish(model: Any, folder: Path) -> None:
    """Write the model's weights in half precision, with the same bytes for the same weights."""
    from safetensors.torch import save

    state = {name: tensor.detach().half().contiguous().cpu() for name, tensor in sorted(model.state_dict().items())}
    partial = folder / f".{WEIGHTS}.partial"
    partial.write_bytes(save(state, metadata={"format": "pt"}))
    partial.replace(folder / WEIGHTS)
