"""Text towers of open_clip without padding: only the tokens that a text has are computed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mmbench.adapters.shared.lengths import call_cost, groups

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class CausalTower:
    """A text tower whose vector depends on nothing behind the end-of-text token.

    A causal mask keeps what comes later from changing what is read at the end-of-text token, so that leaving the
    padding out is exact up to the order of floating-point sums (Radford et al. 2021, 2.4, describes the tower).
    """

    module: Any
    """Has `token_embedding`, `positional_embedding`, `transformer`, `attn_mask`, `ln_final` and `text_projection`."""
    end: int | None
    """Id of the end-of-text token; None where it is the largest id of a text."""

    @classmethod
    def of(cls, model: Any) -> "CausalTower | None":
        """Return the tower of an open_clip model, or None where padding or a bidirectional mask matters."""
        from open_clip import model as models
        from open_clip.transformer import TextTransformer

        # Exact types: a subclass may compute something else.
        if type(model) is models.CLIP:
            tower, pool, end = model, model.text_pool_type, model.text_eos_id
        elif type(model) is models.CustomTextCLIP and type(model.text) is TextTransformer:
            tower, pool, end = model.text, model.text.pool_type, model.text.eos_id
            if tower.cls_emb is not None or tower.use_pad_mask or tower.output_tokens:
                return None
        else:
            return None
        if pool not in ("argmax", "eos") or tower.attn_mask is None:
            return None
        return cls(tower, end if pool == "eos" else None)

    def encode(self, tokens: "torch.Tensor") -> "torch.Tensor":
        """Return (n, d) raw vectors, on the tower's device, of (n, context) padded token ids on the CPU, in order."""
        import torch

        ends = self.ends(tokens)
        device = self.module.positional_embedding.device
        lengths = (ends + 1).tolist()
        parts, order = [], []
        for rows, longest in groups(lengths, call_cost(device)):
            chosen = torch.tensor(rows)
            part = tokens[chosen, :longest].to(device, non_blocking=True)
            parts.append(self.at_ends(part, ends[chosen].to(device, non_blocking=True)))
            order.extend(rows)
        return torch.cat(parts)[torch.tensor(order).argsort().to(device)]

    def ends(self, tokens: "torch.Tensor") -> "torch.Tensor":
        """Return the (n,) places of the first end-of-text token in (n, length) token ids."""
        return tokens.argmax(dim=-1) if self.end is None else (tokens == self.end).int().argmax(dim=-1)

    def at_ends(self, tokens: "torch.Tensor", ends: "torch.Tensor") -> "torch.Tensor":
        """Return (n, d) raw vectors, read at `ends`, of (n, length) token ids on the tower's device."""
        import torch

        tower, length = self.module, tokens.shape[1]
        dtype = tower.transformer.get_cast_dtype()
        x = tower.token_embedding(tokens).to(dtype) + tower.positional_embedding[:length].to(dtype)
        x = tower.transformer(x, attn_mask=tower.attn_mask[:length, :length])
        # The norm acts on each position by itself, so that only the one that is read needs it.
        pooled: torch.Tensor = tower.ln_final(x[torch.arange(len(x), device=x.device), ends])
        projection = tower.text_projection
        if projection is None:
            return pooled
        projected: torch.Tensor = projection(pooled) if isinstance(projection, torch.nn.Linear) else pooled @ projection
        return projected
