"""Conformer blocks and a class token that they tell, named as in the two published systems that use them.

Sources: Gulati et al., "Conformer", 2020; Rosello et al., "A conformer-based classifier for variable-length utterance
processing in anti-spoofing", 2023 (lucidrains/conformer, relative positions); Truong et al., "Temporal-channel
modeling in multi-head self-attention for synthetic speech detection", 2024 (ductuantruong/tcm_add, head tokens).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError

FARTHEST = 512
"""Frames further apart than this share a relative position."""

PLACES = 10_000
"""Rows of the table of positions; no more frames fit."""


def _by_head(frames: Tensor, heads: int) -> Tensor:
    """``(batch, t, d)`` to ``(batch, heads, t, d / heads)``."""
    return frames.reshape(*frames.shape[:2], heads, -1).transpose(1, 2)


class RelativeAttention(nn.Module):
    """Self-attention that knows how far frames are apart (Shaw et al., 2018): ``(batch, t, d)``, the same."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.heads, self.scale = heads, (features // heads) ** -0.5
        self.to_q = nn.Linear(features, features, bias=False)
        self.to_kv = nn.Linear(features, 2 * features, bias=False)
        self.to_out = nn.Linear(features, features)
        self.rel_pos_emb = nn.Embedding(2 * FARTHEST + 1, features // heads)

    def forward(self, frames: Tensor) -> Tensor:
        """See the class."""
        query, key, value = (
            _by_head(one, self.heads) for one in (self.to_q(frames), *self.to_kv(frames).chunk(2, dim=2))
        )
        weight = ((query @ key.transpose(2, 3) + self._by_distance(query)) * self.scale).softmax(dim=3)
        joined: Tensor = self.to_out((weight @ value).transpose(1, 2).flatten(2))
        return joined

    def _by_distance(self, query: Tensor) -> Tensor:
        """Of each query, its products with the embeddings of the distances i - j: ``(batch, heads, t, t)``.

        All 2 t - 1 distances at once, then each row is moved to its place by reading a wider matrix as a narrower one.
        """
        count = int(query.shape[2])
        distance = torch.arange(count - 1, -count, -1, device=query.device).clamp(-FARTHEST, FARTHEST)
        products = query @ self.rel_pos_emb(distance + FARTHEST).T
        flat = functional.pad(products, (0, 1)).flatten(2)[:, :, count - 1 : count - 1 + count * (2 * count - 1)]
        return flat.reshape(*query.shape[:2], count, 2 * count - 1)[..., :count]


class HeadTokenAttention(nn.Module):
    """Self-attention with a token for each head, the mean of its features; the first frame is the class token.

    The tokens are frames beside the others, and what they and the other frames became is added to the class token.
    """

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        width = features // heads
        self.heads, self.scale = heads, width**-0.5
        self.qkv = nn.Linear(features, 3 * features, bias=False)
        self.proj = nn.Linear(features, features)
        self.ht_proj = nn.Linear(width, features)
        self.ht_norm = nn.LayerNorm(width)
        self.pos_embed = nn.Parameter(torch.zeros(1, heads, features))

    def forward(self, frames: Tensor) -> Tensor:
        """Frames ``(batch, t, d)``, the class token first, to the same."""
        means = _by_head(frames.mean(dim=1, keepdim=True), self.heads)[:, :, 0]
        tokens = functional.gelu(self.ht_norm(_by_head(self.ht_proj(means), self.heads))).transpose(1, 2).flatten(2)
        every = torch.cat([frames, tokens + self.pos_embed], dim=1)
        query, key, value = (_by_head(one, self.heads) for one in self.qkv(every).chunk(3, dim=2))
        weight = (query @ key.transpose(2, 3) * self.scale).softmax(dim=3)
        joined = self.proj((weight @ value).transpose(1, 2).flatten(2))
        others, tokens = joined[:, 1 : -self.heads], joined[:, -self.heads :]
        told = joined[:, :1] + tokens.mean(dim=1, keepdim=True) + others.mean(dim=1, keepdim=True)
        return torch.cat([told, others], dim=1)


ATTENTIONS: dict[str, Callable[[int, int], nn.Module]] = {"relative": RelativeAttention, "tokens": HeadTokenAttention}


def _named(**parts: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(parts))


def _normed(features: int, part: nn.Module) -> nn.Module:
    return _named(norm=nn.LayerNorm(features), fn=part)


def _feed_forward(features: int, dropout: float) -> nn.Module:
    layers = nn.Sequential(
        *(nn.Linear(features, 4 * features), nn.SiLU(), nn.Dropout(dropout)),
        *(nn.Linear(4 * features, features), nn.Dropout(dropout)),
    )
    return _named(fn=_normed(features, _named(net=layers)))


class _Transposed(nn.Module):
    """Frames ``(batch, t, d)`` to ``(batch, d, t)``, and back."""

    def forward(self, frames: Tensor) -> Tensor:
        """See the class."""
        return frames.transpose(1, 2)


def _convolution(features: int, kernel: int, dropout: float) -> nn.Module:
    wide = 2 * features
    layers = nn.Sequential(
        *(nn.LayerNorm(features), _Transposed(), nn.Conv1d(features, 2 * wide, 1), nn.GLU(dim=1)),
        _named(conv=nn.Conv1d(wide, wide, kernel, padding=kernel // 2, groups=wide)),
        *(nn.BatchNorm1d(wide), nn.SiLU(), nn.Conv1d(wide, features, 1), _Transposed(), nn.Dropout(dropout)),
    )
    return _named(net=layers)


class ConformerBlock(nn.Module):
    """Frames ``(batch, t, d)``: half a feed-forward, attention, convolution, half a feed-forward, a norm.

    Args:
        features: d.
        heads: Of the attention.
        kernel: Frames that the convolution sees; odd.
        attention: A key of `ATTENTIONS`.
        dropout: In the feed-forwards and after the convolution.
    """

    def __init__(self, features: int, heads: int, kernel: int, attention: str, dropout: float) -> None:
        super().__init__()
        self.ff1, self.ff2 = (_feed_forward(features, dropout) for _ in range(2))
        self.attn = _normed(features, ATTENTIONS[attention](features, heads))
        self.conv = _convolution(features, kernel, dropout)
        self.post_norm = nn.LayerNorm(features)

    def forward(self, frames: Tensor) -> Tensor:
        """See the class."""
        frames = frames + 0.5 * self.ff1(frames)
        frames = frames + self.attn(frames)
        frames = frames + self.conv(frames)
        normed: Tensor = self.post_norm(frames + 0.5 * self.ff2(frames))
        return normed


class ClassTokenEncoder(nn.Module):
    """A learned frame before the others, told by some blocks: ``(batch, t, d)`` to ``(batch, d)``.

    Args:
        features: d.
        blocks: How many.
        heads: Of each attention.
        kernel: Frames that a convolution sees; odd.
        attention: ``relative``, or ``tokens``, where a fixed table of sines tells the positions.
        dropout: In the blocks; published without.

    Raises:
        RecipeError: The attention is unknown, the kernel even, the features odd, or the heads do not divide them.
    """

    positional_emb: Tensor

    def __init__(
        self, features: int, blocks: int = 4, heads: int = 4, kernel: int = 31, *, attention: str, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if attention not in ATTENTIONS or kernel % 2 == 0 or features % heads or features % 2:
            raise RecipeError(
                f"attention {attention!r}, kernel {kernel}, {heads} heads of {features} features",
                hint=f"attention: {' or '.join(ATTENTIONS)}; an odd kernel; even features, which the heads divide",
            )
        self.has_table = attention == "tokens"
        if self.has_table:
            self.register_buffer("positional_emb", _sines(PLACES, features)[None])
        self.class_token = nn.Parameter(torch.rand(1, features))
        self.encoder_blocks = nn.ModuleList(
            ConformerBlock(features, heads, kernel, attention, dropout) for _ in range(blocks)
        )

    def forward(self, frames: Tensor) -> Tensor:
        """See the class."""
        if self.has_table:
            frames = frames + self.positional_emb[:, : int(frames.shape[1])]
        frames = torch.cat([self.class_token.expand(frames.shape[0], 1, -1), frames], dim=1)
        for block in self.encoder_blocks:
            frames = block(frames)
        return frames[:, 0]


def _sines(count: int, features: int) -> Tensor:
    """Fixed positions (Vaswani et al., 2017), ``(count, features)``."""
    place = torch.arange(count)[:, None]
    rate = torch.exp(torch.arange(0, features, 2) * (-math.log(10_000) / features))
    return torch.stack([torch.sin(place * rate), torch.cos(place * rate)], dim=2).flatten(1)
