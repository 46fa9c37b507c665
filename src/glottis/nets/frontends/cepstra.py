"""Filter banks and cepstra: log energies in bands that are triangles on a linear or a mel scale, and their cosines."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError
from glottis.nets.frontends.spectrum import USUAL_HZ, PowerSpectrum, at_rate, in_float32, pre_emphasise

_EPS = 1.1920928955078125e-07


def corners_hz(bands: int, top_hz: float, scale: str) -> Tensor:
    """The corners ``(bands + 2,)`` of triangular filters from 0 Hz to `top_hz`, evenly spaced on a scale.

    Args:
        bands: How many.
        top_hz: The last corner.
        scale: ``linear``; ``mel`` (2595 log10(1 + f / 700)); ``slaney``: linear up to 1 kHz, logarithmic above
            (Slaney's Auditory Toolbox, 1998).

    Raises:
        RecipeError: An unknown scale.
    """
    if scale == "linear":
        return torch.linspace(0, top_hz, bands + 2, dtype=torch.float64)
    if scale == "mel":
        top = 2595 * math.log10(1 + top_hz / 700)
        return 700 * (10 ** (torch.linspace(0, top, bands + 2, dtype=torch.float64) / 2595) - 1)
    if scale == "slaney":
        at_1_khz, step = 15.0, math.log(6.4) / 27
        top = at_1_khz + math.log(top_hz / 1000) / step if top_hz > 1000 else top_hz * 3 / 200  # noqa: PLR2004 (1 kHz)
        mel = torch.linspace(0, top, bands + 2, dtype=torch.float64)
        return torch.where(mel < at_1_khz, mel * 200 / 3, 1000 * torch.exp((mel - at_1_khz) * step))
    raise RecipeError(f"unknown scale {scale!r}", hint="linear, mel or slaney")


def triangles(bands: int, bins: int, top_hz: float, scale: str) -> Tensor:
    """Triangular filters ``(bins, bands)`` over bins from 0 Hz to `top_hz`, each of height 1.

    Args:
        bands: How many.
        bins: Of the spectrum below.
        top_hz: The frequency of the last bin.
        scale: See `corners_hz`.

    Raises:
        RecipeError: An unknown scale.
    """
    corners = corners_hz(bands, top_hz, scale)
    hz = torch.linspace(0, top_hz, bins, dtype=torch.float64)[:, None]
    rise = (hz - corners[:-2]) / (corners[1:-1] - corners[:-2])
    fall = (corners[2:] - hz) / (corners[2:] - corners[1:-1])
    return torch.minimum(rise, fall).clamp(min=0).float()


def cosines(size: int) -> Tensor:
    """The orthonormal DCT-II as a matrix ``(size, size)``, for columns of coefficients."""
    place = torch.arange(size, dtype=torch.float64)
    matrix = torch.cos(math.pi / size * (place[:, None] + 0.5) * place) * math.sqrt(2 / size)
    matrix[:, 0] /= math.sqrt(2)
    return matrix.float()


def deltas(frames: Tensor) -> Tensor:
    """x[t + 1] - x[t - 1] over the last axis, the ends repeated."""
    padded = functional.pad(frames, (1, 1), mode="replicate")
    return padded[..., 2:] - padded[..., :-2]


class FilterBank(nn.Module):
    """Samples ``(batch, n)`` to log10 of band energies, ``(batch, bands, frames)``.

    Args:
        bands: How many.
        scale: ``linear`` or ``mel``.
        n_fft: The transform, in samples at 16 kHz.
        hop_samples: The step, likewise.
        window_samples: The length of the Hamming window, likewise.
        bins: How many of the lowest bins the bands cover; by default all.
        emphasis: Of the samples before; 0 for none.
        sample_rate_hz: Of the samples.
    """

    bank: Tensor

    def __init__(
        self,
        bands: int = 80,
        scale: str = "mel",
        *,
        n_fft: int = 512,
        hop_samples: int = 160,
        window_samples: int = 400,
        bins: int | None = None,
        emphasis: float = 0.97,
        sample_rate_hz: int = USUAL_HZ,
    ) -> None:
        super().__init__()
        n_fft, hop_samples, window_samples = (at_rate(n, sample_rate_hz) for n in (n_fft, hop_samples, window_samples))
        self.n_fft, self.emphasis = n_fft, emphasis
        self.spectrum = PowerSpectrum(n_fft, hop_samples, window_samples=window_samples, window="hamming", bins=bins)
        top_hz = sample_rate_hz / 2 if bins is None else sample_rate_hz / 2 * bins / (n_fft // 2)
        self.register_buffer("bank", triangles(bands, self.spectrum.bins, top_hz, scale), persistent=False)

    def power(self, samples: Tensor) -> Tensor:
        """The power spectrum that the bands are made of."""
        power: Tensor = self.spectrum(pre_emphasise(samples, self.emphasis) if self.emphasis else samples)
        return power

    @in_float32
    def forward(self, samples: Tensor) -> Tensor:
        """See the class."""
        return self.of_power(self.power(samples))

    def of_power(self, power: Tensor) -> Tensor:
        """Log energies of a power spectrum ``(batch, bins, frames)``."""
        return torch.log10(torch.matmul(self.bank.T, power) + _EPS)


class Cepstra(nn.Module):
    """Cepstra with both deltas: ``(batch, n)`` to ``(batch, 3 * coefficients, frames)``.

    With the defaults these are the LFCC of the ASVspoof baselines in NII's torch form: coefficient 0 is replaced by
    the log energy; deltas are differences of neighbours, not divided. Source: project-NN-Pytorch-scripts.

    Args:
        coefficients: How many.
        scale: ``linear`` (LFCC) or ``mel`` (MFCC).
        bands: Of the bank; by default as many as coefficients.
        n_fft: See `FilterBank`.
        hop_samples: See `FilterBank`.
        window_samples: See `FilterBank`.
        bins: See `FilterBank`.
        emphasis: See `FilterBank`.
        sample_rate_hz: See `FilterBank`.
        energy: Whether the log energy replaces coefficient 0.
    """

    matrix: Tensor

    def __init__(
        self,
        coefficients: int = 20,
        scale: str = "linear",
        *,
        bands: int | None = None,
        n_fft: int = 512,
        hop_samples: int = 160,
        window_samples: int = 320,
        bins: int | None = None,
        emphasis: float = 0.97,
        sample_rate_hz: int = USUAL_HZ,
        energy: bool = True,
    ) -> None:
        super().__init__()
        self.energy = energy
        self.bands = FilterBank(
            bands or coefficients,
            scale,
            n_fft=n_fft,
            hop_samples=hop_samples,
            window_samples=window_samples,
            bins=bins,
            emphasis=emphasis,
            sample_rate_hz=sample_rate_hz,
        )
        self.register_buffer("matrix", cosines(bands or coefficients)[:, :coefficients], persistent=False)

    @in_float32
    def forward(self, samples: Tensor) -> Tensor:
        """See the class."""
        power = self.bands.power(samples)
        cepstra = torch.matmul(self.matrix.T, self.bands.of_power(power))
        if self.energy:
            energy = torch.log10(power.sum(dim=1, keepdim=True) / self.bands.n_fft + _EPS)
            cepstra = torch.cat([energy, cepstra[:, 1:]], dim=1)
        first = deltas(cepstra)
        return torch.cat([cepstra, first, deltas(first)], dim=1)
