"""Stationary noise at a given ratio to the signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glottis.augment._spectrum import good_size
from glottis.augment.transform import SEED_BOUND, Transform
from glottis.verdict import Samples

LOWEST_HZ = 30.0
"""Under it the noise rises no further."""


@dataclass(frozen=True)
class Noise(Transform):
    """Gaussian noise whose power falls with frequency as ``f ** -slope``.

    Attributes:
        slope: 0 is white, 1 pink, 2 brown.
        snr_db: Ratio of the samples' mean power to the noise's, over the whole stretch.
        seed: What the noise is made from.
    """

    kind: ClassVar[str] = "noise"
    slope: float
    snr_db: float
    seed: int

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        """The samples with the noise added; silence stays silence, for it has no ratio to anything."""
        power = float(np.mean(np.square(samples, dtype=np.float64))) if samples.size else 0.0
        if power == 0.0:
            return samples.copy()
        noise = self._noise(samples.size, sample_rate_hz)
        noise_power = float(np.mean(np.square(noise, dtype=np.float64)))
        factor = np.sqrt(power / noise_power) * 10.0 ** (-self.snr_db / 20.0)
        return samples + noise * np.float32(factor)

    def _noise(self, count: int, sample_rate_hz: int) -> Samples:
        size = good_size(count + 1)
        bins = size // 2 + 1
        drawn = np.random.default_rng(self.seed).standard_normal(2 * bins, dtype=np.float32).view(np.complex64)
        frequencies_hz = np.arange(bins, dtype=np.float32) * np.float32(sample_rate_hz / size)
        if self.slope:
            drawn *= np.maximum(frequencies_hz, np.float32(LOWEST_HZ)) ** np.float32(-0.5 * self.slope)
            drawn *= np.float32(LOWEST_HZ ** (0.5 * self.slope))
        drawn[0] = 0.0
        return np.fft.irfft(drawn, size)[:count].astype(np.float32) * np.float32(np.sqrt(size))


def draw_noise(rng: np.random.Generator, *, low_db: float = 5.0, high_db: float = 40.0) -> Noise:
    """White, pink or brown noise, the ratio uniform in dB."""
    return Noise(
        slope=float(rng.choice([0.0, 1.0, 2.0])),
        snr_db=float(rng.uniform(low_db, high_db)),
        seed=int(rng.integers(SEED_BOUND)),
    )
