"""Prompt read once by a model of transformers that sees and writes, and gone on from in many ways at a time."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import torch

Inputs: TypeAlias = "Mapping[str, torch.Tensor]"
"""What the processor makes of one prompt with its pictures, on the device of the model: a batch of one."""

_BY_TOKEN = ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids")
"""Inputs that have one number a token."""


@dataclass(frozen=True)
class Read:
    """A prompt with its pictures as the model has read it."""

    next_logits: "torch.Tensor"
    """(vocabulary,) of the token behind the prompt."""
    state: Any
    """Keys and values of what was read, of a batch of one."""
    step: "Callable[[torch.Tensor, Any], Any]"
    """Passes (rows, length) tokens behind the prompt through the model, given the state for as many rows."""

    def go_on(self, ids: "torch.Tensor") -> "torch.Tensor":
        """Return the (rows, length, vocabulary) logits behind each token of (rows, length) texts after the prompt.

        Rows are padded at their end.
        """
        import torch

        state = copy.deepcopy(self.state)
        state.reorder_cache(torch.zeros(len(ids), dtype=torch.long, device=ids.device))
        logits: torch.Tensor = self.step(ids, state).logits
        return logits

    def size(self) -> int:
        """Return the bytes of the state."""
        return sum(each.nbytes for each in _tensors(self.state))


def read(model: Any, inputs: Inputs) -> Read:
    """Return a prompt as the model has read it; call it under `inference_mode`."""
    if model.config.model_type == "blip":
        return _read_blip(model, inputs)
    if getattr(model.config, "is_encoder_decoder", False):
        return _read_by_encoder(model, inputs)
    import torch

    turned = next((module for module in (model, getattr(model, "model", None)) if hasattr(module, "rope_deltas")), None)
    if turned is not None:
        # Qwen keeps how far positions run behind tokens from one pass to the next, also past a prompt without pictures.
        turned.rope_deltas = None
    made = model(**inputs, use_cache=True, logits_to_keep=1)
    # BLIP-2 puts pictures before any text, so that its whole model cannot go on without them.
    inner = model.language_model if model.config.model_type == "blip-2" else model
    key, state = _state(made)
    read_so_far = inputs["input_ids"].shape[1]

    def step(ids: "torch.Tensor", state: Any) -> Any:
        places = {}
        if turned is not None:
            behind = 0 if turned.rope_deltas is None else int(turned.rope_deltas)
            row = torch.arange(ids.shape[1], device=ids.device) + read_so_far + behind
            places["position_ids"] = row.expand(3, *ids.shape)
        return inner(input_ids=ids, **{key: state}, **places, use_cache=True)

    return Read(made.logits[0, -1], state, step)


def shortened(inputs: Any, tokens: int) -> Any:
    """Return the inputs without so many of the last tokens, none of which stands for a picture."""
    for name in _BY_TOKEN if tokens else ():
        if name in inputs:
            inputs[name] = inputs[name][:, :-tokens]
    return inputs


def _read_blip(model: Any, inputs: Inputs) -> Read:
    import torch

    seen = model.vision_model(pixel_values=inputs["pixel_values"]).last_hidden_state
    # The end token of the prompt is not read, and its first token is that of the decoder, as when the model writes.
    ids = inputs["input_ids"][:, :-1].clone()
    ids[:, 0] = model.config.text_config.bos_token_id

    def step(ids: "torch.Tensor", state: Any, key: str = "") -> Any:
        rows = seen.expand(len(ids), -1, -1)
        mask = torch.ones(rows.shape[:2], dtype=torch.long, device=rows.device)
        past = {key: state} if state is not None else {}
        return model.text_decoder(
            input_ids=ids, encoder_hidden_states=rows, encoder_attention_mask=mask, **past, use_cache=True
        )

    made = step(ids, None)
    key, state = _state(made)
    return Read(made.logits[0, -1], state, lambda ids, state: step(ids, state, key))


def _read_by_encoder(model: Any, inputs: Inputs) -> Read:
    import torch
    from transformers.modeling_outputs import BaseModelOutput

    start = torch.tensor([decoder_start(model)], device=model.device)
    made = model(**inputs, decoder_input_ids=start, use_cache=True)
    inner = model.language_model if model.config.model_type == "blip-2" else model
    encoded = getattr(made, "language_model_outputs", made).encoder_last_hidden_state
    key, state = _state(made)

    def step(ids: "torch.Tensor", state: Any) -> Any:
        return inner(
            encoder_outputs=BaseModelOutput(last_hidden_state=encoded.expand(len(ids), -1, -1)),
            attention_mask=inputs["attention_mask"].expand(len(ids), -1),
            decoder_input_ids=ids,
            **{key: state},
            use_cache=True,
        )

    return Read(made.logits[0, -1], state, step)


def decoder_start(model: Any) -> list[int]:
    """Return the tokens that a decoder behind an encoder starts with: BART's is made to begin with a second one."""
    told, config = model.generation_config, model.config.text_config
    start = told.decoder_start_token_id
    start = config.decoder_start_token_id if start is None else start
    forced = told.forced_bos_token_id
    forced = getattr(config, "forced_bos_token_id", None) if forced is None else forced
    return [start] if forced is None else [start, forced]


def _state(made: Any) -> tuple[str, Any]:
    """Return the keys and values of a pass, and the name by which a model takes them: it changed in transformers 5."""
    inner = getattr(made, "language_model_outputs", made)
    for key in ("cache", "past_key_values"):
        if getattr(inner, key, None) is not None:
            return key, getattr(inner, key)
    raise TypeError("the model keeps no keys and values of what it has read")


def _tensors(state: Any) -> "list[torch.Tensor]":
    caches = [getattr(state, f"{name}_attention_cache", None) for name in ("self", "cross")]
    layers = [layer for cache in caches if cache is not None for layer in cache.layers] or state.layers
    import torch

    return [each for layer in layers for each in vars(layer).values() if isinstance(each, torch.Tensor)]
