"""AASIST and AASIST-L: spectral and temporal graphs that hear each other.

Source: Jung et al., "AASIST: audio anti-spoofing using integrated spectro-temporal graph attention networks", 2022,
and clovaai/aasist; parameters have the names of its state dict, so that published weights load.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.nets.blocks.graph import GraphAttention, GraphPool, HeterogeneousAttention
from glottis.nets.blocks.raw_residual import RawResidual
from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import USUAL_HZ, Sinc, SpecAugment


class GraphBackend(nn.Module):
    """The two graphs of AASIST, from maps to the last hidden layer ``(batch, 5 * d)``.

    Args:
        channels: Features of a node.
        spectral: How many spectral nodes there are.
        dims: Features of a node after the first attention, and after the heterogeneous ones.
        ratios: Shares of nodes kept: spectral, temporal, then of both kinds.
        temperatures: Of the first attentions (two) and of the heterogeneous ones.
    """

    def __init__(
        self,
        channels: int,
        spectral: int,
        dims: Sequence[int] = (64, 32),
        ratios: Sequence[float] = (0.5, 0.7, 0.5),
        temperatures: Sequence[float] = (2.0, 2.0, 100.0),
    ) -> None:
        super().__init__()
        first, last = dims
        self.pos_S = nn.Parameter(torch.randn(1, spectral, channels))
        self.master1, self.master2 = nn.Parameter(torch.randn(1, 1, first)), nn.Parameter(torch.randn(1, 1, first))
        self.GAT_layer_S = GraphAttention(channels, first, temperatures[0])
        self.GAT_layer_T = GraphAttention(channels, first, temperatures[1])
        self.pool_S, self.pool_T = GraphPool(first, ratios[0]), GraphPool(first, ratios[1])
        for branch in ("1", "2"):
            self.add_module(f"HtrgGAT_layer_ST{branch}1", HeterogeneousAttention(first, last, temperatures[2]))
            self.add_module(f"HtrgGAT_layer_ST{branch}2", HeterogeneousAttention(last, last, temperatures[2]))
            self.add_module(f"pool_hS{branch}", GraphPool(last, ratios[2]))
            self.add_module(f"pool_hT{branch}", GraphPool(last, ratios[2]))
        self.drop_way = nn.Dropout(0.2)

    def read(self, spectral: Tensor, temporal: Tensor) -> Tensor:
        """Nodes ``(batch, n, channels)`` of both kinds to the last hidden layer."""
        spectral = self.pool_S(self.GAT_layer_S(spectral + self.pos_S))
        temporal = self.pool_T(self.GAT_layer_T(temporal))
        ways = [self._way(branch, spectral, temporal) for branch in ("1", "2")]
        t, s, master = (torch.maximum(self.drop_way(a), self.drop_way(b)) for a, b in zip(*ways, strict=True))
        parts = [t.abs().amax(dim=1), t.mean(dim=1), s.abs().amax(dim=1), s.mean(dim=1), master[:, 0]]
        return torch.cat(parts, dim=1)

    def _way(self, branch: str, spectral: Tensor, temporal: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        first, second = (self.get_submodule(f"HtrgGAT_layer_ST{branch}{layer}") for layer in "12")
        t, s, master = first(temporal, spectral, self.get_parameter(f"master{branch}"))
        t, s = self.get_submodule(f"pool_hT{branch}")(t), self.get_submodule(f"pool_hS{branch}")(s)
        t2, s2, master2 = second(t, s, master)
        return t + t2, s + s2, master + master2


class AASIST(GraphBackend, Countermeasure):
    """AASIST on samples; 64,600 of them in the paper, other lengths give other numbers of temporal nodes.

    Args:
        widths: Channels of the six residual blocks; AASIST-L has 32, 32, 24, 24, 24, 24.
        dims: See `GraphBackend`.
        ratios: See `GraphBackend`.
        bands: Filters of the sinc bank.
        taps: Their length.
        dropout: Before the last layer.
        mask_bands: Most neighbouring filters that are silenced while it learns; 0 for none, as published.
        sample_rate_hz: Of the samples.
    """

    head_kind = "two_logits"

    def __init__(
        self,
        *,
        widths: Sequence[int] = (32, 32, 64, 64, 64, 64),
        dims: Sequence[int] = (64, 32),
        ratios: Sequence[float] = (0.5, 0.7, 0.5),
        bands: int = 70,
        taps: int = 128,
        dropout: float = 0.5,
        mask_bands: int = 0,
        sample_rate_hz: int = USUAL_HZ,
    ) -> None:
        super().__init__(widths[-1], bands // 3, dims, ratios)
        self.conv_time = Sinc(bands, taps, sample_rate_hz=sample_rate_hz)
        self.mask = SpecAugment(mask_bands, masks=1)
        self.first_bn = nn.BatchNorm2d(1)
        before = (1, *widths[:-1])
        self.encoder = nn.Sequential(
            *(
                nn.Sequential(RawResidual(c_in, c_out, first=i == 0))
                for i, (c_in, c_out) in enumerate(zip(before, widths, strict=True))
            )
        )
        self.drop = nn.Dropout(dropout)
        self.out_layer = nn.Linear(5 * dims[1], 2)

    def blocks(self) -> list[nn.Module]:
        """See `Countermeasure`."""
        return list(self.encoder)

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`."""
        bands = functional.max_pool2d(self.mask(self.conv_time(samples)[:, None]).abs(), (3, 3))
        maps = self.encoder(functional.selu(self.first_bn(bands))).abs()
        return self.read(maps.amax(dim=3).transpose(1, 2), maps.amax(dim=2).transpose(1, 2))

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        logits: Tensor = self.out_layer(self.drop(embedding))
        return logits
