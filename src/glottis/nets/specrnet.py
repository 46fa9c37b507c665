"""SpecRNet: a light residual net on a spectrogram, with a GRU.

Source: Kawa et al., "SpecRNet: towards faster and more accessible audio DeepFake detection", 2022, and
piotrkawa/specrnet, whose names the parameters have.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import find_frontend

SLOPE = 0.3
WIDTHS = (1, 20, 64, 64)
HIDDEN = 64


class _Block(nn.Module):
    """Maps ``(batch, c_in, f, t)`` to ``(batch, c_out, f / 2, t / 2)``; `bn1` does nothing, as published."""

    def __init__(self, c_in: int, c_out: int, *, first: bool) -> None:
        super().__init__()
        self.bn1 = None if first else nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.conv_downsample = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else None

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        out = self.conv2(functional.leaky_relu(self.bn2(self.conv1(maps)), SLOPE))
        out = out + (maps if self.conv_downsample is None else self.conv_downsample(maps))
        return functional.max_pool2d(out, 2)


class SpecRNet(Countermeasure):
    """SpecRNet; its six poolings must bring the front-end's bands to one, so that there are 64 to 127 of them.

    Args:
        frontend: A key of `glottis.nets.frontends.FRONTENDS` with 64 to 127 bands, such as ``lfb80`` or ``mel80``.
    """

    head_kind = "logit"

    def __init__(self, *, frontend: str = "lfb80") -> None:
        super().__init__()
        self.frontend = find_frontend(frontend)
        self.first_bn = nn.BatchNorm2d(1)
        for i, (c_in, c_out) in enumerate(pairwise(WIDTHS)):
            self.add_module(f"block{2 * i}", nn.Sequential(_Block(c_in, c_out, first=i == 0)))
            self.add_module(f"fc_attention{2 * i}", nn.Sequential(nn.Linear(c_out, c_out)))
        self.bn_before_gru = nn.BatchNorm2d(WIDTHS[-1])
        self.gru = nn.GRU(WIDTHS[-1], HIDDEN, num_layers=2, batch_first=True, bidirectional=True)
        self.fc1_gru = nn.Linear(2 * HIDDEN, 2 * HIDDEN)
        self.fc2_gru = nn.Linear(2 * HIDDEN, 1)

    def blocks(self) -> list[nn.Module]:
        """See `Countermeasure`."""
        return [self.get_submodule(f"block{i}") for i in (0, 2, 4)]

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`; ``(batch, 128)``."""
        return self.embed_maps(self.frontend(samples))

    def embed_maps(self, maps: Tensor) -> Tensor:
        """From the front-end's ``(batch, 1, bands, frames)``."""
        maps = functional.selu(self.first_bn(maps))
        for i in (0, 2, 4):
            maps = self.get_submodule(f"block{i}")(maps)
            gate = torch.sigmoid(self.get_submodule(f"fc_attention{i}")(maps.mean(dim=(2, 3))))[:, :, None, None]
            maps = functional.max_pool2d(maps * gate + gate, 2)
        frames = functional.selu(self.bn_before_gru(maps))[:, :, 0].transpose(1, 2)
        heard, _ = self.gru(frames)
        embedding: Tensor = self.fc1_gru(heard[:, -1])
        return embedding

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        logit: Tensor = self.fc2_gru(embedding)
        return logit
