from __future__ import annotations

import numpy as np
import pytest

from glottis.testing import tone, voice

RATE_HZ = 16_000


class Listener:
    """A `Scorer` that hears one cell alone: the louder it is there, the lower its score."""

    def __init__(self, start_s, end_s, low_hz, high_hz, *, window_samples=RATE_HZ * 2, gain=-1.0):
        self.sample_rate_hz = RATE_HZ
        self.window_samples = window_samples
        self.asked = 0
        self._part = slice(round(start_s * RATE_HZ), round(end_s * RATE_HZ))
        self._band = (low_hz, high_hz)
        self._gain = gain

    def score(self, windows):
        self.asked += len(windows)
        assert windows.shape[1:] == (self.window_samples,)
        part = windows[:, self._part]
        power = np.abs(np.fft.rfft(part, axis=1)) ** 2 / part.shape[1] ** 2
        hz = np.fft.rfftfreq(part.shape[1], 1 / RATE_HZ)
        inside = (hz >= self._band[0]) & (hz < self._band[1])
        return (self._gain * 1e3 * power[:, inside].sum(axis=1)).astype(np.float32)


@pytest.fixture
def listener():
    return Listener


@pytest.fixture(scope="session")
def speech():
    """Two seconds that hold something in every cell: a voice, and tones that come and go five times a second."""
    pulse = np.sin(2 * np.pi * 2.5 * np.arange(2 * RATE_HZ) / RATE_HZ).astype(np.float32) ** 2
    return voice(2.0, seed=3) + pulse * sum(tone(hz, 2.0, level=0.02) for hz in range(500, 8000, 1000))


@pytest.fixture(scope="session")
def with_beep():
    """Four seconds of voice with a loud beep of 5.5 kHz from 2.4 to 2.8 s."""
    samples = voice(4.0, seed=5)
    beep = slice(round(2.4 * RATE_HZ), round(2.8 * RATE_HZ))
    samples[beep] += tone(5500, 0.4, level=1.2)
    return samples
