"""A synthetic room: the direct path and a tail of noise that dies away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glottis.augment._spectrum import convolve_head
from glottis.augment.transform import SEED_BOUND, Transform
from glottis.verdict import Samples

DECAY = 3.0 * np.log(10.0)
"""Nepers of amplitude in 60 dB."""

LONGEST_S = 1.5
"""A tail is cut there."""


@dataclass(frozen=True)
class Room(Transform):
    """Convolution with an impulse response that starts with the direct path, so that nothing is delayed.

    Attributes:
        rt60_s: Seconds in which the tail falls by 60 dB.
        drr_db: Ratio of the direct path's energy to the tail's.
        delay_s: When the tail begins.
        damping: 0 to 1, how much faster high frequencies die.
        seed: What the tail is made from.
    """

    kind: ClassVar[str] = "room"
    rt60_s: float
    drr_db: float
    delay_s: float
    damping: float
    seed: int

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        """The samples as they sound in the room; the direct sound keeps its place and level."""
        return convolve_head(samples, self.response(sample_rate_hz))

    def response(self, sample_rate_hz: int) -> Samples:
        """The impulse response: 1 at time 0, then the tail."""
        first = max(1, round(self.delay_s * sample_rate_hz))
        count = max(1, round(min(self.rt60_s, LONGEST_S) * sample_rate_hz))
        tail = self._tail(count, sample_rate_hz)
        energy = float(np.sum(np.square(tail, dtype=np.float64)))
        factor = 10.0 ** (-self.drr_db / 20.0) / np.sqrt(max(energy, 1e-30))
        response = np.zeros(first + count, dtype=np.float32)
        response[0] = 1.0
        response[first:] = tail * np.float32(factor)
        return response

    def _tail(self, count: int, sample_rate_hz: int) -> Samples:
        white = np.random.default_rng(self.seed).standard_normal(count + 3, dtype=np.float32)
        dull = (white[3:] + white[2:-1] + white[1:-2] + white[:-3]) * np.float32(0.5)
        time_s = np.arange(count, dtype=np.float32) / np.float32(sample_rate_hz)
        bright = np.exp(-np.float32(4.0 * self.damping / self.rt60_s) * time_s)
        decay = np.exp(-np.float32(DECAY / self.rt60_s) * time_s)
        tail: Samples = decay * (bright * white[3:] + (np.float32(1.0) - bright) * dull)
        return tail


def draw_room(rng: np.random.Generator, *, longest_rt60_s: float = 0.9) -> Room:
    """From a booth to a bare hall; the direct path is mostly stronger than the tail."""
    return Room(
        rt60_s=float(np.exp(rng.uniform(np.log(0.12), np.log(longest_rt60_s)))),
        drr_db=float(rng.uniform(-3.0, 15.0)),
        delay_s=float(rng.uniform(0.001, 0.012)),
        damping=float(rng.uniform(0.2, 1.0)),
        seed=int(rng.integers(SEED_BOUND)),
    )
