"""The short-time spectrum as one strided convolution, which every ONNX runtime has and none does slowly."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError

Module = TypeVar("Module", bound=nn.Module)

USUAL_HZ = 16_000
"""The rate at which lengths in samples are given here."""

WINDOWS = {
    "hann": torch.hann_window,
    "hamming": torch.hamming_window,
    "blackman": torch.blackman_window,
}


def at_rate(samples: int, sample_rate_hz: int) -> int:
    """As many samples as last as long at a rate as `samples` do at 16 kHz."""
    return round(samples * sample_rate_hz / USUAL_HZ)


def in_float32(forward: Callable[[Module, Tensor], Tensor]) -> Callable[[Module, Tensor], Tensor]:
    """A forward that multiplies in float32 whatever the precision around it: bfloat16 buries what is quiet in noise."""

    @functools.wraps(forward)
    def apart(module: Module, samples: Tensor) -> Tensor:
        with torch.autocast(samples.device.type, enabled=False):
            whole = samples if samples.dtype == torch.float32 else samples.float()  # a cast would stand in the graph
            return forward(module, whole)

    return apart


class PowerSpectrum(nn.Module):
    """Samples ``(batch, n)`` to power ``(batch, bins, frames)``.

    A window shorter than the transform stands in its middle, as in torch and librosa.

    Args:
        n_fft: Length of the transform, in samples.
        hop_samples: Step between frames.
        window_samples: Length of the window; by default `n_fft`.
        window: ``hann``, ``hamming`` or ``blackman``.
        periodic: The window's form: periodic, or symmetric.
        unit_gain: Whether the window is scaled to a sum of 1, so that a tone's power does not depend on its length.
        centre: Whether half a transform of zeros is added at both ends, so that frames stand on their middles.
        bins: How many of the lowest bins are kept; by default all ``n_fft / 2 + 1``.
    """

    kernel: Tensor

    def __init__(
        self,
        n_fft: int,
        hop_samples: int,
        *,
        window_samples: int | None = None,
        window: str = "hann",
        periodic: bool = True,
        unit_gain: bool = False,
        centre: bool = True,
        bins: int | None = None,
    ) -> None:
        super().__init__()
        if window not in WINDOWS:
            raise RecipeError(f"unknown window {window!r}", hint=f"one of {', '.join(WINDOWS)}")
        length = window_samples or n_fft
        self.n_fft, self.hop_samples, self.centre = n_fft, hop_samples, centre
        self.bins = bins or n_fft // 2 + 1
        shape = WINDOWS[window](length, periodic=periodic, dtype=torch.float64)
        shape = functional.pad(shape, ((n_fft - length) // 2, n_fft - length - (n_fft - length) // 2))
        if unit_gain:
            shape = shape / shape.sum()
        time = torch.arange(n_fft, dtype=torch.float64)
        turns = torch.arange(self.bins, dtype=torch.float64)[:, None] * time % n_fft
        angle = 2 * math.pi * turns / n_fft
        kernel = torch.cat([torch.cos(angle), torch.sin(angle)]) * shape
        self.register_buffer("kernel", kernel.float()[:, None, :], persistent=False)

    @in_float32
    def forward(self, samples: Tensor) -> Tensor:
        """See the class."""
        if self.centre:
            samples = functional.pad(samples, (self.n_fft // 2, self.n_fft // 2))
        parts = functional.conv1d(samples[:, None, :], self.kernel, stride=self.hop_samples)
        cosine, sine = parts.chunk(2, dim=1)
        return cosine.square() + sine.square()


def pre_emphasise(samples: Tensor, factor: float = 0.97) -> Tensor:
    """y[n] = x[n] - factor * x[n - 1], ``(batch, n)``; the first sample is kept."""
    return torch.cat([samples[:, :1], samples[:, 1:] - factor * samples[:, :-1]], dim=1)
