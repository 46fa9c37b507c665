"""Fast Fourier helpers that the transforms share: good sizes, filtering by a gain curve, resampling."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from glottis.verdict import Samples

EDGE_SAMPLES = 256
"""Zeros after the end, so that a filter's ringing does not come round to the start."""

Curve = Callable[[NDArray[np.floating]], NDArray[np.floating]]
"""Frequencies in Hz to amplitude factors."""


@lru_cache(maxsize=1024)
def good_size(at_least: int) -> int:
    """The smallest product of powers of 2, 3 and 5 that is not under `at_least`: FFTs of it are fast."""
    best = 1 << max(at_least - 1, 0).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            missing = -(-at_least // three)
            best = min(best, three << max(missing - 1, 0).bit_length())
            three *= 3
        five *= 5
    return best


def filter_by(samples: Samples, sample_rate_hz: int, curve: Curve) -> Samples:
    """The samples through a zero-phase filter.

    Args:
        samples: Shape ``(n,)``.
        sample_rate_hz: Their rate.
        curve: Amplitude factor at each frequency.

    Returns:
        Shape ``(n,)``, float32.
    """
    size = good_size(samples.size + EDGE_SAMPLES)
    factors = curve(np.fft.rfftfreq(size, 1.0 / sample_rate_hz)).astype(np.float32)
    return np.fft.irfft(np.fft.rfft(samples, size) * factors, size)[: samples.size].astype(np.float32)


def convolve_head(samples: Samples, response: Samples) -> Samples:
    """The first ``n`` samples of the convolution of ``(n,)`` with an impulse response ``(m,)``."""
    size = good_size(samples.size + response.size)
    spectrum = np.fft.rfft(samples, size) * np.fft.rfft(response, size)
    return np.fft.irfft(spectrum, size)[: samples.size].astype(np.float32)


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """The samples at another rate, band-limited by FFT, with no delay.

    Args:
        samples: Shape ``(n,)``.
        from_hz: Their rate.
        to_hz: The wanted rate.

    Returns:
        Shape ``(ceil(n * to_hz / from_hz),)``, float32.
    """
    if from_hz == to_hz:
        return samples
    common = math.gcd(from_hz, to_hz)
    down, up = from_hz // common, to_hz // common
    units = good_size(-(-(samples.size + EDGE_SAMPLES) // down))
    units += units % 2
    old, new = units * down, units * up
    spectrum = np.fft.rfft(samples, old)[: new // 2 + 1] * np.float32(new / old)
    if new > old:
        spectrum[-1] *= 0.5
    wanted = -(-samples.size * up // down)
    return np.fft.irfft(spectrum, new)[:wanted].astype(np.float32)
