"""Replies of a model of transformers, token by token: greedy or drawn, ended by end tokens, stop texts and room."""

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from mmbench.adapters.hf.checkpoint import ENDS
from mmbench.harness.models.abilities import Generation
from mmbench.harness.replies.tags import is_tag

if TYPE_CHECKING:
    import torch

_PLACE = re.compile(r"<(?:loc_?|seg_?|patch_index_)\d{1,5}>")
"""Special tokens that say something: places in a picture, as Florence-2 and PaliGemma write them."""


class Reader:
    """Reads tokens as text: without special tokens, but for places and the tags around thoughts."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        known = tokenizer.added_tokens_decoder
        special = {number for number, token in known.items() if token.special} | {*tokenizer.all_special_ids}
        self._dropped = {number for number in special if not _says(str(known.get(number, "")))}

    def text(self, tokens: Sequence[int]) -> str:
        """Return the text of a reply."""
        kept = [token for token in tokens if token not in self._dropped]
        return str(self._tokenizer.decode(kept, skip_special_tokens=False))


class Pass:
    """One call of `generate` watched from within: which token comes next, and where each reply ends.

    The library chooses tokens greedily. Where they are drawn, all logits but the drawn token's are taken away first, so
    that each row is drawn by its own seed, whatever stands beside it.
    """

    def __init__(
        self, settings: Generation, rooms: Sequence[int], seeds: Sequence[str], read: Callable[[Sequence[int]], str]
    ) -> None:
        self._settings = settings
        self._rooms = rooms
        self._sources = [Random(seed) for seed in seeds]  # noqa: S311 - no secret
        self._read = read
        self.begun = 0
        """Tokens that stand before the reply in what the library returns."""
        self.ended: dict[int, int] = {}
        """Length of the replies that a stop text or the end of the room ended, by row."""
        self._started = False

    def choose(self, ids: "torch.Tensor", logits: "torch.Tensor") -> "torch.Tensor":
        """Return the logits of the next tokens as the library shall take them. Raises ValueError for NaN."""
        import torch

        if not self._started:
            self.begun, self._started = ids.shape[1], True
        if bool((logits.isnan() | (logits == torch.inf)).any()):
            raise ValueError("the model's logits are NaN or infinite; try --dtype fp32 or bf16")
        if self._settings.temperature <= 0:
            return logits
        below = logits.double() - logits.double().amax(dim=-1, keepdim=True)  # no temperature makes it infinite
        totals = (below / self._settings.temperature).softmax(dim=-1).cumsum(dim=-1)
        drawn = torch.tensor([[source.random()] for source in self._sources], dtype=torch.float64)
        chosen = torch.searchsorted(totals, drawn.to(totals.device) * totals[:, -1:], right=True)
        chosen = chosen.clamp(max=logits.shape[-1] - 1)
        return torch.full_like(logits, -torch.inf).scatter(-1, chosen, 0.0)

    def done(self, ids: "torch.Tensor", logits: Any) -> "torch.Tensor":
        """Return which replies end here, beside those that an end token ends."""
        import torch

        length = ids.shape[1] - self.begun
        for row, room in enumerate(self._rooms):
            if row not in self.ended and (length >= room or self._stops(ids[row])):
                self.ended[row] = length
        rows = [row in self.ended for row in range(len(self._rooms))]
        return torch.tensor(rows, dtype=torch.bool, device=ids.device)

    def _stops(self, row: "torch.Tensor") -> bool:
        if not self._settings.stop:
            return False
        text = self._read(row[self.begun :].tolist())
        return any(stop in text for stop in self._settings.stop)


def write(
    model: Any,
    inputs: Any,
    settings: Generation,
    rooms: Sequence[int],
    seeds: Sequence[str],
    read: Callable[[Sequence[int]], str],
) -> list[str]:
    """Return the reply to each row of prepared inputs, cut before the first stop text. Raises ValueError for NaN.

    A row has room for so many tokens, and is drawn by its seed where the temperature is above 0.
    """
    from transformers import LogitsProcessorList, StoppingCriteriaList

    watched = Pass(settings, rooms, seeds, read)
    found = model.generate(
        **inputs,
        max_new_tokens=max(rooms),
        logits_processor=LogitsProcessorList([watched.choose]),
        stopping_criteria=StoppingCriteriaList([watched.done]),
    )
    ends = {*_listed(model.generation_config.eos_token_id)}
    replies = []
    for row, ids in enumerate(found[:, watched.begun :].tolist()):
        tokens = ids[: watched.ended.get(row, len(ids))]
        last = next((at for at, token in enumerate(tokens) if token in ends), len(tokens))
        text = read(tokens[:last])
        stops = [text.find(stop) for stop in settings.stop if stop in text]
        replies.append(text[: min(stops, default=None)].strip())
    return replies


def settle(model: Any, ends: Sequence[int], padding: int | None) -> None:
    """Let the parts of a model that write do so greedily, whatever its files say of sampling, beams and penalties.

    What says where a reply begins and ends is kept, and the given end tokens are added.
    """
    from transformers import GenerationConfig

    for part in model.modules():
        said = getattr(part, "generation_config", None)
        if said is None:
            continue
        kept = {name: getattr(said, name, None) for name in ENDS}
        found = dict.fromkeys([*_listed(kept["eos_token_id"]), *ends])
        fill = padding if kept["pad_token_id"] is None else kept["pad_token_id"]
        part.generation_config = GenerationConfig(**{**kept, "eos_token_id": list(found) or None, "pad_token_id": fill})


def _listed(ids: Any) -> list[int]:
    return [] if ids is None else [ids] if isinstance(ids, int) else [*ids]


def _says(token: str) -> bool:
    return bool(_PLACE.fullmatch(token)) or is_tag(token)
