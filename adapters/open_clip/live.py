"""In-memory open_clip model as an adapter, so that a training loop can benchmark it between two steps."""

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmbench.adapters.open_clip.recipe import ADAPTER_VERSION
from mmbench.adapters.open_clip.text_tower import CausalTower
from mmbench.adapters.shared.asking import count_parameters
from mmbench.adapters.shared.identity import identify
from mmbench.harness.digest import digest_json


class Live:
    """A model as it is at this moment; its device and dtype are those of its parameters."""

    def __init__(self, model: Any, preprocess: Callable[[Any], Any], tokenizer: Any) -> None:
        self.model = _unwrapped(model)
        self.preprocess = preprocess
        self.tokenizer = tokenizer
        self.notes: tuple[str, ...] = ()
        """Set as the fingerprint is read: what of the model could not be identified."""

    @property
    def fingerprint(self) -> str:
        """Identity of the current state, computed anew each time because training changes it."""
        own = {"model": self.model, "preprocess": self.preprocess, "tokenizer": self.tokenizer}
        parts = {**own, "hooks": _hooks()}
        made, unknown = identify(parts, _tokenizer_parts)
        self.notes = _notes(unknown)
        # Where a part could have changed unseen, no earlier answer may be taken for one of this state.
        return digest_json({"adapter": ["open_clip", ADAPTER_VERSION, "live"], "made": made, "once": _once(unknown)})

    @property
    def device(self) -> str:
        """Device of the first parameter."""
        return str(next(self.model.parameters()).device)

    @property
    def captions(self) -> bool:
        """Whether the model also writes texts; what `Recipe.captions` tells from a configuration."""
        causal = getattr(getattr(self.model, "text", None), "attn_mask", None) is not None
        return causal and hasattr(self.model, "text_decoder") and hasattr(self.tokenizer, "eot_token_id")

    @property
    def tunes(self) -> bool:
        """Whether prompts can be learnt through the text tower; what `Recipe.tunes` tells from a configuration."""
        from_hub = getattr(self.tokenizer, "tokenizer", None) is not None
        return not from_hub and CausalTower.of(self.model) is not None

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return count_parameters(self.model)

    def download_size(self) -> int:
        """Return 0."""
        return 0

    def weight_files(self) -> list[Path]:
        """Return none: the model is in memory."""
        return []

    def hub_repository(self) -> None:
        """Return None: the model is in memory."""


def _unwrapped(model: Any) -> Any:
    # DistributedDataParallel and torch.compile hide the methods, or prefix the names, of the model they wrap.
    for inside in ("module", "_orig_mod"):
        model = getattr(model, inside, model)
    return model


def _hooks() -> list[object]:
    from torch.nn.modules import module

    return [*module._global_forward_pre_hooks.values(), *module._global_forward_hooks.values()]


def _once(unknown: list[str]) -> str | None:
    return secrets.token_hex(16) if unknown else None


def _notes(unknown: list[str]) -> tuple[str, ...]:
    if not unknown:
        return ()
    more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
    return (f"answers of this model are not remembered, since it cannot be identified: {', '.join(unknown[:3])}{more}",)


def _tokenizer_parts(value: Any) -> object | None:
    """Return what decides how texts become tokens, where the rest of a tokenizer changes with what it has read."""
    if hasattr(value, "bpe_ranks") and isinstance(getattr(value, "cache", None), dict):  # open_clip's own
        return {name: part for name, part in vars(value).items() if name != "cache"}
    if not callable(getattr(value, "get_vocab", None)):
        return None
    # One of the hub: its Rust part keeps the length of the last call, and says in JSON all else that it is made of.
    rust = getattr(value, "backend_tokenizer", None)
    described = json.loads(rust.to_str()) if rust is not None else {}
    texts = {name: part for name, part in described.items() if name not in ("truncation", "padding")}
    sides = {name: getattr(value, name, None) for name in ("padding_side", "truncation_side", "all_special_ids")}
    return {"vocabulary": value.get_vocab(), "rust": texts, "given": getattr(value, "init_kwargs", None), **sides}
