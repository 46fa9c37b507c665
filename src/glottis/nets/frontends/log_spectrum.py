"""The log power spectrum, minus its mean."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glottis.nets.frontends.spectrum import USUAL_HZ, PowerSpectrum, at_rate, in_float32

_LEAST_PEAK = 1e-4
"""Of silence nothing is made louder than as if its peak were this."""


class LogSpectrum(nn.Module):
    """Samples ``(batch, n)`` to log power ``(batch, 1, n_fft / 2 + 1, frames)``, minus its mean over the window.

    frames = 1 + (n - n_fft) // hop_samples; nothing is padded. The mean is taken over time and frequency, so a
    change of level moves nothing but the floor.

    Args:
        n_fft: Length of the Hann window and of the transform, in samples at 16 kHz.
        hop_samples: Step between frames, likewise.
        floor: Added to the power (of a window with unit gain) before the logarithm; 1e-9 is -90 dB.
        raise_to: Windows whose peak is lower are brought to it first, 0 to 1, so that quiet ones do not lie under the
            floor; 0 for none.
        sample_rate_hz: Of the samples.
    """

    def __init__(
        self,
        n_fft: int = 512,
        hop_samples: int = 160,
        floor: float = 1e-9,
        raise_to: float = 0.0,
        sample_rate_hz: int = USUAL_HZ,
    ) -> None:
        super().__init__()
        n_fft, hop_samples = at_rate(n_fft, sample_rate_hz), at_rate(hop_samples, sample_rate_hz)
        self.spectrum = PowerSpectrum(n_fft, hop_samples, unit_gain=True, centre=False)
        self.floor, self.raise_to = floor, raise_to

    @in_float32
    def forward(self, samples: Tensor) -> Tensor:
        """See the class."""
        if self.raise_to > 0:
            peak = samples.abs().amax(dim=1, keepdim=True)
            samples = samples * (self.raise_to / peak.clamp(min=_LEAST_PEAK)).clamp(min=1)
        log_power = torch.log(self.spectrum(samples) + self.floor)
        return (log_power - log_power.mean(dim=(1, 2), keepdim=True))[:, None]
