"""What Whisper hears."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.nets.frontends.cepstra import corners_hz, triangles
from glottis.nets.frontends.spectrum import PowerSpectrum, in_float32

N_FFT, HOP_SAMPLES, TOP_HZ = 400, 160, 8000.0
_FLOOR, _RANGE = 1e-10, 8.0


class LogMel(nn.Module):
    """Samples ``(batch, n)`` at 16 kHz, n over 200, to ``(batch, bands, n // 160)``.

    Slaney's bands of equal area, log10 of their power down to 80 dB below the window's maximum, plus 4, divided by 4;
    as `transformers.WhisperFeatureExtractor`, but of the window alone, which is not padded to 30 s.

    Args:
        bands: How many.
    """

    bank: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.spectrum = PowerSpectrum(N_FFT, HOP_SAMPLES, centre=False)
        corners = corners_hz(bands, TOP_HZ, "slaney")
        bank = triangles(bands, self.spectrum.bins, TOP_HZ, "slaney") * (2 / (corners[2:] - corners[:-2])).float()
        self.register_buffer("bank", bank, persistent=False)

    @in_float32
    def forward(self, samples: Tensor) -> Tensor:
        """See the class."""
        padded = functional.pad(samples[:, None], (N_FFT // 2, N_FFT // 2), mode="reflect")[:, 0]
        bands = torch.log10(torch.matmul(self.bank.T, self.spectrum(padded)[..., :-1]).clamp(min=_FLOOR))
        return (torch.maximum(bands, bands.amax(dim=(1, 2), keepdim=True) - _RANGE) + 4) / 4
