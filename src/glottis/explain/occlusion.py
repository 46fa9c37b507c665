"""Occlusion: a cell weighs what the score loses when that cell alone is replaced.

After Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014, in time and frequency. No
torch is needed: the model is asked, not opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from glottis.explain.hearing import score_all
from glottis.explain.spectrum import Canvas, Floats, Mask
from glottis.verdict import Samples, Scorer

SEED = 1


def occlude(scorer: Scorer, canvas: Canvas, *, on_cell: Callable[[], None] | None = None) -> Floats:
    """The score without each cell, ``(bands, columns)``.

    Args:
        scorer: The model; it is asked once for each cell.
        canvas: The window.
        on_cell: Called before each cell.
    """
    shape = canvas.grid.shape

    def edits() -> Iterator[Samples]:
        for cell in np.ndindex(shape):
            if on_cell is not None:
                on_cell()
            yield canvas.without(only(cell, shape), SEED)

    return score_all(scorer, edits()).reshape(shape)


def only(cell: tuple[int, ...], shape: tuple[int, int]) -> Mask:
    """A mask of one cell, (band, column)."""
    mask = np.zeros(shape, np.bool_)
    mask[cell] = True
    return mask
