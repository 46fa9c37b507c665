"""Pool adjacent violators: the best non-decreasing map from score to probability.

Source: Ayer et al. 1955; its use for likelihood ratios: Brümmer and du Preez, "The PAV algorithm optimizes binary
proper scoring rules", 2009. Equal scores are pooled first, so that the result is a function of the score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glottis.metrics.check import Floats

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Blocks:
    """Stretches of the score axis with one value each, ascending; all arrays ``(n_blocks,)``.

    Attributes:
        low: The lowest score of each block.
        high: The highest.
        bonafide: How many bona fide trials lie in each.
        spoof: How many spoof trials lie in each.
    """

    low: Floats
    high: Floats
    bonafide: Counts
    spoof: Counts


def tied(bonafide_scores: Floats, spoof_scores: Floats) -> Blocks:
    """One block for each distinct score."""
    scores, inverse = np.unique(np.concatenate([bonafide_scores, spoof_scores]), return_inverse=True)
    split = bonafide_scores.size
    return Blocks(
        scores,
        scores,
        np.bincount(inverse[:split], minlength=scores.size).astype(np.int64),
        np.bincount(inverse[split:], minlength=scores.size).astype(np.int64),
    )


def pool(blocks: Blocks) -> Blocks:
    """Merge neighbours until the share of bona fide trials strictly increases from block to block.

    Shares are compared in whole numbers, so that no rounding decides.
    """
    start = pure_runs(blocks)
    bonafide = np.add.reduceat(blocks.bonafide, start).tolist()
    spoof = np.add.reduceat(blocks.spoof, start).tolist()
    stack: list[tuple[int, int, int]] = []
    for first, b, s in zip(start.tolist(), bonafide, spoof, strict=True):
        top = (first, b, s)
        while stack and stack[-1][1] * top[2] >= top[1] * stack[-1][2]:
            below = stack.pop()
            top = (below[0], below[1] + top[1], below[2] + top[2])
        stack.append(top)
    firsts = np.array([item[0] for item in stack])
    lasts = np.append(firsts[1:], blocks.low.size) - 1
    return Blocks(
        blocks.low[firsts],
        blocks.high[lasts],
        np.array([item[1] for item in stack], dtype=np.int64),
        np.array([item[2] for item in stack], dtype=np.int64),
    )


def pure_runs(blocks: Blocks) -> NDArray[np.intp]:
    """Where runs of blocks of one class alone start, and each block of both classes; ``(n_runs,)``."""
    kind = np.where(blocks.spoof == 0, 1, np.where(blocks.bonafide == 0, 0, 2))
    new = np.ones(kind.size, dtype=np.bool_)
    new[1:] = (kind[1:] != kind[:-1]) | (kind[1:] == 2)  # noqa: PLR2004 - the third kind: both classes in it
    return np.flatnonzero(new)


def pav(bonafide_scores: Floats, spoof_scores: Floats) -> Blocks:
    """The blocks of the isotonic regression of the label on the score, for scores that passed the gate."""
    return pool(tied(bonafide_scores, spoof_scores))
