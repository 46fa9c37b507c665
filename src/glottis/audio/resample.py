"""One resampler for files, samples and streams: the same bits however it was fed.

A polyphase Kaiser-windowed sinc: all above the lower of the two Nyquist frequencies is 80 dB down, all below 0.9 of
it is kept within 0.1 dB. A run of outputs is the product of a stretch of input with a fixed matrix, and every product
has the same shape, so that neither the blocks nor the number of threads changes a bit. Silence stands before and
after a recording; output sample 0 lies at time 0. Rates without a large common divisor (44,101 Hz) are first raised
to a multiple, and then interpolated between four neighbours (Lagrange), whose error lies 100 dB down.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_ATTENUATION_DB = 84.0
_TRANSITION = 0.1
_MAX_PHASES = 1024
_OVERSAMPLING = 7
_NODES = (-2, -1, 0, 1, 2, 3)
_BLOCK_S = 0.25
_UNITS_AT_ONCE = 64
_MAX_PRODUCT = 2**18
"""Multiplications in one matrix product, up to which OpenBLAS stays in one thread."""

Block = NDArray[np.float32]


class StreamResampler:
    """Changes the rate of blocks of any size.

    The output has ``round(n * sample_rate_hz / source_rate_hz)`` samples for n of input. Equal rates pass through.

    Args:
        source_rate_hz: The rate of what is pushed.
        sample_rate_hz: The rate of what comes out.
        channels: The number of rows of each block; each is resampled alone.
    """

    def __init__(self, source_rate_hz: int, sample_rate_hz: int, channels: int = 1) -> None:
        self.source_rate_hz = source_rate_hz
        self.sample_rate_hz = sample_rate_hz
        self.channels = channels
        self._same = source_rate_hz == sample_rate_hz
        self._pushed = 0
        self._given = 0
        self._done = False
        if self._same:
            return
        lower_hz = min(source_rate_hz, sample_rate_hz)
        raised_hz = sample_rate_hz
        if sample_rate_hz // math.gcd(source_rate_hz, sample_rate_hz) > _MAX_PHASES:
            raised_hz = source_rate_hz * math.ceil(_OVERSAMPLING * lower_hz / source_rate_hz)
        self._filter = _Polyphase(source_rate_hz, raised_hz, lower_hz)
        self._between = _Lagrange(raised_hz, sample_rate_hz, channels) if raised_hz != sample_rate_hz else None
        self._held = np.zeros((channels, self._filter.half), np.float32)
        self._pending: list[Block] = []
        self._pending_samples = 0

    def push(self, samples: Block) -> Block:
        """Take a block ``(channels, n)`` and give what is ready, ``(channels, m)``, m from 0."""
        if samples.ndim != 2 or samples.shape[0] != self.channels:  # noqa: PLR2004 (rows and columns)
            raise ValueError(f"blocks must be ({self.channels}, n), got {samples.shape}")
        if self._done:
            raise ValueError("push after finish")
        self._pushed += samples.shape[1]
        return samples if self._same else self._advance(samples)

    def finish(self) -> Block:
        """Give the rest, ``(channels, m)``; nothing can be pushed afterwards."""
        self._done = True
        if self._same or not self._pushed:
            return np.zeros((self.channels, 0), np.float32)
        numerator, denominator = 2 * self._pushed * self.sample_rate_hz, 2 * self.source_rate_hz
        due = (numerator + self.source_rate_hz) // denominator - self._given
        silence = self._filter.needed_samples + self._filter.unit + self.source_rate_hz // self.sample_rate_hz + 1
        return np.ascontiguousarray(self._advance(np.zeros((self.channels, silence), np.float32))[:, :due])

    def _advance(self, samples: Block) -> Block:
        if samples.shape[1]:
            self._pending.append(np.array(samples, np.float32))
            self._pending_samples += samples.shape[1]
        if self._held.shape[1] + self._pending_samples < self._filter.needed_samples:
            return np.zeros((self.channels, 0), np.float32)
        have = np.concatenate([self._held, *self._pending], axis=1)
        out, used = self._filter.run(have)
        self._held, self._pending, self._pending_samples = have[:, used:].copy(), [], 0
        if self._between is not None:
            out = self._between.push(out)
        self._given += out.shape[1]
        return out


class _Polyphase:
    """The filter: matrices that each take a stretch of input to a run of outputs.

    Attributes:
        half: Samples on either side of an output that count; the input begins with as many zeros.
        unit: Samples of input by which one product advances; at most about a quarter of a second.
        needed_samples: Samples of input for the first product.
    """

    def __init__(self, source_rate_hz: int, sample_rate_hz: int, lower_hz: int) -> None:
        divisor = math.gcd(source_rate_hz, sample_rate_hz)
        taps = _taps(source_rate_hz, lower_hz)
        columns = math.isqrt(int(_MAX_PRODUCT / taps))
        times = math.ceil(columns * divisor / sample_rate_hz)
        self._step_in, self._step_out = source_rate_hz // divisor * times, sample_rate_hz // divisor * times
        groups = self._step_out // columns
        columns = math.ceil(self._step_out / groups)
        self.half = math.ceil(taps / 2)
        self._starts, self._matrices = _matrices(source_rate_hz, sample_rate_hz, lower_hz, groups, columns)
        width = self._matrices.shape[1]
        most = min(_MAX_PRODUCT // (width * columns), int(source_rate_hz * _BLOCK_S) // self._step_in)
        self._rows = max(most, 1)
        self.unit = self._rows * self._step_in
        self._beyond = self._starts[-1] + width - self._step_in
        self.needed_samples = self.unit + self._beyond

    def run(self, have: Block) -> tuple[Block, int]:
        """Filter ``(channels, n)``: the outputs ``(channels, m)``, and how many samples need not be kept."""
        units = (have.shape[1] - self._beyond) // self.unit
        pieces = [
            self._products(have[:, first * self.unit :], min(_UNITS_AT_ONCE, units - first))
            for first in range(0, units, _UNITS_AT_ONCE)
        ]
        return np.concatenate(pieces, axis=1), units * self.unit

    def _products(self, have: Block, units: int) -> Block:
        channels, (groups, width, columns) = len(have), self._matrices.shape
        out = np.empty((channels, units, self._rows, groups, columns), np.float32)
        windows = sliding_window_view(have, width, axis=1)
        for group, start in enumerate(self._starts):
            picked = np.ascontiguousarray(windows[:, start : start + units * self.unit : self._step_in])
            out[:, :, :, group] = picked.reshape(channels, units, self._rows, width) @ self._matrices[group]
        runs = out.reshape(channels, units * self._rows, groups * columns)[:, :, : self._step_out]
        return runs.reshape(channels, -1)


def _taps(source_rate_hz: int, lower_hz: int) -> float:
    """How many samples the filter spans, by Kaiser (1974): "Nonrecursive digital filter design"."""
    return (_ATTENUATION_DB - 7.95) / (2.285 * math.pi * _TRANSITION) * source_rate_hz / lower_hz


@lru_cache(maxsize=8)
def _matrices(
    source_rate_hz: int, sample_rate_hz: int, lower_hz: int, groups: int, columns: int
) -> tuple[list[int], Block]:
    """Where each group's stretch starts, and the matrices ``(groups, width, columns)``."""
    taps = _taps(source_rate_hz, lower_hz)
    half = math.ceil(taps / 2)
    starts = np.arange(groups) * columns * source_rate_hz // sample_rate_hz
    width = 2 * half + columns * source_rate_hz // sample_rate_hz + 2
    at = np.arange(groups)[:, None, None] * columns + np.arange(columns)
    away = at * (source_rate_hz / sample_rate_hz) + half - starts[:, None, None] - np.arange(width)[:, None]
    share = (1 - _TRANSITION / 2) * lower_hz / source_rate_hz
    beta = 0.1102 * (_ATTENUATION_DB - 8.7)
    taper = np.i0(beta * np.sqrt(np.maximum(1 - (away * 2 / taps) ** 2, 0))) / np.i0(beta)
    weights = np.where(np.abs(away) * 2 <= taps, share * np.sinc(share * away) * taper, 0)
    return starts.tolist(), weights.astype(np.float32)


