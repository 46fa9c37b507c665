"""What a channel lets through: a low-pass or a telephone's band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from glottis.augment._spectrum import filter_by
from glottis.augment.transform import Transform
from glottis.verdict import Samples

TELEPHONE_SHARE = 0.4
"""How many of the drawn bands are a telephone's."""


@dataclass(frozen=True)
class BandLimit(Transform):
    """A zero-phase band-pass with raised-cosine edges.

    Attributes:
        low_hz: Under it nothing passes; 0 for a low-pass.
        high_hz: Over it nothing passes.
        edge: Width of each edge, as a share of its frequency.
    """

    kind: ClassVar[str] = "band_limit"
    low_hz: float
    high_hz: float
    edge: float = 0.1

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        """The samples without what lies outside the band."""
        return filter_by(samples, sample_rate_hz, self._curve)

    def _curve(self, frequencies_hz: NDArray[np.floating]) -> NDArray[np.floating]:
        factors = _falling(frequencies_hz, self.high_hz * (1.0 - self.edge), self.high_hz)
        if self.low_hz > 0.0:
            factors *= 1.0 - _falling(frequencies_hz, self.low_hz, self.low_hz * (1.0 + self.edge))
        return factors


def _falling(frequencies_hz: NDArray[np.floating], start_hz: float, stop_hz: float) -> NDArray[np.floating]:
    """1 under `start_hz`, 0 over `stop_hz`, half a cosine between."""
    share = np.clip((frequencies_hz - start_hz) / max(stop_hz - start_hz, 1e-9), 0.0, 1.0)
    factors: NDArray[np.floating] = 0.5 + 0.5 * np.cos(np.pi * share)
    return factors


def draw_band_limit(rng: np.random.Generator) -> BandLimit:
    """A telephone's band (about 300 to 3,400 Hz), or a low-pass between 2.5 and 7.8 kHz."""
    telephone = rng.random() < TELEPHONE_SHARE
    low_hz = rng.uniform(150.0, 350.0) if telephone else 0.0
    high_hz = rng.uniform(3200.0, 3900.0) if telephone else rng.uniform(2500.0, 7800.0)
    return BandLimit(low_hz=float(low_hz), high_hz=float(high_hz), edge=float(rng.uniform(0.03, 0.25)))
