"""The basic residual block (He et al., 2016) with attention over channels."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from glottis.nets.blocks.attention import channel_attention


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions; ``(batch, c_in, h, w)`` to ``(batch, c_out, h / stride, w / stride)``."""

    def __init__(self, c_in: int, c_out: int, stride: int, attention: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.attention = channel_attention(attention, c_out)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        out = functional.relu(self.bn1(self.conv1(maps)))
        out = self.attention(self.bn2(self.conv2(out)))
        return functional.relu(out + self.shortcut(maps))
