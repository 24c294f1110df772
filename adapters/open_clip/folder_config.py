"""Configuration of a folder that open_clip saved: known and harmless keys alone pass, within sizes that fit."""

import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from mmbench.adapters.shared import known_keys
from mmbench.adapters.shared.known_keys import KnownKeys
from mmbench.harness.errors import UsageError

_HEADS = Field(ge=1, le=256)
_WIDTH = Field(ge=1, le=16_384)
_LAYERS = Field(ge=1, le=256)

Width = Annotated[int, _WIDTH]
Heads = Annotated[int, _HEADS]
Layers = Annotated[int, _LAYERS]
Pixels = Annotated[int, Field(ge=1, le=4096)]
Queries = Annotated[int, Field(ge=1, le=4096)]
Ratio = Annotated[float, Field(gt=0, le=64)]
Share = Annotated[float, Field(ge=0, lt=1)]
Token = Annotated[int, Field(ge=0, le=4_000_000)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]*$", max_length=64)]
Tower = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$", max_length=200)]
"""Without a colon or a slash, by which timm would take a tower from the hub or from a folder."""
Repository = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?$", max_length=200)]
Brightness = Annotated[float, Field(ge=0, le=1)]
"""Of the brightest: a mean of 127 would be one of numbers up to 255, which no picture has here."""
Channels = Annotated[list[float], Field(min_length=3, max_length=3)]


class _Activation(KnownKeys):
    approximate: Literal["none", "tanh"] | None = None


class _Norm(KnownKeys):
    eps: Annotated[float, Field(gt=0, lt=1)] | None = None


class _Tokenizer(KnownKeys):
    """What shapes text; the other arguments of a tokenizer of the hub name files and code."""

    clean: Literal["canonicalize", "lower", "whitespace"] | None = None
    strip_sep_token: bool | None = None
    language: Word | None = None
    additional_special_tokens: list[str] | None = Field(default=None, max_length=1000)


class _Blocks(KnownKeys):
    """Keys that the transformers of both towers share."""

    mlp_ratio: Ratio | None = None
    ls_init_value: float | None = None
    final_ln_after_pool: bool | None = None
    pool_type: Word | None = None
    output_tokens: bool | None = None
    act_kwargs: _Activation | None = None
    norm_kwargs: _Norm | None = None
    block_type: Word | None = None
    qk_norm: bool | None = None
    scaled_cosine_attn: bool | None = None
    scale_heads: bool | None = None
    scale_attn_inner: bool | None = None
    scale_attn: bool | None = None
    scale_fc: bool | None = None


class _Vision(_Blocks):
    layers: Layers | Annotated[list[Layers], Field(min_length=4, max_length=4)] | None = None
    width: Width | None = None
    head_width: Width | None = None
    patch_size: Pixels | None = None
    image_size: Pixels | Annotated[list[Pixels], Field(min_length=2, max_length=2)] | None = None
    patch_dropout: Share | None = None
    attentional_pool: bool | Word | None = None
    attn_pooler_queries: Queries | None = None
    attn_pooler_heads: Heads | None = None
    no_ln_pre: bool | None = None
    pos_embed_type: Word | None = None
    timm_model_name: Tower | None = None
    timm_model_pretrained: bool | None = None
    timm_pool: Word | None = None
    timm_proj: Word | None = None
    timm_proj_bias: bool | None = None
    timm_drop: Share | None = None
    timm_drop_path: Share | None = None


class _Text(_Blocks):
    context_length: Annotated[int, Field(ge=1, le=8192)] | None = None
    vocab_size: Annotated[int, Field(ge=1, le=4_000_000)] | None = None
    hf_tokenizer_name: Repository | None = None
    tokenizer_mode: Word | None = None
    tokenizer_kwargs: _Tokenizer | None = None
    width: Width | None = None
    heads: Heads | None = None
    layers: Layers | None = None
    embed_cls: bool | None = None
    pad_id: Token | None = None
    eos_id: Token | None = None
    no_causal_mask: bool | None = None
    proj_bias: bool | None = None
    proj_type: Word | None = None
    hf_model_name: Repository | None = None
    hf_model_pretrained: bool | None = None
    hf_proj_type: Word | None = None
    hf_pooler_type: Word | None = None


