"""From frames to one vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class AttentiveStatistics(nn.Module):
    """Weighted mean and deviation over time (Okabe et al., 2018): ``(batch, d, t)`` to ``(batch, 2 d)``."""

    def __init__(self, features: int, hidden: int = 32) -> None:
        super().__init__()
        self.attention = nn.Sequential(
            nn.Conv1d(features, hidden, 1), nn.Tanh(), nn.Conv1d(hidden, features, 1), nn.Softmax(dim=2)
        )

    def forward(self, frames: Tensor) -> Tensor:
        """See the class."""
        weight = self.attention(frames)
        mean = (weight * frames).sum(dim=2)
        variance = (weight * frames.square()).sum(dim=2) - mean.square()
        return torch.cat([mean, variance.clamp(min=1e-5).sqrt()], dim=1)
