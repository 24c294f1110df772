"""Vision tower of a few hundred thousand parameters, which open_clip builds through timm by name."""

from typing import cast

import torch
from timm.models import register_model
from torch import nn

from mmbench.adapters.tiny.attention import attend

IMAGE_SIZE = 64
"""Pixels of a side of the tower's input."""
GRID = 8
"""Patches of a side of its output."""
_QUERIES = 4


class Tower(nn.Module):
    """Strided convolutions from 64 x 64 pixels to 8 x 8 patches, then transformer layers and pooling by attention.

    Convolutions let a small tower see shapes that patches embedded at once hide from it at this scale of training (Xiao
    et al. 2021, Early Convolutions Help Transformers See Better). Pooling has four learnt queries, because one cannot
    hold which colour goes with which shape. Without batch statistics a picture's vector never depends on its batch.
    """

    def __init__(self, *, stem: int, middle: int, width: int, layers: int, heads: int, embed_dim: int) -> None:
        super().__init__()
        self.num_features = width
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(stem, middle, 3, stride=2, padding=1),
            Residual(middle),
            Residual(middle),
            ChannelNorm(middle),
            nn.Conv2d(middle, width, 3, stride=2, padding=1),
            Residual(width),
        )
        self.rows = nn.Parameter(torch.randn(GRID, 1, width) * 0.1)
        self.columns = nn.Parameter(torch.randn(1, GRID, width) * 0.1)
        self.blocks = nn.ModuleList(Layer(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.queries = nn.Parameter(torch.randn(_QUERIES, width) * width**-0.5)
        self.pool = Attention(width, heads)
        self.projection = nn.Sequential(
            nn.Linear(_QUERIES * width, _QUERIES * width), nn.GELU(), nn.Linear(_QUERIES * width, embed_dim)
        )

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (n, embed_dim) vectors and (n, 64, width) patches, row by row, of (n, 3, 64, 64) pictures."""
        patches = self.stem(images.contiguous(memory_format=torch.channels_last)).flatten(2).transpose(1, 2)
        place = (self.rows + self.columns).flatten(0, 1).to(patches.dtype)
        tokens = patches + place
        for block in self.blocks:
            tokens = block(tokens)
        # The decoder's keys and the pool's need to know where they are, which the layers have no reason to keep.
        tokens = self.norm(tokens) + place
        pooled = self.pool(self.queries.to(tokens.dtype).expand(len(tokens), -1, -1), tokens)
        return self.projection(pooled.flatten(1)), tokens


class Residual(nn.Module):
    """A pair of 3 x 3 convolutions whose outcome is added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what has the shape of `x`, (n, channels, height, width)."""
        inner = nn.functional.gelu(self.first(self.norm(x)))
        return x + cast(torch.Tensor, self.second(inner))


class Attention(nn.Module):
    """Queries that look at keys, with learnt maps before and after."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """Return (n, t, width) of (n, t, width) queries and (n, s, width) keys."""
        k, v = self.key_value(keys).chunk(2, dim=-1)
        return cast(torch.Tensor, self.out(attend(self.query(queries), k, v, self.heads, None)))


class Layer(nn.Module):
    """A transformer layer that norms before it attends (Dosovitskiy et al. 2021)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what has the shape of `x`, (n, t, width)."""
        normed = self.norm1(x)
        x = x + self.attention(normed, normed)
        return x + cast(torch.Tensor, self.mlp(self.norm2(x)))


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each pixel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what has the shape of `x`, (n, channels, height, width)."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


@register_model
def mmbench_tiny(
    pretrained: bool = False,
    pretrained_cfg: object = None,
    pretrained_cfg_overlay: object = None,
    cache_dir: object = None,
    num_classes: int = 0,
    global_pool: str = "",
) -> Tower:
    """Return the tower of tiny-coca; the arguments are timm's and change nothing."""
    return Tower(stem=32, middle=64, width=128, layers=2, heads=4, embed_dim=256)


@register_model
def mmbench_micro(
    pretrained: bool = False,
    pretrained_cfg: object = None,
    pretrained_cfg_overlay: object = None,
    cache_dir: object = None,
    num_classes: int = 0,
    global_pool: str = "",
) -> Tower:
    """Return the tower of micro-coca; the arguments are timm's and change nothing."""
    return Tower(stem=16, middle=32, width=64, layers=2, heads=4, embed_dim=128)
