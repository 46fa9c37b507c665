"""The colour of a microphone or a loudspeaker: a smooth gain over frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from glottis.augment._spectrum import filter_by
from glottis.augment.transform import Transform
from glottis.verdict import Samples

LOWEST_HZ = 60.0
HIGHEST_HZ = 16000.0


@dataclass(frozen=True)
class Equaliser(Transform):
    """A zero-phase filter whose gain in dB is smooth over log frequency.

    Attributes:
        gains_db: Gains at knots spread evenly in log frequency from 60 Hz to 16 kHz; constant beyond.
    """

    kind: ClassVar[str] = "equaliser"
    gains_db: tuple[float, ...]

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        """The samples with another colour."""
        return filter_by(samples, sample_rate_hz, self._curve)

    def _curve(self, frequencies_hz: NDArray[np.floating]) -> NDArray[np.floating]:
        span = np.log(HIGHEST_HZ / LOWEST_HZ)
        grid = np.linspace(0.0, len(self.gains_db) - 1.0, 256)
        below = np.minimum(grid.astype(np.int64), max(len(self.gains_db) - 2, 0))
        above = np.minimum(below + 1, len(self.gains_db) - 1)
        share = 0.5 - 0.5 * np.cos(np.pi * (grid - below))
        gains_db = np.asarray(self.gains_db)
        smooth_db = gains_db[below] * (1.0 - share) + gains_db[above] * share
        grid_hz = LOWEST_HZ * np.exp(span * np.linspace(0.0, 1.0, grid.size))
        factors: NDArray[np.floating] = np.interp(frequencies_hz, grid_hz, 10.0 ** (smooth_db / 20.0))
        return factors


def draw_equaliser(rng: np.random.Generator, *, knots: int = 8, deviation_db: float = 4.0) -> Equaliser:
    """Independent normal gains at the knots, with their mean taken out: the colour changes, the level hardly."""
    gains_db = rng.normal(0.0, deviation_db, knots)
    return Equaliser(gains_db=tuple(float(gain_db) for gain_db in gains_db - gains_db.mean()))
