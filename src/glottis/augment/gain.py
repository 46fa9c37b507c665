"""A change of level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glottis.augment.transform import Transform
from glottis.verdict import Samples


@dataclass(frozen=True)
class Gain(Transform):
    """All samples times a factor.

    Attributes:
        gain_db: The factor, in dB of amplitude.
    """

    kind: ClassVar[str] = "gain"
    gain_db: float

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        """The samples, louder or softer."""
        del sample_rate_hz
        return samples * np.float32(10.0 ** (self.gain_db / 20.0))


def draw_gain(rng: np.random.Generator, *, low_db: float = -18.0, high_db: float = 6.0) -> Gain:
    """A gain, uniform in dB."""
    return Gain(gain_db=float(rng.uniform(low_db, high_db)))
