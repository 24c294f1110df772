"""Forward passes of CoCa for training: no padding, and no vectors or logits that no loss uses."""

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it F

from mmbench.adapters.tiny.attention import attend, hiding

_ROUND = 512


@dataclass(frozen=True, slots=True)
class Grid:
    """Positions of tokens among padding, so that everything but attention runs over tokens alone."""

    places: torch.Tensor
    """(m,) numbers of the cells that hold tokens, ascending."""
    rows: int
    """Texts."""
    length: int
    """Cells of a text."""

    @classmethod
    def of(cls, there: torch.Tensor) -> "Grid":
        """Return the grid of an (n, t) mask, True where a token stands."""
        return cls(there.flatten().nonzero()[:, 0], *there.shape)

    def spread(self, x: torch.Tensor) -> torch.Tensor:
        """Return (n, t, width) of (m, width), zero where no token stands."""
        empty = x.new_zeros(self.rows * self.length, x.shape[-1])
        return empty.index_copy(0, self.places, x).view(self.rows, self.length, -1)

    def collect(self, x: torch.Tensor) -> torch.Tensor:
        """Return (m, width) of anything with n * t cells in their order."""
        return x.reshape(self.rows * self.length, -1).index_select(0, self.places)


def filled(mask: torch.Tensor) -> torch.Tensor:
    """Return a mask with some more cells, so that as many are True as a multiple of 512, or all.

    Kernels are compiled anew for every number of rows they meet, which took three quarters of a step on a CPU.

    >>> int(filled(torch.tensor([[True, False] * 400])).sum())
    512
    """
    flat = mask.flatten().clone()
    missing = -int(flat.sum()) % _ROUND
    flat[(~flat).nonzero()[:missing, 0]] = True
    return flat.view_as(mask)


def class_vectors(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    """Return (n, d) vectors, not normalised, of (n, t) token ids that end in at least one pad or fill the context.

    Equal to `model.encode_text` over the same texts padded to the whole context, behind which the class token stands:
    being last it is seen by no other, and the mask hides from it all pads but the first. (open_clip means to hide that
    one too; its mask is off by one, and no configuration of version 3.3 reaches the switch that mends it.)
    """
    text = model.text
    length = tokens.shape[1]
    there = tokens != text.pad_id
    always = there.new_ones(len(tokens), 1)
    known = torch.cat([there, always] if text.correct_cls_mask else [always, there], dim=1)
    bias = hiding(known[:, None, None, :] & _causal(length + 1, tokens.device))
    grid = Grid.of(filled(torch.cat([known[:, :-1], always], dim=1)))
    words = torch.cat([text.token_embedding(tokens), text.cls_emb.expand(len(tokens), 1, -1)], dim=1)
    places = torch.cat([text.positional_embedding[:length], text.positional_embedding[text.context_length :]])
    x = _working(grid.collect(words + places))
    *blocks, last = text.transformer.resblocks
    for block in blocks:
        x = _among_themselves(block, x, grid, bias)
    q, k, v = _projections(last, x, grid)
    seen = attend(q[:, -1:], k, v, last.attn.num_heads, bias[:, :, -1:])[:, 0]
    ends = (grid.places % (length + 1) == length).nonzero()[:, 0]
    pooled: torch.Tensor = text.ln_final(_rest(last, x[ends], seen)) @ text.text_projection
    return pooled


def decoder_states(model: Any, patches: torch.Tensor, tokens: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """Return (m, width): what the decoder holds at each token where `there` is True, text by text.

    `patches` is (n, p, width), `tokens` and `there` (n, k, t) with k texts about each picture, `there` True from the
    beginning of a text up to some token. Only cross-attention sees the picture and its queries do not see each other,
    so that the texts of a picture, laid end to end, share its keys and values.
    """
    text, decoder = model.text, model.text_decoder
    pictures, texts, length = tokens.shape
    grid = Grid.of(there.flatten(0, 1))
    # The same cells, as one row of each picture.
    bench = Grid(grid.places, pictures, texts * length)
    x = text.token_embedding(tokens.flatten()[grid.places]) + text.positional_embedding[grid.places % length]
    x = _working(x)
    bias = hiding(_causal(length, tokens.device))
    for block in text.transformer.resblocks:
        x = _among_themselves(block, x, grid, bias)
    for block, cross in zip(decoder.resblocks, decoder.cross_attn, strict=True):
        x = _among_themselves(block, x, grid, bias)
        x = _at_the_picture(cross, x, bench, patches)
    return x


def logits(model: Any, states: torch.Tensor) -> torch.Tensor:
    """Return (m, vocabulary) logits of what follows, for (m, width) states of the decoder."""
    decoder = model.text_decoder
    found: torch.Tensor = decoder.ln_final(states) @ decoder.text_projection
    return found


def _among_themselves(block: Any, x: torch.Tensor, grid: Grid, bias: torch.Tensor) -> torch.Tensor:
    """Return (m, width) of (m, width): an open_clip `ResidualAttentionBlock`."""
    q, k, v = _projections(block, x, grid)
    return _rest(block, x, grid.collect(attend(q, k, v, block.attn.num_heads, bias)))


def _at_the_picture(block: Any, x: torch.Tensor, bench: Grid, patches: torch.Tensor) -> torch.Tensor:
    """Return (m, width) of (m, width): an open_clip `ResidualAttentionBlock` with cross-attention."""
    attention, width = block.attn, x.shape[-1]
    weight, bias = attention.in_proj_weight, attention.in_proj_bias
    q = bench.spread(F.linear(block.ln_1(x), weight[:width], bias[:width]))
    k, v = F.linear(block.ln_1_kv(patches), weight[width:], bias[width:]).chunk(2, dim=-1)
    return _rest(block, x, bench.collect(attend(q, k, v, attention.num_heads, None)))


def _projections(block: Any, x: torch.Tensor, grid: Grid) -> tuple[torch.Tensor, ...]:
    attention = block.attn
    return grid.spread(F.linear(block.ln_1(x), attention.in_proj_weight, attention.in_proj_bias)).chunk(3, dim=-1)


def _rest(block: Any, x: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    x = x + block.attn.out_proj(seen)
    found: torch.Tensor = x + block.mlp(block.ln_2(x))
    return found


def _working(x: torch.Tensor) -> torch.Tensor:
    # Autocast leaves sums in float32, which would be rounded before each product and take twice the traffic.
    kind = x.device.type
    return x.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else x


def _causal(length: int, device: torch.device) -> torch.Tensor:
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()
