"""Sounds by formula in which nobody speaks: chords and glides, plucked notes, a telephone's signals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def made_sounds(
    count: int, window_samples: int, sample_rate_hz: int, rng: np.random.Generator
) -> list[NDArray[np.float32]]:
    """Chords and glides, plucked notes and a telephone's signals, in coloured noise; a third of them with tremolo."""
    time_s = np.arange(window_samples) / sample_rate_hz
    sounds: list[NDArray[np.float32]] = []
    for index in range(count):
        wave = (_chord, _notes, _signals)[index % 3](time_s, rng)
        spectrum = np.fft.rfft(rng.standard_normal(window_samples))
        spectrum *= np.arange(1, len(spectrum) + 1) ** -float(rng.uniform(0, 1.2))
        noise = np.fft.irfft(spectrum, window_samples)
        wave = wave + noise / noise.std() * 10 ** float(rng.uniform(-5, 0))
        if rng.random() < 1 / 3:
            wave = wave * (1 + np.sin(2 * np.pi * float(rng.uniform(0.5, 8)) * time_s))
        sounds.append((wave / np.abs(wave).max() * 10 ** float(rng.uniform(-2, 0))).astype(np.float32))
    return sounds


def _chord(time_s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Up to four voices of one to five harmonics, held or gliding; perhaps none."""
    wave = np.zeros(len(time_s))
    for hz in rng.uniform(60, 4000, int(rng.integers(0, 5))):
        glide = float(rng.choice([0.0, rng.uniform(-0.5, 0.5)]))
        phase = 2 * np.pi * hz * (time_s + 0.5 * glide * time_s**2 / time_s[-1])
        wave += sum(np.sin(n * phase) / n for n in range(1, int(rng.integers(2, 7))))
    return wave / 4


def _notes(time_s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Two to ten notes a second that are struck and die away."""
    wave = np.zeros(len(time_s))
    for start_s in rng.uniform(0, time_s[-1], max(2, int(time_s[-1] * rng.uniform(1, 8)))):
        since_s = np.maximum(time_s - start_s, 0)
        hz = 55 * 2 ** (int(rng.integers(0, 60)) / 12)
        envelope = (time_s >= start_s) * np.exp(-since_s * float(rng.uniform(1, 12))) * np.minimum(1, since_s / 0.005)
        wave += envelope * sum(
            np.sin(2 * np.pi * n * hz * since_s) / n ** float(rng.uniform(0.5, 2))
            for n in range(1, int(rng.integers(2, 8)))
        )
    return wave / 3


def _signals(time_s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Beeps of one or two frequencies, each 50 ms to 2 s, some of them sweeps, with silence between."""
    wave = np.zeros(len(time_s))
    at_s = 0.0
    while at_s < time_s[-1]:
        long_s = float(np.exp(rng.uniform(np.log(0.05), np.log(2))))
        here = (time_s >= at_s) & (time_s < at_s + long_s)
        sweep = float(rng.choice([0, 0, rng.uniform(-0.8, 4)])) / long_s
        for hz in rng.uniform(200, 2500, int(rng.integers(1, 3))):
            since_s = time_s[here] - at_s
            wave[here] += np.sin(2 * np.pi * hz * (since_s + 0.5 * sweep * since_s**2)) / 2
        at_s += long_s + float(rng.choice([0, rng.uniform(0.02, 1.5)]))
    return wave
