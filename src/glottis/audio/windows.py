"""Blocks of any size to windows on a fixed grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


class Windower:
    """Cuts a stream into windows; the same windows however it was fed.

    Windows start every hop from the first sample. The last one ends at the last sample, so that every sample lies
    in a window (hop is at most one window). A recording shorter than one window is repeated to fill it.

    Args:
        window_samples: The length of every window, at least 1.
        hop_samples: From one start to the next, 1 to `window_samples`.
    """

    def __init__(self, window_samples: int, hop_samples: int) -> None:
        if not 1 <= hop_samples <= window_samples:
            raise ValueError(f"hop must be 1 to the window's {window_samples} samples, got {hop_samples}")
        self.window_samples = window_samples
        self.hop_samples = hop_samples
        self._pieces: list[Samples] = []
        self._start = 0
        self._total = 0
        self._next = 0
        self._finished = False

    @property
    def total_samples(self) -> int:
        """Samples pushed so far."""
        return self._total

    def push(self, samples: Samples) -> list[tuple[int, Samples]]:
        """Take samples ``(n,)``; give the windows that they complete, as (start sample, window)."""
        if self._finished:
            raise ValueError("push after finish")
        if samples.ndim != 1:
            raise ValueError(f"samples must be (n,), got {samples.shape}")
        if not len(samples):
            return []
        self._pieces.append(np.array(samples, np.float32))
        self._total += len(samples)
        if self._total < self._next + self.window_samples:
            return []
        held = self._held()
        windows = []
        while self._next + self.window_samples <= self._total:
            windows.append((self._next, self._cut(held, self._next)))
            self._next += self.hop_samples
        self._forget(held)
        return windows

    def finish(self) -> list[tuple[int, Samples]]:
        """Give the last window where the grid has not reached the last sample; nothing for 0 samples."""
        self._finished = True
        if not self._total:
            return []
        if self._total < self.window_samples:
            return [(0, np.resize(self._held(), self.window_samples))]
        start = self._total - self.window_samples
        if start == self._next - self.hop_samples:
            return []
        return [(start, self._cut(self._held(), start))]

    def _held(self) -> Samples:
        if len(self._pieces) > 1:
            self._pieces = [np.concatenate(self._pieces)]
        return self._pieces[0]

    def _cut(self, held: Samples, start: int) -> Samples:
        offset = start - self._start
        return held[offset : offset + self.window_samples].copy()

    def _forget(self, held: Samples) -> None:
        """Keep one window's length before the end, which the last window may need, and all the grid still needs."""
        keep_from = min(self._next, self._total - self.window_samples)
        self._pieces = [held[keep_from - self._start :].copy()]
        self._start = keep_from
