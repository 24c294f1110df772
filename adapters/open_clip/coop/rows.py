"""Token rows of class names behind one learnable context, so that a causal text tower reads the context only once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mmbench.adapters.open_clip.text_tower import CausalTower
from mmbench.harness.errors import UsageError

if TYPE_CHECKING:
    import torch


class Prompts:
    """Prompts "[start] [context] class name . [end]" of CoOp (Zhou et al. 2022), read by a frozen tower.

    All prompts begin alike, and what a causal tower computes for their beginning does not depend on the name behind it.
    Several names therefore share one beginning: they are laid end to end behind it, each at the positions that it would
    have alone, and a mask keeps them from seeing each other. That is exact up to the order of floating-point sums.
    """

    def __init__(self, tower: CausalTower, tokenizer: Any, class_names: Sequence[str], context: int) -> None:
        """Take `context` learnable tokens for (classes) names. Raises UsageError for a name that does not fit."""
        import torch

        self._tower = tower.module
        positions = self._tower.positional_embedding
        # An underscore stands for a blank, and a full stop follows, as in the official script.
        tokens = tokenizer([f"{name.replace('_', ' ')}." for name in class_names])
        lengths = tokens.argmax(dim=-1) if tower.end is None else (tokens == tower.end).int().argmax(dim=-1)
        longest, begin = int(lengths.max()), 1 + context
        if begin + longest > len(positions):
            raise UsageError(
                f"the class name {class_names[int(lengths.argmax())]!r} takes {longest} tokens with full stop and end, "
                f"and {len(positions) - begin} fit behind a context of {context}; shorten it, or the context"
            )
        self.device, self.width = positions.device, positions.shape[1]
        count = seats(len(class_names), longest, begin, self.width)
        classes = torch.arange(len(class_names))
        self._read = classes // count, begin + classes % count * longest + lengths - 1
        self._mask = _mask(begin, longest, count).to(self.device)

        rows = -(-len(class_names) // count)
        names = torch.zeros((rows * count, longest), dtype=torch.long)  # what fills a seat is behind what is read
        names[: len(class_names)] = tokens[:, 1 : 1 + longest]
        dtype = self._tower.transformer.get_cast_dtype()
        placed = positions.detach().to(dtype)
        embedded = self._tower.token_embedding(names.to(self.device)).to(dtype) + placed[begin : begin + longest]
        self._names = embedded.reshape(rows, count * longest, self.width)
        self._start = self._tower.token_embedding(tokens[:1, :1].to(self.device))[0].to(dtype) + placed[:1]
        self._places = placed[1:begin]

    def vectors(self, context: "torch.Tensor") -> "torch.Tensor":
        """Return the (classes, d) raw vectors of the prompts with a (tokens, width) context."""
        import torch

        beginning = torch.cat([self._start, context.to(self._places.dtype) + self._places])
        x = torch.cat([beginning.expand(len(self._names), -1, -1), self._names], dim=1)
        x = self._tower.transformer(x, attn_mask=self._mask)
        pooled: torch.Tensor = self._tower.ln_final(x[self._read])
        projection = self._tower.text_projection
        if projection is None:
            return pooled
        projected: torch.Tensor = projection(pooled) if isinstance(projection, torch.nn.Linear) else pooled @ projection
        return projected


def seats(classes: int, longest: int, begin: int, width: int) -> int:
    """Return how many names of `longest` tokens to lay behind one beginning, so that all of them cost least.

    A layer of a transformer of that width takes 24 width^2 operations for a token, and 4 width for each that it sees.

    >>> seats(classes=10, longest=4, begin=17, width=512)
    10
    >>> seats(classes=1000, longest=8, begin=17, width=512)
    25
    """

    def cost(count: int) -> float:
        length = begin + count * longest
        return -(-classes // count) * length * (1 + length / (6 * width))

    return min(range(1, classes + 1), key=cost)


def _mask(begin: int, longest: int, count: int) -> "torch.Tensor":
    """Return what is added to attention, (length, length): a token sees the beginning, and its name up to itself."""
    import torch

    name = torch.cat([torch.full((begin,), -1), torch.arange(count).repeat_interleave(longest)])
    place = torch.arange(len(name))
    seen = (place[None] <= place[:, None]) & ((name[None] == -1) | (name[None] == name[:, None]))
    return torch.zeros(seen.shape).masked_fill(~seen, float("-inf"))
