"""The constant-Q transform: bins a fixed part of an octave apart, each with a window of as many periods."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.nets.frontends.cepstra import cosines, deltas
from glottis.nets.frontends.spectrum import USUAL_HZ, at_rate, in_float32

_EPS = 1e-9


class ConstantQ(nn.Module):
    """Samples ``(batch, n)`` to log power ``(batch, bins, frames)``, as one strided convolution.

    Source: Brown, "Calculation of a constant Q spectral transform", 1991; 12 bins to an octave from 62.5 Hz as in the
    ASVspoof 2021 baseline, whose cepstra are those of uniformly resampled bins.

    Args:
        per_octave: Bins to an octave.
        lowest_hz: The first bin.
        hop_samples: Step between frames, at 16 kHz.
        sample_rate_hz: Of the samples; bins go up to half of it.
    """

    kernel: Tensor

    def __init__(
        self,
        per_octave: int = 12,
        lowest_hz: float = 62.5,
        *,
        hop_samples: int = 256,
        sample_rate_hz: int = USUAL_HZ,
    ) -> None:
        super().__init__()
        self.hop_samples = at_rate(hop_samples, sample_rate_hz)
        self.bins = math.ceil(per_octave * math.log2(sample_rate_hz / 2 / lowest_hz)) - 1
        quality = 1 / (2 ** (1 / per_octave) - 1)
        hz = [lowest_hz * 2 ** (k / per_octave) for k in range(self.bins)]
        longest = math.ceil(quality * sample_rate_hz / lowest_hz)
        longest += 1 - longest % 2
        self.reach = longest // 2
        kernel = torch.zeros(2 * self.bins, longest, dtype=torch.float64)
        place = torch.arange(longest, dtype=torch.float64) - self.reach
        for k, frequency in enumerate(hz):
            length = quality * sample_rate_hz / frequency
            window = torch.where(place.abs() <= length / 2, 0.5 + 0.5 * torch.cos(2 * math.pi * place / length), 0.0)
            window /= window.sum()
            kernel[k] = window * torch.cos(2 * math.pi * frequency / sample_rate_hz * place)
            kernel[self.bins + k] = window * torch.sin(2 * math.pi * frequency / sample_rate_hz * place)
        self.register_buffer("kernel", kernel.float()[:, None], persistent=False)

    @in_float32
    def forward(self, samples: Tensor) -> Tensor:
        """See the class."""
        padded = functional.pad(samples, (self.reach, self.reach))[:, None]
        cosine, sine = functional.conv1d(padded, self.kernel, stride=self.hop_samples).chunk(2, dim=1)
        return torch.log(cosine.square() + sine.square() + _EPS)


class ConstantQCepstra(nn.Module):
    """CQCC with both deltas: ``(batch, n)`` to ``(batch, 3 * coefficients, frames)``.

    The bins, which are even in the logarithm of frequency, are read at evenly spaced frequencies by linear
    interpolation before the cosines (Todisco et al., "Constant Q cepstral coefficients", 2017).

    Args:
        coefficients: How many are kept.
        sample_rate_hz: Of the samples.
    """

    matrix: Tensor

    def __init__(self, coefficients: int = 20, sample_rate_hz: int = USUAL_HZ) -> None:
        super().__init__()
        self.transform = ConstantQ(sample_rate_hz=sample_rate_hz)
        bins, per_octave = self.transform.bins, 12
        even = torch.linspace(1, 2 ** ((bins - 1) / per_octave), bins, dtype=torch.float64)
        at = (per_octave * torch.log2(even)).clamp(0, bins - 1)
        left = at.floor().clamp(max=bins - 2).long()
        spread = torch.zeros(bins, bins, dtype=torch.float64)
        spread[left, torch.arange(bins)] = 1 - (at - left)
        spread[left + 1, torch.arange(bins)] += at - left
        self.register_buffer("matrix", (spread.float() @ cosines(bins))[:, :coefficients], persistent=False)

    @in_float32
    def forward(self, samples: Tensor) -> Tensor:
        """See the class."""
        cepstra = torch.matmul(self.matrix.T, self.transform(samples))
        first = deltas(cepstra)
        return torch.cat([cepstra, first, deltas(first)], dim=1)