class _Multimodal(_Text):
    dim_head: Width | None = None
    n_queries: Queries | None = None
    attn_pooler_heads: Heads | None = None


class _Model(KnownKeys):
    embed_dim: Width
    vision_cfg: _Vision
    text_cfg: _Text
    multimodal_cfg: _Multimodal | None = None
    custom_text: bool | None = None
    quick_gelu: bool | None = None
    init_logit_scale: float | None = None
    init_logit_bias: float | None = None
    nonscalar_logit_scale: bool | None = None
    output_dict: bool | None = None
    pad_id: Token | None = None


class _Preprocess(KnownKeys):
    size: Pixels | Annotated[list[Pixels], Field(min_length=2, max_length=2)] | None = None
    mode: Literal["RGB"] | None = None
    mean: Brightness | Annotated[list[Brightness], Field(min_length=3, max_length=3)] | None = None
    std: Annotated[float, Field(gt=0)] | Channels | None = None
    interpolation: Literal["bicubic", "bilinear", "random"] | None = None
    resize_mode: Literal["shortest", "longest", "squash"] | None = None
    fill_color: Annotated[int, Field(ge=0, le=255)] | None = None


class _File(KnownKeys):
    model_cfg: _Model
    preprocess_cfg: _Preprocess | None = None


def check_config(content: object, file: Path) -> None:
    """Raise UsageError, which names it, for a key that is not known, has another type or is out of bounds.

    A folder comes from anyone, and open_clip would hand its keys on to libraries that run code for some of them.
    """
    known_keys.check(_File, content, file, "a configuration has model_cfg with embed_dim, vision_cfg and text_cfg")


def check_fits(config: dict[str, Any], file: Path, weights: Path) -> None:
    """Raise UsageError where the towers have more weights than the checkpoint has bytes.

    Building them would take minutes and all memory before the checkpoint is found not to fit. What timm and the hub
    build is not counted.
    """
    least, held = _parameters(config), weights.stat().st_size
    if least > held:
        raise UsageError(
            f"{file}: 'model_cfg' asks for at least {least:,} weights, and {weights.name} has {held:,} bytes; "
            f"the configuration is another model's, or the checkpoint is cut short"
        )


def brings_code(config: Path) -> bool:
    """Tell whether a configuration of the hub names classes of its own, which only its own code can make."""
    try:
        return "auto_map" in json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False  # reading it will report what is wrong


def _parameters(config: dict[str, Any]) -> int:
    vision, text, above = config["vision_cfg"], config["text_cfg"], config.get("multimodal_cfg")
    known = 0 if vision.get("timm_model_name") else _pictures(vision)
    if not text.get("hf_model_name"):
        known += _blocks(text, 512) + _or(text, "vocab_size", 49_408) * _or(text, "width", 512)
    return known + (_blocks(above, 512) if above else 0)


def _pictures(vision: dict[str, Any]) -> int:
    layers = vision.get("layers")
    if isinstance(layers, list):  # a ResNet: three convolutions in a block, and twice the channels at each stage
        return sum(17 * count * (_or(vision, "width", 64) << stage) ** 2 for stage, count in enumerate(layers))
    size, patch = vision.get("image_size") or 224, _or(vision, "patch_size", 16)
    height, width = size if isinstance(size, list) else (size, size)
    return _blocks(vision, 768) + (height // patch) * (width // patch) * _or(vision, "width", 768)


def _blocks(tower: dict[str, Any], width: int) -> int:
    ratio = tower.get("mlp_ratio") or 4.0
    return math.floor(_or(tower, "layers", 12) * (4 + 2 * ratio) * _or(tower, "width", width) ** 2)


def _or(section: dict[str, Any], key: str, default: int) -> int:
    return int(section.get(key) or default)
