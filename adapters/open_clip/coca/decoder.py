"""CoCa decoder without waste: no padding, one picture's keys shared by many texts, no unread logits."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from mmbench.adapters.open_clip.source import stacked
from mmbench.harness.errors import TooLong
from mmbench.harness.models.abilities import Prepared

if TYPE_CHECKING:
    import torch

Tokens: TypeAlias = tuple[int, ...]
Row: TypeAlias = tuple[int, Tokens]
"""The number of a picture, and the beginning of a text about it with the start token."""

_KEYS_PER_TOKEN = 11
"""Image tokens whose keys and values cost what one token of a text does: a layer, 2 against 22 squares of the width."""


@dataclass(frozen=True, slots=True)
class Decoder:
    """The captioner of a CoCa model: what it expects after the beginning of a text about a picture.

    A causal text tower is followed by a causal decoder that also attends to the picture (Yu et al. 2022, section 3.2),
    so that nothing behind a token changes what is expected after it.
    """

    model: Any
    """An `open_clip.CoCa`."""
    tokenizer: Any
    """Has `encode`, `decode`, `sot_token_id` and `eot_token_id`."""

    @property
    def end(self) -> int:
        """Id of the token behind the last one of a text."""
        return int(self.tokenizer.eot_token_id)

    @property
    def context(self) -> int:
        """Most tokens of a text, start and end included, as in training."""
        return int(min(self.model.text.context_length, self.model.text_decoder.context_length))

    def beginning(self, prompt: str) -> Tokens:
        """Return the start token and those of a prompt. Raises TooLong where no token of a text fits behind it."""
        tokens = (int(self.tokenizer.sot_token_id), *self.tokenizer.encode(prompt))
        if len(tokens) + 2 > self.context:
            raise TooLong(
                f"the prompt has {len(tokens) - 1} tokens and the model reads {self.context}, of which a start, an end "
                "and one token of text are needed; shorten the prompt"
            )
        return tokens

    def whole(self, prompt: str, text: str) -> Tokens:
        """Return all tokens of a text that follows a prompt after one space; a tail beyond the context is cut."""
        said = self.tokenizer.encode(f"{prompt} {text}" if prompt else text)
        return (int(self.tokenizer.sot_token_id), *said[: self.context - 2], self.end)

    def cuts(self, prompt: str, text: str) -> bool:
        """Tell whether a tail of a text that follows a prompt lies beyond the context."""
        return len(self.tokenizer.encode(f"{prompt} {text}" if prompt else text)) > self.context - 2

    def words(self, tokens: Sequence[int]) -> str:
        """Return the text of some tokens, without special ones and not stripped."""
        special = {*getattr(self.tokenizer, "all_special_ids", ()), int(self.tokenizer.sot_token_id), self.end}
        return str(self.tokenizer.decode([token for token in tokens if token not in special]))

    def look(self, images: list[Prepared]) -> "torch.Tensor":
        """Return (n, image tokens, width): prepared pictures as the decoder sees them."""
        seen: torch.Tensor = self.model._encode_image(stacked(self.model.visual, images))[1]
        return seen

    def next_logits(self, pictures: "torch.Tensor", rows: Sequence[Row]) -> "torch.Tensor":
        """Return (rows, vocabulary) float32 logits of the token after each row. Raises ValueError where one is NaN."""
        import torch

        last = torch.tensor([len(tokens) - 1 for _, tokens in rows], device=pictures.device)
        states = self.states(pictures, rows)
        return self.expected(states[torch.arange(len(rows), device=pictures.device), last])

    def expected(self, states: "torch.Tensor") -> "torch.Tensor":
        """Return `logits` of (n, width) states of last tokens. Raises ValueError where one is NaN."""
        logits = self.logits(states)
        if logits.isnan().any():
            raise ValueError("the model expects NaN as the next token; try --dtype fp32")
        return logits

    def states(self, pictures: "torch.Tensor", rows: Sequence[Row]) -> "torch.Tensor":
        """Return (rows, longest, width): what the decoder holds at each token; behind a row's end it is noise.

        The steps of CoCa's `forward` up to the last norm; a test holds the two equal.
        """
        import torch

        longest = max(len(tokens) for _, tokens in rows)
        device = pictures.device
        distinct = {tokens: number for number, tokens in enumerate(dict.fromkeys(tokens for _, tokens in rows))}
        padded = torch.tensor([(*tokens, *(self.end,) * (longest - len(tokens))) for tokens in distinct])
        texts = self.model._encode_text(padded.to(device), normalize=False)[1]
        # Of the decoder's parts only cross-attention sees the picture, and its queries do not see each other: laid end
        # to end, texts about one picture share one computation of its keys and values.
        benches = seated([picture for picture, _ in rows], longest, pictures.shape[1] / _KEYS_PER_TOKEN)
        seats = torch.zeros((len(benches), max(map(len, benches))), dtype=torch.long)
        place = torch.zeros(len(rows), dtype=torch.long)
        for number, bench in enumerate(benches):
            seats[number, : len(bench)] = torch.tensor([distinct[rows[row][1]] for row in bench])
            place[bench] = number * seats.shape[1] + torch.arange(len(bench))
        keys = pictures[torch.tensor([rows[bench[0]][0] for bench in benches], device=device)]
        x: torch.Tensor = texts[seats.flatten().to(device)]
        decoder = self.model.text_decoder
        for block, cross in zip(decoder.resblocks, decoder.cross_attn, strict=True):
            x = block(x, attn_mask=decoder.attn_mask[:longest, :longest])
            x = cross(x.reshape(len(benches), -1, x.shape[-1]), k_x=keys, v_x=keys).reshape(x.shape)
        return x[place.to(device)]

    def logits(self, states: "torch.Tensor") -> "torch.Tensor":
        """Return (n, vocabulary) float32 logits of what follows, for (n, width) states."""
        decoder = self.model.text_decoder
        found: torch.Tensor = (decoder.ln_final(states) @ decoder.text_projection).float()
        return found


def seated(pictures: Sequence[int], longest: int, keys: float) -> list[list[int]]:
    """Split rows into benches of one picture each, as long as makes the whole cheapest.

    A bench costs `keys` tokens, and `longest` tokens for each seat, empty ones included: all benches have as many seats
    as the longest.

    >>> seated([0, 0, 0, 1, 0], longest=5, keys=5)
    [[0, 1], [2, 4], [3]]
    >>> seated([0, 0, 0, 1, 0], longest=5, keys=2)
    [[0], [1], [2], [4], [3]]
    """
    own: dict[int, list[int]] = {}
    for row, picture in enumerate(pictures):
        own.setdefault(picture, []).append(row)
    counts = Counter(map(len, own.values()))

    def cost(seats: int) -> float:
        return sum(-(-rows // seats) * times for rows, times in counts.items()) * (keys + seats * longest)

    seats = min(range(1, max(counts) + 1), key=cost)
    return [rows[start : start + seats] for rows in own.values() for start in range(0, len(rows), seats)]
