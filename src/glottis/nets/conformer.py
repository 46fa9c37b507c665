"""A Conformer on a spectrum, with a class token.

Sources: Gulati et al., "Conformer", 2020, for the blocks; Rosello et al., "A conformer-based classifier for variable-
length utterance processing in anti-spoofing", 2023, for the class token. No paper describes exactly this net.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import find_frontend, rows_of
from glottis.nets.heads import make_head


class ConformerBlock(nn.Module):
    """Frames ``(batch, t, d)``: half a feed-forward, attention, convolution, half a feed-forward, a norm.

    Args:
        features: d.
        heads: Of the attention.
        kernel: Frames that the convolution sees; odd.
        dropout: After each part.
    """

    def __init__(self, features: int, heads: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.feed1, self.feed2 = (_feed_forward(features, dropout) for _ in range(2))
        self.norm_attention = nn.LayerNorm(features)
        self.query_key_value = nn.Linear(features, 3 * features)
        self.joined = nn.Linear(features, features)
        self.heads = heads
        self.norm_conv = nn.LayerNorm(features)
        self.gate = nn.Conv1d(features, 2 * features, 1)
        self.depthwise = nn.Conv1d(features, features, kernel, padding=kernel // 2, groups=features)
        self.norm_depthwise = nn.BatchNorm1d(features)
        self.pointwise = nn.Conv1d(features, features, 1)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(features)

    def forward(self, frames: Tensor) -> Tensor:
        """See the class."""
        frames = frames + 0.5 * self.feed1(frames)
        frames = frames + self.dropout(self._attend(self.norm_attention(frames)))
        frames = frames + self.dropout(self._convolve(self.norm_conv(frames)))
        frames = frames + 0.5 * self.feed2(frames)
        normed: Tensor = self.norm(frames)
        return normed

    def _attend(self, frames: Tensor) -> Tensor:
        batch, count, features = frames.shape
        split = self.query_key_value(frames).reshape(batch, count, 3, self.heads, features // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        weight = (query @ key.transpose(2, 3) / math.sqrt(features // self.heads)).softmax(dim=-1)
        joined: Tensor = self.joined((weight @ value).transpose(1, 2).reshape(batch, count, features))
        return joined

    def _convolve(self, frames: Tensor) -> Tensor:
        maps = functional.glu(self.gate(frames.transpose(1, 2)), dim=1)
        out: Tensor = self.pointwise(functional.silu(self.norm_depthwise(self.depthwise(maps)))).transpose(1, 2)
        return out


def _feed_forward(features: int, dropout: float) -> nn.Module:
    return nn.Sequential(
        nn.LayerNorm(features),
        nn.Linear(features, 4 * features),
        nn.SiLU(),
        nn.Dropout(dropout),
        nn.Linear(4 * features, features),
        nn.Dropout(dropout),
    )


class ClassToken(nn.Module):
    """A learned frame before the others, told by some blocks: ``(batch, t, d)`` to ``(batch, d)``.

    Positions are fixed sines (Vaswani et al., 2017), so that any number of frames will do.
    """

    def __init__(self, blocks: int, features: int, heads: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.rand(1, 1, features))
        self.blocks = nn.Sequential(*(ConformerBlock(features, heads, kernel, dropout) for _ in range(blocks)))

    def forward(self, frames: Tensor) -> Tensor:
        """See the class."""
        frames = frames + _positions(frames.shape[1], frames.shape[2], frames.device)
        told: Tensor = self.blocks(torch.cat([self.token.expand(frames.shape[0], -1, -1), frames], dim=1))[:, 0]
        return told


def _positions(count: int, features: int, device: torch.device) -> Tensor:
    place = torch.arange(count, device=device)[:, None]
    rate = torch.exp(torch.arange(0, features, 2, device=device) * (-math.log(10_000) / features))
    return torch.stack([torch.sin(place * rate), torch.cos(place * rate)], dim=2).flatten(1)


class Conformer(Countermeasure):
    """Frames of a spectrum, four at a time, through Conformer blocks.

    Args:
        frontend: A key of `glottis.nets.frontends.FRONTENDS`.
        blocks: How many.
        features: Of a frame.
        heads: Of each attention.
        kernel: Frames that a convolution sees.
        dropout: In the blocks.
        head: A key of `glottis.nets.heads.HEADS`.
    """

    def __init__(
        self,
        *,
        frontend: str = "mel80",
        blocks: int = 4,
        features: int = 144,
        heads: int = 4,
        kernel: int = 31,
        dropout: float = 0.1,
        head: str = "two_logits",
    ) -> None:
        super().__init__()
        self.head_kind = head
        self.frontend = find_frontend(frontend)
        self.narrow = nn.Sequential(
            nn.BatchNorm2d(1),
            nn.Conv2d(1, 32, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, 2, 1),
            nn.ReLU(),
        )
        halved = (rows_of(self.frontend) + 1) // 2
        self.project = nn.Linear(32 * ((halved + 1) // 2), features)
        self.encoder = ClassToken(blocks, features, heads, kernel, dropout)
        self.output = make_head(head, features)

    def blocks(self) -> list[nn.Module]:
        """See `Countermeasure`."""
        return list(self.encoder.blocks)

    def time_last(self, found: Tensor) -> Tensor:
        """See `Countermeasure`."""
        return found.transpose(1, 2)

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`; ``(batch, features)``."""
        maps = self.narrow(self.frontend(samples))
        told: Tensor = self.encoder(self.project(maps.permute(0, 3, 1, 2).flatten(2)))
        return told

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        found: Tensor = self.output(embedding)
        return found
