"""Attention over channels."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError


class SE(nn.Module):
    """Squeeze and excitation (Hu et al., 2018): maps ``(batch, c, h, w)`` are scaled by channel."""

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, channels // reduction)
        self.excite = nn.Linear(channels // reduction, channels)

    def forward(self, maps: Tensor) -> Tensor:
        """Scale each channel by a gate between 0 and 1."""
        gate = torch.sigmoid(self.excite(functional.relu(self.squeeze(maps.mean(dim=(2, 3))))))
        return maps * gate[:, :, None, None]


class ECA(nn.Module):
    """Efficient channel attention (Wang et al., 2020), kernel by the paper's rule (gamma 2, b 1)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        size = int(abs((math.log2(channels) + 1) / 2))
        size += 1 - size % 2
        self.mix = nn.Conv1d(1, 1, size, padding=size // 2, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Scale each channel by a gate made of its neighbours' means."""
        gate = torch.sigmoid(self.mix(maps.mean(dim=(2, 3))[:, None, :])[:, 0, :])
        return maps * gate[:, :, None, None]


def channel_attention(kind: str, channels: int) -> nn.Module:
    """``se``, ``eca`` or ``none``."""
    if kind == "se":
        return SE(channels)
    if kind == "eca":
        return ECA(channels)
    if kind == "none":
        return nn.Identity()
    raise RecipeError(f"unknown attention {kind!r}", hint="se, eca or none")
