"""The residual blocks of RawNet2 and of SpecRNet, and the gate that follows them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.3


class LeakyResidual(nn.Module):
    """Features ``(batch, c_in, t)`` or ``(batch, c_in, f, t)`` to `c_out` channels, each axis divided by `pool`.

    In most published forms the first convolution hears the input and `bn1` does nothing; `alive` says that it hears
    LeakyReLU(BN1(input)).

    Args:
        c_in: Channels.
        c_out: Channels afterwards.
        axes: 1 for samples' features, 2 for maps.
        pool: See the class.
        first: Whether it is the first of its net, which has no `bn1`.
        alive: See the class.
    """

    def __init__(self, c_in: int, c_out: int, *, axes: int, pool: int, first: bool, alive: bool = False) -> None:
        super().__init__()
        conv, norm = (nn.Conv1d, nn.BatchNorm1d) if axes == 1 else (nn.Conv2d, nn.BatchNorm2d)
        self.alive = alive and not first
        if not first:
            self.bn1 = norm(c_in)
        self.conv1 = conv(c_in, c_out, 3, padding=1)
        self.bn2 = norm(c_out)
        self.conv2 = conv(c_out, c_out, 3, padding=1)
        self.conv_downsample = conv(c_in, c_out, 1) if c_in != c_out else None
        self.pool = nn.MaxPool1d(pool) if axes == 1 else nn.MaxPool2d(pool)

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        entry = functional.leaky_relu(self.bn1(features), SLOPE) if self.alive else features
        out = self.conv2(functional.leaky_relu(self.bn2(self.conv1(entry)), SLOPE))
        out = out + (features if self.conv_downsample is None else self.conv_downsample(features))
        pooled: Tensor = self.pool(out)
        return pooled


def scaled(features: Tensor, attention: nn.Module) -> Tensor:
    """Feature map scaling (Jung et al., 2020): x y + y, the gate y a sigmoid of `attention` on the means of x."""
    gate = torch.sigmoid(attention(features.flatten(2).mean(dim=2)))
    gate = gate.reshape(*gate.shape, *[1] * (features.dim() - 2))
    return features * gate + gate
