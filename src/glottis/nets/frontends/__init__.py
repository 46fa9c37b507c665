"""From samples to what a net looks at; every front-end is differentiable and stands inside the exported graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError
from glottis.nets.frontends.cepstra import Cepstra, FilterBank
from glottis.nets.frontends.constant_q import ConstantQ, ConstantQCepstra
from glottis.nets.frontends.f0_subband import F0Subband
from glottis.nets.frontends.log_spectrum import LogSpectrum
from glottis.nets.frontends.sinc import Sinc
from glottis.nets.frontends.spec_augment import SpecAugment
from glottis.nets.frontends.spectrum import USUAL_HZ, at_rate
from glottis.nets.frontends.wavelet import WaveletPackets

__all__ = [
    "FRONTENDS",
    "USUAL_HZ",
    "Cepstra",
    "ConstantQ",
    "ConstantQCepstra",
    "F0Subband",
    "FilterBank",
    "LogSpectrum",
    "Sinc",
    "SpecAugment",
    "WaveletPackets",
    "find_frontend",
    "rows_of",
]


class Maps(nn.Module):
    """A front-end's ``(batch, rows, frames)`` as maps of one channel."""

    def __init__(self, rows: nn.Module) -> None:
        super().__init__()
        self.rows = rows

    def forward(self, samples: Tensor) -> Tensor:
        """``(batch, 1, rows, frames)``."""
        maps: Tensor = self.rows(samples)[:, None]
        return maps


class LogBands(nn.Module):
    """Log energies of a bank's bands, a frame of 25 ms every 10: ``(batch, n)`` to ``(batch, bands, frames)``."""

    def __init__(self, bank: nn.Module, sample_rate_hz: int) -> None:
        super().__init__()
        self.bank = bank
        self.window_samples, self.hop_samples = (at_rate(one, sample_rate_hz) for one in (400, 160))

    def forward(self, samples: Tensor) -> Tensor:
        """See the class."""
        return torch.log(
            functional.avg_pool1d(self.bank(samples).square(), self.window_samples, self.hop_samples) + 1e-9
        )


def _cepstra(coefficients: int, scale: str, **settings: Any) -> Callable[[int], nn.Module]:
    return lambda hz: Maps(Cepstra(coefficients, scale, sample_rate_hz=hz, **settings))


FRONTENDS: dict[str, Callable[[int], nn.Module]] = {
    "f0_subband": F0Subband,
    "log_spectrum": lambda hz: LogSpectrum(sample_rate_hz=hz),
    "lfcc": _cepstra(20, "linear"),
    "lfcc_2019": _cepstra(20, "linear", energy=False),
    "lfcc_2021": _cepstra(
        *(20, "linear"), bands=70, n_fft=1024, hop_samples=240, window_samples=480, bins=256, emphasis=0.0, energy=False
    ),
    "mfcc": _cepstra(40, "mel", window_samples=400),
    "mel80": lambda hz: Maps(FilterBank(80, "mel", sample_rate_hz=hz)),
    "lfb80": lambda hz: Maps(FilterBank(80, "linear", sample_rate_hz=hz)),
    "cqt": lambda hz: Maps(ConstantQ(sample_rate_hz=hz)),
    "cqcc": lambda hz: Maps(ConstantQCepstra(sample_rate_hz=hz)),
    "wavelet": lambda hz: Maps(WaveletPackets(sample_rate_hz=hz)),
    "sinc": lambda hz: Maps(LogBands(Sinc(64, 128, learned=True, sample_rate_hz=hz), hz)),
    "sinc_fixed": lambda hz: Maps(LogBands(Sinc(64, 128, sample_rate_hz=hz), hz)),
}
"""By name: of the rate, a front-end from samples ``(batch, n)`` to maps ``(batch, 1, rows, frames)``.

``lfcc`` is that of the ASVspoof baselines in NII's torch form, ``lfcc_2019`` and ``lfcc_2021`` are those of the GMM
baselines (20 ms windows and 20 bands; 30 ms and 70 bands up to 4 kHz).
"""


def find_frontend(name: str, sample_rate_hz: int = USUAL_HZ) -> nn.Module:
    """A front-end with its usual settings; its windows last as long at every rate.

    Raises:
        RecipeError: It is unknown.
    """
    if name not in FRONTENDS:
        raise RecipeError(f"unknown frontend {name!r}", hint=f"one of {', '.join(FRONTENDS)}")
    return FRONTENDS[name](sample_rate_hz)


def rows_of(frontend: nn.Module) -> int:
    """How many rows its maps have."""
    with torch.no_grad():
        rows: int = frontend(torch.zeros(1, 16_000)).shape[2]
    return rows
