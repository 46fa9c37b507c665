"""A bank of band-pass filters on the samples, their edges on the mel scale: windowed differences of two sincs."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.nets.frontends.spectrum import USUAL_HZ, at_rate, in_float32


def mel_edges(bands: int, points: int | None = None, sample_rate_hz: int = USUAL_HZ) -> Tensor:
    """Edges in Hz ``(bands + 1,)``, evenly spaced in mel from 0 to half the rate.

    RawNet2 of 2019 spaced 131 points for its 128 filters and used the first 129; `points` does so.
    """
    top = 2595 * torch.log10(torch.tensor(1 + sample_rate_hz / 2 / 700, dtype=torch.float64))
    mel = torch.arange(points or bands + 1, dtype=torch.float64) * top / ((points or bands + 1) - 1)
    return (700 * (10 ** (mel / 2595) - 1))[: bands + 1]


def sinc_filters(edges_hz: Tensor, taps: int, sample_rate_hz: int = USUAL_HZ) -> Tensor:
    """Filters ``(bands, 1, taps)`` between neighbouring edges, under a symmetric Hamming window; `taps` becomes odd.

    The argument of the sinc is in float32, the rest in float64 until the end, as in the published code: AASIST's
    logits show every other rounding in their fifth digit.
    """
    taps += 1 - taps % 2
    place = np.arange(taps, dtype=np.float32) - np.float32((taps - 1) / 2)
    rate_hz = sample_rate_hz
    low_pass = [2 * hz / rate_hz * np.sinc(np.float32(2 * hz) * place / rate_hz) for hz in edges_hz.numpy()]
    window = np.hamming(taps).astype(np.float32)
    return torch.from_numpy(window * np.diff(low_pass, axis=0).astype(np.float32))[:, None]


def learned_filters(edges_hz: Tensor, taps: int, sample_rate_hz: int = USUAL_HZ) -> Tensor:
    """As `sinc_filters`, with a gradient for the edges."""
    taps += 1 - taps % 2
    place = torch.arange(taps, device=edges_hz.device) - (taps - 1) / 2
    turns = 2 * math.pi * edges_hz[:, None] * place / sample_rate_hz
    safe = torch.where(turns == 0, 1.0, turns)
    low_pass = 2 * edges_hz[:, None] / sample_rate_hz * torch.where(turns == 0, 1.0, torch.sin(safe) / safe)
    window = torch.hamming_window(taps, periodic=False, device=edges_hz.device)
    return (window * (low_pass[1:] - low_pass[:-1]))[:, None]


class Sinc(nn.Module):
    """Samples ``(batch, n)`` to bands ``(batch, bands, n - taps + 1)``, with filters that stay, or learn their edges.

    Source: Ravanelli and Bengio, "Speaker recognition from raw waveform with SincNet", 2018; fixed as in RawNet2,
    RawGAT-ST and AASIST, whose state dicts do not hold the filters.

    Args:
        bands: How many.
        taps: Their length at 16 kHz, made odd.
        points: See `mel_edges`.
        learned: Whether the edges are parameters.
        sample_rate_hz: Of the samples.
    """

    filters: Tensor

    def __init__(
        self,
        bands: int,
        taps: int,
        *,
        points: int | None = None,
        learned: bool = False,
        sample_rate_hz: int = USUAL_HZ,
    ) -> None:
        super().__init__()
        self.taps, self.learned, self.rate_hz = at_rate(taps, sample_rate_hz), learned, sample_rate_hz
        edges = mel_edges(bands, points, sample_rate_hz)
        if learned:
            self.edges_hz = nn.Parameter(edges.float())
        else:
            self.register_buffer("filters", sinc_filters(edges, self.taps, sample_rate_hz), persistent=False)

    @in_float32
    def forward(self, samples: Tensor) -> Tensor:
        """See the class."""
        if self.learned:
            edges = self.edges_hz.clamp(0, self.rate_hz / 2).sort().values
            return functional.conv1d(samples[:, None, :], learned_filters(edges, self.taps, self.rate_hz))
        return functional.conv1d(samples[:, None, :], self.filters)
