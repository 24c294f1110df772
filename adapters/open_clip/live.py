"""In-memory open_clip model as an adapter, so that a training loop can benchmark it between two steps."""

import hashlib
from collections.abc import Callable
from typing import Any

from mmbench.adapters.open_clip.recipe import ADAPTER_VERSION
from mmbench.adapters.open_clip.source import count_parameters
from mmbench.adapters.open_clip.text_tower import CausalTower
from mmbench.harness.digest import Json, digest_bytes, digest_json


class Live:
    """A model as it is at this moment; its device and dtype are those of its parameters."""

    def __init__(self, model: Any, preprocess: Callable[[Any], Any], tokenizer: Any) -> None:
        self.model = _unwrapped(model)
        self.preprocess = preprocess
        self.tokenizer = tokenizer

    @property
    def fingerprint(self) -> str:
        """Identity of the current state, computed anew each time because training changes it."""
        return digest_json(
            {
                "adapter": ["open_clip", ADAPTER_VERSION, "live"],
                "architecture": [type(self.model).__qualname__, repr(self.model), _pooling(self.model)],
                "weights": _state_digest(self.model),
                "preprocessing": repr(self.preprocess),
                "tokenizer": _tokenizer_identity(self.tokenizer),
            }
        )

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


def _unwrapped(model: Any) -> Any:
    # DistributedDataParallel and torch.compile hide the methods, or prefix the names, of the model they wrap.
    for inside in ("module", "_orig_mod"):
        model = getattr(model, inside, model)
    return model


def _state_digest(model: Any) -> str:
    import torch

    total = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        values = tensor.detach().cpu().contiguous()
        total.update(f"{name} {values.dtype} {tuple(values.shape)}\n".encode())
        # As bytes, since NumPy has no bfloat16; 0-d tensors cannot change their item size, so they are flattened.
        total.update(memoryview(values.reshape(-1).view(torch.uint8).numpy()))
    return total.hexdigest()


def _pooling(model: Any) -> Json:
    # Decides the vectors but stands in no parameter and in no repr.
    text = getattr(model, "text", model)
    return [
        str(getattr(owner, name, None))
        for owner, name in ((model.visual, "pool_type"), (text, "pool_type"), (text, "text_pool_type"))
    ]


def _tokenizer_identity(tokenizer: Any) -> Json:
    inner = getattr(tokenizer, "tokenizer", None)
    vocabulary = getattr(tokenizer, "encoder", None) if inner is None else inner.get_vocab()
    kind = tokenizer if hasattr(tokenizer, "__qualname__") else type(tokenizer)
    return {
        "kind": f"{kind.__module__}.{kind.__qualname__}",
        "vocabulary": digest_bytes(repr(sorted(vocabulary.items())).encode()) if vocabulary else None,
        "clean": getattr(getattr(tokenizer, "clean_fn", None), "__name__", None),
        "reduction": repr(getattr(tokenizer, "reduction_fn", None)),
        "strip_sep": getattr(tokenizer, "strip_sep_token", None),
        "mode": getattr(tokenizer, "tokenizer_mode", None),
        "context_length": getattr(tokenizer, "context_length", None),
    }
