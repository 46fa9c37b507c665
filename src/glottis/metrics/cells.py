"""Very many scores, pooled into cells of neighbours, so that a resample costs as much as one of ten thousand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.metrics.check import Floats

CELLS = 10_000
"""Each cell holds one ten thousandth of all trials, or more where scores are equal."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The scores of one class in cells; equal scores share one.

    Attributes:
        values: The middle score of each cell, ascending, ``(k,)``.
        counts: How many trials each holds, ``(k,)``.
        of: The cell of each trial, ``(n,)``.
    """

    values: Floats
    counts: NDArray[np.int64]
    of: NDArray[np.intp]

    def weights(self, of_trials: NDArray[Any]) -> NDArray[np.int64]:
        """How often each cell counts, ``(rows, k)``, from how often each trial does, ``(rows, n)``."""
        rows = [np.bincount(self.of, weights=row, minlength=self.values.size) for row in of_trials]
        return np.array(rows, np.int64)


def in_cells(bonafide: Floats, spoof: Floats) -> tuple[Cells, Cells]:
    """Both classes on one grid, so that no two scores that lie further apart than a cell change their order.

    Args:
        bonafide: In any order, shape ``(n_bonafide,)``.
        spoof: Likewise.
    """
    every = np.sort(np.concatenate([bonafide, spoof]))
    edges = np.unique(every[:: max(1, every.size // CELLS)])
    return _cells(bonafide, edges), _cells(spoof, edges)


def _cells(scores: Floats, edges: Floats) -> Cells:
    place = np.searchsorted(edges, scores, side="right")
    counts = np.bincount(place)
    held = np.flatnonzero(counts)
    counts = counts[held]
    middles = np.sort(scores)[np.cumsum(counts) - (counts + 1) // 2]
    number = np.zeros(edges.size + 1, np.intp)
    number[held] = np.arange(held.size)
    return Cells(middles, counts, number[place])
