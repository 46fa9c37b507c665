"""One resampler for files, samples and streams: the same bits however it was fed.

libswresample's polyphase Kaiser-windowed sinc, with a filter long enough that all above the new Nyquist frequency
is 80 dB down and all below 0.9 of it is kept within 0.1 dB. The input is cut into blocks of a fixed size first, and
zeros stand before and after it, so output sample 0 lies at time 0 and a recording ends in silence, not in its mirror.
"""

from __future__ import annotations

import math

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph
from numpy.typing import NDArray

_FILTER_SIZE = 128
_CUTOFF = 0.955
_KAISER_BETA = 8
_MAX_PHASES = 1024
_BLOCK_S = 0.25


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
        self._block = max(int(source_rate_hz * _BLOCK_S), 1)
        self._pending: list[NDArray[np.float32]] = []
        self._pending_samples = 0
        self._pushed = 0
        self._given = 0
        self._lead_in, self._lead_out = _lead(source_rate_hz, sample_rate_hz)
        self._skip = self._lead_out
        self._lanes: list[_Lane] = []
        self._done = False

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take a block ``(channels, n)`` and give what is ready, ``(channels, m)``, m from 0."""
        if samples.ndim != 2 or samples.shape[0] != self.channels:  # noqa: PLR2004 (rows and columns)
            raise ValueError(f"blocks must be ({self.channels}, n), got {samples.shape}")
        if self._done:
            raise ValueError("push after finish")
        self._pushed += samples.shape[1]
        if self._same:
            return samples
        if not self._lanes:
            self._start()
        self._keep(samples)
        return self._drain(self._block)

    def finish(self) -> NDArray[np.float32]:
        """Give the rest, ``(channels, m)``; nothing can be pushed afterwards."""
        self._done = True
        empty = np.zeros((self.channels, 0), np.float32)
        if self._same or not self._lanes:
            return empty
        due = _round(self._pushed * self.sample_rate_hz, self.source_rate_hz) - self._given
        self._keep(np.zeros((self.channels, self._lead_in + self._block), np.float32))
        out = self._drain(self._block)
        self._lanes = []
        return np.ascontiguousarray(out[:, :due])

    def _start(self) -> None:
        self._lanes = [_Lane(self.source_rate_hz, self.sample_rate_hz) for _ in range(self.channels)]
        self._keep(np.zeros((self.channels, self._lead_in), np.float32))

    def _keep(self, samples: NDArray[np.float32]) -> None:
        if samples.shape[1]:
            self._pending.append(np.array(samples, np.float32))
            self._pending_samples += samples.shape[1]

    def _drain(self, block: int) -> NDArray[np.float32]:
        if self._pending_samples < block:
            return np.zeros((self.channels, 0), np.float32)
        have = np.concatenate(self._pending, axis=1)
        whole = have.shape[1] - have.shape[1] % block
        rest = have[:, whole:]
        self._pending, self._pending_samples = ([rest] if rest.shape[1] else []), rest.shape[1]
        out = np.stack([lane.run(row[:whole], block) for lane, row in zip(self._lanes, have, strict=True)])
        cut = min(self._skip, out.shape[1])
        self._skip -= cut
        self._given += out.shape[1] - cut
        return np.ascontiguousarray(out[:, cut:])


class _Lane:
    """One channel's filter graph."""

    def __init__(self, source_rate_hz: int, sample_rate_hz: int) -> None:
        phases = sample_rate_hz // math.gcd(source_rate_hz, sample_rate_hz)
        options = (
            f"{sample_rate_hz}:filter_type=kaiser:kaiser_beta={_KAISER_BETA}:filter_size={_FILTER_SIZE}"
            f":cutoff={_CUTOFF}:phase_shift=10:linear_interp={int(phases > _MAX_PHASES)}"
        )
        self._rate_hz = source_rate_hz
        self._position = 0
        self._graph = Graph()
        self._graph.threads = 1
        self._source = self._graph.add_abuffer(format="fltp", sample_rate=source_rate_hz, layout="mono")
        resampler = self._graph.add("aresample", options)
        self._sink = self._graph.add("abuffersink")
        self._source.link_to(resampler)
        resampler.link_to(self._sink)
        self._graph.configure()

    def run(self, samples: NDArray[np.float32], block: int) -> NDArray[np.float32]:
        out: list[NDArray[np.float32]] = [np.zeros(0, np.float32)]
        for start in range(0, len(samples), block):
            piece = np.ascontiguousarray(samples[None, start : start + block])
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
            frame.sample_rate = self._rate_hz
            frame.pts = self._position
            self._position += piece.shape[1]
            self._source.push(frame)
            out.extend(self._pull())
        return np.concatenate(out)

    def _pull(self) -> list[NDArray[np.float32]]:
        out: list[NDArray[np.float32]] = []
        while True:
            try:
                frame = self._sink.pull()
            except (BlockingIOError, EOFError):
                return out
            if isinstance(frame, AudioFrame):
                out.append(np.array(frame.to_ndarray()[0], np.float32))


def _lead(source_rate_hz: int, sample_rate_hz: int) -> tuple[int, int]:
    """Zeros before the first sample: longer than the filter, and a whole number of output samples."""
    divisor = math.gcd(source_rate_hz, sample_rate_hz)
    step_in, step_out = source_rate_hz // divisor, sample_rate_hz // divisor
    reach = math.ceil(_FILTER_SIZE * max(1.0, source_rate_hz / sample_rate_hz))
    steps = math.ceil(reach / step_in)
    return steps * step_in, steps * step_out


def _round(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
