"""A stretch of samples, cut into cells of time and frequency that can be replaced one by one or together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glottis.errors import ConfigError
from glottis.verdict import Samples

Floats = NDArray[np.float64]
Spectrum = NDArray[np.complex128]
Mask = NDArray[np.bool_]

STEP_S = 0.4
"""The length of a cell where nothing else is asked for."""

BAND_HZ = 1000.0
"""The height of a cell where nothing else is asked for."""

_FRAME_S = 0.032
_OVERLAP = 4
_OVERLAPPED = 1.5  # the sum of squared Hann windows at an overlap of 4
_SOFT = 0.1
_QUIET_SHARE = 0.1
_MOST_COLUMNS = 200
_MOST_BANDS = 64


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells: rows are bands from low to high, columns are times from early to late.

    Attributes:
        edges_s: Where columns start and end, from the first sample of the stretch, ``(columns + 1,)``.
        edges_hz: Where bands start and end, ``(bands + 1,)``; the last is half the sample rate.
    """

    edges_s: tuple[float, ...]
    edges_hz: tuple[float, ...]

    @classmethod
    def of(cls, duration_s: float, sample_rate_hz: int, *, step_s: float = STEP_S, bands: int | None = None) -> Grid:
        """Cells of equal size, as near to `step_s` long as fits.

        Args:
            duration_s: Of the stretch, over 0.
            sample_rate_hz: Of its samples.
            step_s: The length of a cell, at least 0.05.
            bands: How many bands, 1 to 64; by default each is about 1 kHz high.

        Raises:
            ConfigError: ``setting``: the cells would be too small or too many.
        """
        bands = max(1, round(sample_rate_hz / 2 / BAND_HZ)) if bands is None else bands
        if not 1 <= bands <= _MOST_BANDS:
            raise ConfigError(f"bands must be 1 to {_MOST_BANDS}, got {bands}", code="setting")
        if not step_s >= _FRAME_S + 0.018:
            raise ConfigError(f"a cell must be at least 0.05 s long, got {step_s:g}", code="setting")
        columns = max(1, round(duration_s / step_s))
        if columns > _MOST_COLUMNS:
            raise ConfigError(
                f"{duration_s:g} s in cells of {step_s:g} s are over {_MOST_COLUMNS} columns",
                code="setting",
                hint="make the cells longer",
            )
        return cls(
            tuple(float(edge) for edge in np.linspace(0, duration_s, columns + 1)),
            tuple(float(edge) for edge in np.linspace(0, sample_rate_hz / 2, bands + 1)),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(bands, columns)."""
        return len(self.edges_hz) - 1, len(self.edges_s) - 1


class Canvas:
    """A stretch whose cells can be replaced.

    The spectrum is that of Hann frames of about 32 ms, four at every sample; a cell's edges are soft by a tenth of
    its size, so that a replacement makes no click. What is not replaced stays as it is, to the rounding.

    Args:
        samples: The stretch, ``(n,)``, n over 0.
        sample_rate_hz: Of the samples.
        grid: The cells.
        fill: A name in `FILLS`.

    Raises:
        ConfigError: ``setting``: there is no such fill.
    """

    def __init__(self, samples: Samples, sample_rate_hz: int, grid: Grid, *, fill: str = "background") -> None:
        if fill not in FILLS:
            raise ConfigError(f"unknown fill {fill!r}", code="setting", hint=f"one of {', '.join(FILLS)}")
        self.grid = grid
        self.samples = samples
        self._fill = FILLS[fill]
        self._frame = 2 ** max(4, round(np.log2(_FRAME_S * sample_rate_hz)))
        self._hop = self._frame // _OVERLAP
        self._window: Floats = np.hanning(self._frame + 1)[:-1]
        self._spectrum = self._analyse(samples.astype(np.float64))
        frames, bins = self._spectrum.shape
        centres_s = (np.arange(frames) * self._hop - self._frame / 2) / sample_rate_hz
        self._columns = _memberships(centres_s, np.array(grid.edges_s))
        self._bands = _memberships(np.linspace(0, sample_rate_hz / 2, bins), np.array(grid.edges_hz))
        self._difference: tuple[int, Spectrum] | None = None

    @property
    def energies(self) -> Floats:
        """The energy of each cell, ``(bands, columns)``, in any unit."""
        power = np.abs(self._spectrum) ** 2
        return np.asarray(self._bands @ power.T @ self._columns.T, np.float64)

    def without(self, chosen: Mask, seed: int = 0) -> Samples:
        """The samples with the chosen cells ``(bands, columns)`` replaced all at once, by the same noise for a seed."""
        if self._difference is None or self._difference[0] != seed:
            noise = self._analyse(np.random.default_rng(seed).standard_normal(len(self.samples)))
            noise /= np.sqrt(np.sum(self._window**2))
            level = np.sqrt(self._fill(np.abs(self._spectrum) ** 2))
            self._difference = seed, level * noise - self._spectrum
        return np.asarray(self.samples + self._made(self._mask(chosen) * self._difference[1]), np.float32)

    def part(self, chosen: Mask) -> Floats:
        """What of the samples lies in the chosen cells ``(bands, columns)``, ``(n,)``; all cells together give all."""
        return self._made(self._mask(chosen) * self._spectrum)

    def decibels(self) -> Floats:
        """The spectrogram, ``(bins, frames)``, in dB under its peak, for a picture."""
        power = np.abs(self._spectrum[_OVERLAP // 2 + 1 : -_OVERLAP // 2 - 1]).T ** 2
        return np.asarray(10 * np.log10(power / max(float(power.max()), 1e-12) + 1e-12), np.float64)

    def _mask(self, chosen: Mask) -> Floats:
        return np.asarray(self._columns.T @ chosen.T.astype(np.float64) @ self._bands, np.float64)

    def _analyse(self, samples: Floats) -> Spectrum:
        padded = np.pad(samples, (self._frame, self._frame + -len(samples) % self._hop))
        frames = np.lib.stride_tricks.sliding_window_view(padded, self._frame)[:: self._hop]
        return np.fft.rfft(frames * self._window, axis=1)

    def _made(self, spectrum: Spectrum) -> Floats:
        frames = np.fft.irfft(spectrum, self._frame, axis=1) * self._window
        pieces = frames.reshape(len(frames), _OVERLAP, self._hop)
        sums = np.zeros((len(frames) + _OVERLAP, self._hop))
        for piece in range(_OVERLAP):
            sums[piece : piece + len(frames)] += pieces[:, piece]
        made = sums.reshape(-1)[self._frame : self._frame + len(self.samples)] / _OVERLAPPED
        return np.asarray(made, np.float64)


def _memberships(places: Floats, edges: Floats) -> Floats:
    """How much of each place belongs to each cell, ``(cells, places)``; over the cells they sum to 1."""
    widths = np.diff(edges)
    inner = edges[1:-1]
    soft = _SOFT * np.minimum(widths[1:], widths[:-1])
    beyond = np.clip((places - inner[:, None]) / soft[:, None] + 0.5, 0, 1)
    everywhere = np.ones((1, len(places)))
    return np.asarray(np.concatenate([everywhere, beyond]) - np.concatenate([beyond, 0 * everywhere]), np.float64)


def _background(power: Floats) -> Floats:
    """What each bin holds in the recording's own quiet moments: the level that is seldom undercut."""
    quiet: Floats = np.quantile(_smoothed(power, 4, 2), _QUIET_SHARE, axis=0, keepdims=True)
    return np.repeat(quiet, len(power), axis=0)


def _level(power: Floats) -> Floats:
    """The cell's own level, without what is fine in it: power over 130 ms and 500 Hz."""
    return _smoothed(power, 8, 8)


def _nothing(power: Floats) -> Floats:
    return np.zeros_like(power)


FILLS: dict[str, Callable[[Floats], Floats]] = {"background": _background, "level": _level, "stop": _nothing}
"""From the power ``(frames, bins)`` to that of the noise that is put in a cell's place."""


def _smoothed(power: Floats, frames: int, bins: int) -> Floats:
    """The mean over so many frames and bins to either side."""
    return _along_rows(_along_rows(power, frames).T, bins).T


def _along_rows(values: Floats, reach: int) -> Floats:
    """The mean of each row and its neighbours, `reach` to either side as far as there are any."""
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    at = np.arange(len(values))
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(values))
    means: Floats = np.maximum((sums[high] - sums[low]) / (high - low)[:, None], 0)
    return means
