"""Options scored by how likely they are after a prompt: their tokens, and passes that share the prompt."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mmbench.adapters.hf.reading import Inputs, Read, read
from mmbench.harness.errors import AdapterError

if TYPE_CHECKING:
    import torch

_STATES = {"cpu": 1 << 30, "cuda": 4 << 30}
"""Most bytes of keys and values that a pass holds, by kind of device: each option has the prompt's. Where they do not
fit, fewer options share a pass."""
_LOGITS = 1 << 27
"""Most logits of a pass: each token has a row of them as wide as the vocabulary."""


@dataclass(frozen=True, slots=True)
class Option:
    """A text behind a prompt, in tokens."""

    ids: tuple[int, ...]
    """The tokens behind those of the prompt that are the same for all options."""
    given: int = 0
    """How many of the first belong to the prompt: it is read with the beginning of this text in one token."""


def tokens(tokenizer: Any, prompt: str, gap: str, texts: Sequence[str]) -> list[tuple[list[int], list[int]]]:
    """Return for each text the tokens of prompt, gap and text read as one, and the places of those beyond the prompt.

    A token that reaches over the end of the prompt counts. Raises ValueError for a text without tokens, and for one
    with characters that the tokenizer does not know.
    """
    made = tokenizer([f"{prompt}{gap}{text}" for text in texts], return_offsets_mapping=True, verbose=False)
    found = []
    for text, ids, spans in zip(texts, made["input_ids"], made["offset_mapping"], strict=True):
        scored = [at for at, (start, end) in enumerate(spans) if end > max(start, len(prompt))]
        _check(tokenizer, text, [ids[at] for at in scored])
        found.append((list(ids), scored))
    return found


def alone(tokenizer: Any, text: str) -> Option:
    """Return a text whose tokens do not depend on the prompt, for a model that was trained to read them apart.

    Raises ValueError as `tokens` does.
    """
    ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    _check(tokenizer, text, ids)
    return Option(tuple(ids))


def behind(
    tokenizer: Any, prompt: str, gap: str, texts: Sequence[str], read_as: Sequence[int]
) -> tuple[int, list[Option]]:
    """Return the texts as options behind a prompt, and how many of the prompt's last tokens these begin with.

    `read_as` are the tokens that the model is given for the prompt, each picture as many tokens as it takes. Raises
    ValueError as `tokens` does, and AdapterError where these are not the prompt's.
    """
    base = tokenizer(prompt, verbose=False)["input_ids"]
    rows = tokens(tokenizer, prompt, gap, texts)
    shared = min((_shared(base, ids) for ids, _ in rows), default=len(base))
    anew = len(base) - shared
    tail = list(base[max(0, shared - 1) :])
    if list(read_as[len(read_as) - len(tail) :]) != tail:
        raise AdapterError("the processor makes other tokens of the prompt than its tokenizer does")
    return anew, [Option(tuple(ids[shared : places[-1] + 1]), places[0] - shared) for ids, places in rows]


def likelihoods(model: Any, inputs: Inputs, options: Sequence[Option]) -> list[float]:
    """Return the log-probability of each option after the prompt, summed over its tokens; no end token is counted.

    Natural logarithms, in float32 whatever the model computes in. Raises ValueError for logits that are NaN, and
    AdapterError for tokens that the model does not know; call it under `inference_mode`.
    """

    prompt = read(model, inputs)
    words = len(prompt.next_logits)
    if max(max(option.ids) for option in options) >= words:
        raise AdapterError("its tokenizer makes tokens that the model does not know")
    distinct = sorted({*options}, key=lambda option: len(option.ids))
    first = prompt.next_logits.float().log_softmax(-1)[[option.ids[0] for option in distinct]].tolist()
    found = {option: 0.0 if option.given else value for option, value in zip(distinct, first, strict=True)}
    rows = [option for option in distinct if len(option.ids) > 1]
    for pack in _packs(rows, prompt.size(), words, model.device.type):
        for option, value in zip(pack, _beyond_first(prompt, pack, model.device), strict=True):
            found[option] += value
    if any(math.isnan(each) for each in found.values()):
        raise ValueError("the model's logits are NaN or infinite; try --dtype fp32 or bf16")
    return [min(found[option], 0.0) for option in options]


def _beyond_first(prompt: Read, rows: Sequence[Option], device: Any) -> list[float]:
    """Return the log-probability of each option without its first token, options sorted by length."""
    import torch

    ids = torch.zeros((len(rows), len(rows[-1].ids) - 1), dtype=torch.long)
    for at, option in enumerate(rows):
        ids[at, : len(option.ids) - 1] = torch.tensor(option.ids[:-1])
    try:
        logits = prompt.go_on(ids.to(device))
    except torch.OutOfMemoryError:
        if len(rows) == 1:
            raise
        logits = None
    if logits is None:  # fewer at a time, tried out here because the error holds what the pass had computed
        half = len(rows) // 2
        return _beyond_first(prompt, rows[:half], device) + _beyond_first(prompt, rows[half:], device)
    starts = [max(option.given, 1) for option in rows]
    return [
        total(logits[at, start - 1 : len(option.ids) - 1], option.ids[start:])
        for at, (option, start) in enumerate(zip(rows, starts, strict=True))
    ]


def total(logits: "torch.Tensor", ids: Sequence[int]) -> float:
    """Return the sum of the log-probabilities of tokens, by the (tokens, vocabulary) logits where each is foretold."""
    import torch

    wanted = torch.tensor(ids, device=logits.device, dtype=torch.long)
    return float(logits.float().log_softmax(-1).gather(-1, wanted[:, None]).double().sum())


def _packs(options: Sequence[Option], state: int, words: int, device: str) -> list[list[Option]]:
    """Split options, shortest first, into passes that fit the memory."""
    most = _STATES.get(device, _STATES["cpu"])
    packs: list[list[Option]] = []
    for option in options:
        rows = len(packs[-1]) + 1 if packs else 0
        if not rows or rows * state > most or rows * (len(option.ids) - 1) * words > _LOGITS:
            packs.append([])
        packs[-1].append(option)
    return packs


def _shared(some: Sequence[int], others: Sequence[int]) -> int:
    pairs = zip(some, others, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(some), len(others)))


def _check(tokenizer: Any, text: str, ids: Sequence[int]) -> None:
    if not text.strip() or not ids:
        raise ValueError(f"the option {text!r} has no words, so that nothing of it can be likely")
    if tokenizer.unk_token_id is not None and tokenizer.unk_token_id in ids:
        raise ValueError(f"the option {text!r} has characters that the model's tokenizer does not know")
