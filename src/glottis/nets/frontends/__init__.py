"""From samples to what a net looks at; every front-end is differentiable and stands inside the exported graph."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError
from glottis.nets.frontends.cepstra import Cepstra, FilterBank
from glottis.nets.frontends.constant_q import ConstantQ, ConstantQCepstra
from glottis.nets.frontends.f0_subband import F0Subband
from glottis.nets.frontends.log_spectrum import LogSpectrum
from glottis.nets.frontends.sinc import Sinc
from glottis.nets.frontends.wavelet import WaveletPackets

__all__ = [
    "FRONTENDS",
    "Cepstra",
    "ConstantQ",
    "ConstantQCepstra",
    "F0Subband",
    "FilterBank",
    "LogSpectrum",
    "Sinc",
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
    """Log energies of a bank's bands, a frame every 160 samples: ``(batch, n)`` to ``(batch, bands, frames)``."""

    def __init__(self, bank: nn.Module) -> None:
        super().__init__()
        self.bank = bank

    def forward(self, samples: Tensor) -> Tensor:
        """See the class."""
        return torch.log(functional.avg_pool1d(self.bank(samples).square(), 400, 160) + 1e-9)


FRONTENDS: dict[str, Callable[[], nn.Module]] = {
    "f0_subband": F0Subband,
    "log_spectrum": LogSpectrum,
    "lfcc": lambda: Maps(Cepstra(20, "linear")),
    "mfcc": lambda: Maps(Cepstra(40, "mel", window_samples=400)),
    "mel80": lambda: Maps(FilterBank(80, "mel")),
    "lfb80": lambda: Maps(FilterBank(80, "linear")),
    "cqt": lambda: Maps(ConstantQ()),
    "cqcc": lambda: Maps(ConstantQCepstra()),
    "wavelet": lambda: Maps(WaveletPackets()),
    "sinc": lambda: Maps(LogBands(Sinc(64, 128, learned=True))),
}
"""By name: a front-end from samples ``(batch, n)`` to maps ``(batch, 1, rows, frames)``."""


def find_frontend(name: str) -> nn.Module:
    """A front-end with its usual settings.

    Raises:
        RecipeError: It is unknown.
    """
    if name not in FRONTENDS:
        raise RecipeError(f"unknown frontend {name!r}", hint=f"one of {', '.join(FRONTENDS)}")
    return FRONTENDS[name]()


def rows_of(frontend: nn.Module) -> int:
    """How many rows its maps have."""
    with torch.no_grad():
        rows: int = frontend(torch.zeros(1, 16_000)).shape[2]
    return rows
