"""RawGAT-ST: a spectral and a temporal graph, fused into a third.

Source: Tak et al., "End-to-end spectro-temporal graph attention networks for speaker verification anti-spoofing and
speech deepfake detection", 2021, and eurecom-asp/RawGAT-ST-antispoofing, whose names the parameters have.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError
from glottis.nets.blocks.graph import GraphAttention, GraphPool
from glottis.nets.blocks.raw_residual import RawResidual
from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import Sinc, SpecAugment

WIDTHS = (32, 32, 64, 64, 64, 64)
SPECTRAL, TEMPORAL, FUSED, LAST = 14, 23, 12, 7
RATIOS = (0.64, 0.81, 0.64)
FUSIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mul": torch.mul,
    "add": torch.add,
    "cat": lambda a, b: torch.cat([a, b], dim=2),
}


class RawGATST(Countermeasure):
    """RawGAT-ST on 64,600 samples: its projections over the nodes tie it to that length.

    Args:
        fusion: How the graphs are joined: ``mul``, ``add`` or ``cat``.
        mask_bands: Most neighbouring filters that are silenced while it learns; published with 13.
    """

    head_kind = "two_logits"

    def __init__(self, *, fusion: str = "mul", mask_bands: int = 0) -> None:
        super().__init__()
        if fusion not in FUSIONS:
            raise RecipeError(f"unknown fusion {fusion!r}", hint=f"one of {', '.join(FUSIONS)}")
        self.fusion = fusion
        wide = 2 if fusion == "cat" else 1
        self.conv_time = Sinc(70, 128)
        self.mask = SpecAugment(mask_bands, masks=1)
        self.first_bn = nn.BatchNorm2d(1)
        self.encoder1, self.encoder2 = _encoder(), _encoder()
        self.GAT_layer1, self.GAT_layer2 = GraphAttention(64, 32), GraphAttention(64, 32)
        self.pool1 = GraphPool(32, RATIOS[0], least=2)
        self.pool2 = GraphPool(32, RATIOS[1], least=2)
        self.proj1, self.proj2 = nn.Linear(SPECTRAL, FUSED), nn.Linear(TEMPORAL, FUSED)
        self.GAT_layer3 = GraphAttention(32 * wide, 16 * wide)
        self.pool3 = GraphPool(16 * wide, RATIOS[2], least=2)
        self.proj = nn.Linear(16 * wide, 1)
        self.proj_node = nn.Linear(LAST, 2)

    def blocks(self) -> list[nn.Module]:
        """See `Countermeasure`."""
        return list(self.encoder1)

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`; ``(batch, 7)``."""
        bands = functional.max_pool2d(self.mask(self.conv_time(samples)[:, None]).abs(), (3, 3))
        bands = functional.selu(self.first_bn(bands))
        spectral = self.encoder1(bands).abs().amax(dim=3).transpose(1, 2)
        temporal = self.encoder2(bands).abs().amax(dim=2).transpose(1, 2)
        first = self.proj1(self.pool1(self.GAT_layer1(spectral)).transpose(1, 2)).transpose(1, 2)
        second = self.proj2(self.pool2(self.GAT_layer2(temporal)).transpose(1, 2)).transpose(1, 2)
        fused = FUSIONS[self.fusion](first, second)
        embedding: Tensor = self.proj(self.pool3(self.GAT_layer3(fused)))[..., 0]
        return embedding

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        logits: Tensor = self.proj_node(embedding)
        return logits


def _encoder() -> nn.Sequential:
    before = (1, *WIDTHS[:-1])
    pairs = enumerate(zip(before, WIDTHS, strict=True))
    blocks = (RawResidual(c_in, c_out, first=i == 0, spare=True) for i, (c_in, c_out) in pairs)
    return nn.Sequential(*(nn.Sequential(block) for block in blocks))
