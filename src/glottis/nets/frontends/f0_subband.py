"""The F0 subband: a fine log spectrum up to 407 Hz, where the pitch and its first harmonics lie."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glottis.nets.frontends.spectrum import USUAL_HZ, PowerSpectrum, at_rate, pre_emphasise

BINS, FRAMES, LONGEST = 45, 600, 80_000
_FLOOR = 1.8048513878454153e-35  # e^-80
_LEAST_POWER = 1e-37


class F0Subband(nn.Module):
    """Samples ``(batch, n)`` to ``(batch, 1, 45, 600)``: ln(|D| + e^-80), D a transform of 108 ms every 8.125 ms.

    What is shorter than 600 frames goes on with its mirror image, and both are repeated; at most 5 s are read.
    Source: the first commit of JunXue-tech/SRLARes2NetF0Subband, for 16 kHz (1,728 samples every 130). The window is
    the symmetric Blackman one, and the ends are filled with zeros (librosa 0.10; older versions mirrored them).
    """

    def __init__(self, sample_rate_hz: int = USUAL_HZ) -> None:
        super().__init__()
        n_fft, hop_samples, self.longest = (at_rate(one, sample_rate_hz) for one in (1728, 130, LONGEST))
        self.spectrum = PowerSpectrum(n_fft, hop_samples, window="blackman", periodic=False, bins=BINS)

    def forward(self, samples: Tensor) -> Tensor:
        """See the class."""
        power = self.spectrum(pre_emphasise(samples[:, : self.longest].float()))
        magnitude = power.clamp(min=_LEAST_POWER).sqrt() * (power > _LEAST_POWER)
        log = torch.log(magnitude + _FLOOR)
        if log.shape[2] < FRAMES:
            log = torch.cat([log, log.flip(2)], dim=2)
        while log.shape[2] < FRAMES:
            log = torch.cat([log, log], dim=2)
        return log[:, None, :, :FRAMES]
