"""Wavelet packets: the signal halved into bands again and again, by a pair of orthogonal filters."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.nets.frontends.spectrum import USUAL_HZ, at_rate, in_float32

DB4 = (
    *(0.23037781330885523, 0.7148465705525415, 0.6308807679295904, -0.02798376941698385),
    *(-0.18703481171888114, 0.030841381835986965, 0.032883011666982945, -0.010597401784997278),
)
"""Daubechies' scaling filter with four vanishing moments ("Ten lectures on wavelets", 1992, table 6.1)."""

_EPS = 1e-9


class WaveletPackets(nn.Module):
    """Samples ``(batch, n)`` to log energies ``(batch, 2^levels, frames)`` of their wavelet packets.

    Bands stand in order of frequency. A frame is a stretch of `hop_samples`.

    Args:
        levels: How often the band is halved.
        hop_samples: Samples in a frame, at 16 kHz.
        sample_rate_hz: Of the samples; the bands part what lies below half of it.
    """

    filters: Tensor

    def __init__(self, levels: int = 4, hop_samples: int = 160, sample_rate_hz: int = USUAL_HZ) -> None:
        super().__init__()
        self.levels, self.hop_samples, self.bands = levels, at_rate(hop_samples, sample_rate_hz), 2**levels
        low = torch.tensor(DB4)
        high = low.flip(0) * torch.tensor([1.0, -1.0] * 4)
        self.register_buffer("filters", torch.stack([low, high])[:, None], persistent=False)
        order = [0]
        for _ in range(levels):
            order = [
                2 * band + (side if place % 2 == 0 else 1 - side) for place, band in enumerate(order) for side in (0, 1)
            ]
        self.order = order

    @in_float32
    def forward(self, samples: Tensor) -> Tensor:
        """See the class."""
        bands = samples[:, None]
        for level in range(self.levels):
            count = 2**level
            padded = functional.pad(bands, (3, 4))
            bands = functional.conv1d(padded, self.filters.repeat(count, 1, 1), stride=2, groups=count)
        energy = functional.avg_pool1d(bands.square(), self.hop_samples >> self.levels)
        return torch.log(energy[:, self.order] + _EPS)