class _Lagrange:
    """Between the samples of a stream whose rate is far above its content: through six neighbours."""

    def __init__(self, source_rate_hz: int, sample_rate_hz: int, channels: int) -> None:
        self._source_rate_hz = source_rate_hz
        self._sample_rate_hz = sample_rate_hz
        self._held = np.zeros((channels, -_NODES[0]), np.float32)
        self._start = _NODES[0]
        self._next = 0

    def push(self, samples: Block) -> Block:
        """Take ``(channels, n)``, and give all that has its six neighbours."""
        have = np.concatenate([self._held, samples], axis=1)
        reach = self._start + have.shape[1] - _NODES[-1]
        end = max(-(-reach * self._sample_rate_hz // self._source_rate_hz), self._next)
        whole, rest = np.divmod(np.arange(self._next, end) * self._source_rate_hz, self._sample_rate_hz)
        x = rest / self._sample_rate_hz
        out = np.zeros((len(have), len(x)), np.float32)
        for node in _NODES:
            weight = math.prod((x - other) / (node - other) for other in _NODES if other != node)
            out += have[:, whole - self._start + node] * np.asarray(weight, np.float32)
        keep_from = end * self._source_rate_hz // self._sample_rate_hz + _NODES[0] - self._start
        keep_from = min(max(keep_from, 0), have.shape[1])
        self._held, self._start, self._next = have[:, keep_from:].copy(), self._start + keep_from, end
        return out
