"""Attention written out in full, because it must also train fast on a CPU in bfloat16."""

import torch


def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, heads: int, bias: torch.Tensor | None) -> torch.Tensor:
    """Return (n, t, width): for each of (n, t, width) queries the values it attends to (Vaswani et al. 2017, 3.2).

    `k` and `v` are (n, s, width); `bias` is added to the (n, heads, t, s) scores and broadcasts to them. Torch's fused
    kernel computes the same, but its backward pass in bfloat16 took ten times as long on a CPU (torch 2.15).
    """
    q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (q * (q.shape[-1] // heads) ** -0.5, k, v))
    scores = q @ k.transpose(-2, -1)
    if bias is not None:
        scores = scores + bias.to(scores.dtype)
    return (scores.softmax(dim=-1).to(v.dtype) @ v).transpose(1, 2).flatten(2)


def hiding(seen: torch.Tensor) -> torch.Tensor:
    """Return what is added to the scores of a mask, True where a query may look: 0 there and minus infinity elsewhere.

    >>> hiding(torch.tensor([True, False])).tolist()
    [0.0, -inf]
    """
    return torch.zeros(seen.shape, device=seen.device).masked_fill(~seen, float("-inf"))
