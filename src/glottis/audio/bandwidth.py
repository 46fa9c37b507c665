"""How high the energy of a recording reaches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FRAME = 2048
_EVERY_S = 1.0
_QUIET = 1e-9
_BELOW_PEAK = 10.0**-7
_TAPER_BETA = 12.0


class BandwidthMeter:
    """The highest frequency that carries energy, from one short spectrum of every second.

    Args:
        sample_rate_hz: The rate of what is pushed.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._every = max(int(sample_rate_hz * _EVERY_S), _FRAME)
        self._taper = np.kaiser(_FRAME, _TAPER_BETA).astype(np.float32)
        self._power = np.zeros(_FRAME // 2 + 1)
        self._frames = 0
        self._frame = np.zeros(_FRAME, np.float32)
        self._position = 0

    def push(self, samples: NDArray[np.float32]) -> None:
        """Take samples ``(n,)``."""
        offset = 0
        while offset < len(samples):
            phase = self._position % self._every
            if phase < _FRAME:
                count = min(_FRAME - phase, len(samples) - offset)
                self._frame[phase : phase + count] = samples[offset : offset + count]
                if phase + count == _FRAME:
                    self._add(self._frame)
            else:
                count = min(self._every - phase, len(samples) - offset)
            offset += count
            self._position += count

    def _add(self, frame: NDArray[np.float32]) -> None:
        if float(np.square(frame).sum()) <= _QUIET * _FRAME:
            return
        self._power += np.abs(np.fft.rfft(frame * self._taper)) ** 2
        self._frames += 1

    @property
    def bandwidth_hz(self) -> float | None:
        """In hertz, 0 to half the rate; None as long as nothing but silence was pushed."""
        if not self._frames:
            return None
        carrying = np.flatnonzero(self._power > self._power.max() * _BELOW_PEAK)
        return int(carrying[-1]) * self.sample_rate_hz / _FRAME
