"""CoCa decoder that writes: keys and values of what is written are kept, so that each token is computed once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from mmbench.adapters.open_clip.coca.decoder import Decoder, Row, Tokens, seated

if TYPE_CHECKING:
    import torch

Kept: TypeAlias = "tuple[torch.Tensor, torch.Tensor]"
"""Keys and values of a layer, (rows, heads, tokens, width of a head)."""

_KEYS = 4
"""Tokens whose computation costs about what reading one more picture's keys and values does."""
_MOST_BYTES = 1 << 29
"""Keys and values that are held at a time."""


class Cache:
    """Logits of the token after each row, for rows that are each one token longer than a row of the call before.

    The steps of `Decoder.states` for the last token alone: before it, nothing changes in a causal tower. A test holds
    the two equal.
    """

    def __init__(self, decoder: Decoder, pictures: "torch.Tensor", numbers: Sequence[int]) -> None:
        """Take (n, image tokens, width) pictures and the number of each item's picture among them."""
        self._decoder = decoder
        own = {number: place for place, number in enumerate(dict.fromkeys(numbers))}
        self._picture = [own[number] for number in numbers]
        shown = pictures[list(own)]
        self._seen = [_projected(cross, cross.ln_1_kv(shown), 1, 3) for cross in decoder.model.text_decoder.cross_attn]
        self._places: dict[Row, int] = {}
        self._kept: list[Kept | None] = []
        self._there: torch.Tensor | None = None
        self._read: torch.Tensor | None = None
        self._forget()

    @staticmethod
    def serves(model: Any) -> bool:
        """Test whether the model is made of the parts that are computed here, and of nothing that hooks into them."""
        from open_clip.transformer import MultimodalTransformer, ResidualAttentionBlock, TextTransformer

        text, decoder = model.text, model.text_decoder
        # Exact types: a subclass may compute something else.
        if type(text) is not TextTransformer or type(decoder) is not MultimodalTransformer:
            return False
        if text.cls_emb is None or text.correct_cls_mask:  # what its mask hides is not what `_masks` does
            return False
        blocks = [*text.transformer.resblocks, *decoder.resblocks, *decoder.cross_attn]
        parts = [part for tower in (text, decoder) for part in tower.modules()]
        return (
            all(type(block) is ResidualAttentionBlock and _plain(block.attn) for block in blocks)
            and not any(part._forward_hooks or part._forward_pre_hooks for part in parts)
            and not any("forward" in vars(part) for part in parts)
        )

    @staticmethod
    def items(decoder: Decoder, pictures: "torch.Tensor", longest: int, beams: int) -> int:
        """Return how many items fit, each with a picture and `beams` texts of up to `longest` tokens."""
        model = decoder.model
        written = len(model.text.transformer.resblocks) + len(model.text_decoder.resblocks)
        vectors = written * longest * beams + len(model.text_decoder.cross_attn) * pictures.shape[1]
        return max(1, _MOST_BYTES // (2 * vectors * pictures.shape[2] * pictures.element_size()))

    def next_logits(self, rows: Sequence[Row]) -> "torch.Tensor":
        """Return (rows, vocabulary) float32 logits, as `Decoder.next_logits` does; rows not begun are read whole."""
        import torch

        parents = [self._places.get((item, tokens[:-1])) for item, tokens in rows]
        known = [place for place in parents if place is not None]
        if len(known) < len(rows):
            self._forget()
            new = [tokens for _, tokens in rows]
        else:
            self._keep(known)
            new = [tokens[-1:] for _, tokens in rows]
        lengths = torch.tensor([len(tokens) for tokens in new])
        states = self._states(rows, new)
        self._places = {row: place for place, row in enumerate(rows)}
        last = (lengths - 1).to(states.device)
        return self._decoder.expected(states[torch.arange(len(rows), device=states.device), last])

    def _forget(self) -> None:
        self._places = {}
        self._kept = [None] * self._layers()
        self._there = self._read = None

    def _layers(self) -> int:
        model = self._decoder.model
        return len(model.text.transformer.resblocks) + len(model.text_decoder.resblocks)

    def _keep(self, places: list[int]) -> None:
        """Leave the rows at some places, in that order."""
        import torch

        if places == list(range(len(self._places))):
            return
        chosen = torch.tensor(places)
        self._there, self._read = (
            None if kept is None else kept[chosen.to(kept.device)] for kept in (self._there, self._read)
        )
        self._kept = [_chosen(kept, chosen) for kept in self._kept]

    def _states(self, rows: Sequence[Row], new: Sequence[Tokens]) -> "torch.Tensor":
        """Return (rows, longest new, width) states of the last tokens of the rows, and keep their keys and values."""
        import torch

        model, end = self._decoder.model, self._decoder.end
        text, tower = model.text, model.text_decoder
        longest = max(map(len, new))
        device = text.positional_embedding.device
        ids = torch.tensor([(*tokens, *(end,) * (longest - len(tokens))) for tokens in new])
        starts = torch.tensor([len(tokens) - len(more) for (_, tokens), more in zip(rows, new, strict=True)])
        own, read = self._masks(rows, ids, starts, new)
        dtype = text.transformer.get_cast_dtype()
        x: torch.Tensor = text.token_embedding(ids.to(device)).to(dtype)
        places = (starts[:, None] + torch.arange(longest)).clamp(max=len(text.positional_embedding) - 1).to(device)
        x = x + text.positional_embedding[places].to(dtype)
        number = 0
        for block in text.transformer.resblocks:
            x = self._block(block, x, number, read)
            number += 1
        benches, seats, back = self._seats(rows, longest, device)
        for block, cross, seen in zip(tower.resblocks, tower.cross_attn, self._seen, strict=True):
            x = self._block(block, x, number, own)
            keys, values = (part if benches is None else part[benches] for part in seen)
            queries = cross.ln_1(x[seats]).reshape(len(keys), -1, x.shape[-1])
            (queries,) = _projected(cross, queries, 0, 1)
            found = _attended(cross, queries, keys, values, None)
            x = x + cross.ls_1(found.reshape(-1, longest, x.shape[-1])[back])
            x = x + cross.ls_2(cross.mlp(cross.ln_2(x)))
            number += 1
        return x

    def _masks(
        self, rows: Sequence[Row], ids: "torch.Tensor", starts: "torch.Tensor", new: Sequence[Tokens]
    ) -> tuple["torch.Tensor", "torch.Tensor"]:
        """Return (rows, 1, new, all) tests of what the decoder and the text tower may attend to.

        Kept columns stand in the order of their computation; a shorter beginning leaves holes that nothing sees.
        """
        import torch

        model = self._decoder.model
        longest = ids.shape[1]
        there = torch.arange(longest) < torch.tensor([len(tokens) for tokens in new])[:, None]
        # The tower hides what follows the padding's id, which is a token of texts as well; see open_clip's
        # `_build_additive_mask`, whose class token stands first where that of the text stands last.
        before = [tokens[at - 1] if at else None for (_, tokens), at in zip(rows, starts.tolist(), strict=True)]
        first = torch.tensor([token != model.text.pad_id for token in before])[:, None]
        read = there & torch.cat([first, ids[:, :-1] != model.text.pad_id], 1)
        device = model.text.positional_embedding.device
        there, read = there.to(device), read.to(device)
        causal = torch.ones((longest, longest), dtype=torch.bool, device=device).tril()
        masks = []
        for kept, more in ((self._there, there), (self._read, read)):
            mask = more[:, None, :] & causal
            masks.append(mask if kept is None else torch.cat([kept[:, None].expand(-1, longest, -1), mask], 2))
        self._there = there if self._there is None else torch.cat([self._there, there], 1)
        self._read = read if self._read is None else torch.cat([self._read, read], 1)
        return masks[0][:, None], masks[1][:, None]

    def _block(self, block: Any, x: "torch.Tensor", number: int, mask: "torch.Tensor") -> "torch.Tensor":
        """Return `block` of the new tokens; their keys and values join those of its layer."""
        import torch

        queries, keys, values = _projected(block, block.ln_1(x), 0, 3)
        kept = self._kept[number]
        if kept is not None:
            keys, values = torch.cat([kept[0], keys], 2), torch.cat([kept[1], values], 2)
        self._kept[number] = keys, values
        x = x + block.ls_1(_attended(block, queries, keys, values, mask))
        done: torch.Tensor = x + block.ls_2(block.mlp(block.ln_2(x)))
        return done

    def _seats(
        self, rows: Sequence[Row], longest: int, device: "torch.device"
    ) -> tuple["torch.Tensor | None", "torch.Tensor", "torch.Tensor"]:
        """Return benches' pictures (None for all in order), the rows on their seats, and where each row sits."""
        import torch

        benches = seated([self._picture[item] for item, _ in rows], longest, _KEYS)
        width = max(map(len, benches))
        seats = torch.zeros((len(benches), width), dtype=torch.long)
        back = torch.zeros(len(rows), dtype=torch.long)
        for number, bench in enumerate(benches):
            seats[number, : len(bench)] = torch.tensor(bench)
            back[bench] = number * width + torch.arange(len(bench))
        shown = [self._picture[rows[bench[0]][0]] for bench in benches]
        every = shown == list(range(len(self._seen[0][0])))
        return None if every else torch.tensor(shown, device=device), seats.flatten().to(device), back.to(device)


def _chosen(kept: "Kept | None", places: "torch.Tensor") -> "Kept | None":
    return kept and (kept[0][places.to(kept[0].device)], kept[1][places.to(kept[1].device)])


def _plain(attention: Any) -> bool:
    """Test whether attention has one matrix for queries, keys and values, with a bias, and nothing added."""
    from torch import nn
    from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

    return (
        type(attention) is nn.MultiheadAttention
        and type(attention.out_proj) is NonDynamicallyQuantizableLinear
        and attention.in_proj_weight is not None
        and attention.in_proj_bias is not None
        and attention.bias_k is None
        and not attention.add_zero_attn
        and attention.batch_first
    )


def _projected(block: Any, x: "torch.Tensor", first: int, stop: int) -> "list[torch.Tensor]":
    """Return (n, heads, tokens, width of a head): of queries, keys and values those from `first` to before `stop`."""
    from torch.nn.functional import linear

    attention, width = block.attn, x.shape[-1]
    chosen = slice(first * width, stop * width)
    made = linear(x, attention.in_proj_weight[chosen], attention.in_proj_bias[chosen])
    return [
        part.reshape(*part.shape[:2], attention.num_heads, -1).transpose(1, 2)
        for part in made.chunk(stop - first, dim=-1)
    ]


def _attended(
    block: Any, queries: "torch.Tensor", keys: "torch.Tensor", values: "torch.Tensor", mask: "torch.Tensor | None"
) -> "torch.Tensor":
    """Return (n, queries, width): what the queries see of the values, through the block's last map."""
    from torch.nn.functional import scaled_dot_product_attention

    seen = scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
    found: torch.Tensor = block.attn.out_proj(seen.transpose(1, 2).flatten(2))
    return found
