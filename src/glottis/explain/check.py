"""The check of an explanation: deleting what is marked must move the score more than deleting as much at random.

All marked cells are deleted at once, and with other noise than their effects were measured with, so that the check
is no repetition of the measurement. A random draw deletes as many cells of the same size with the same fill, and as
many of them from the loud, the middle and the quiet third of the window's cells; marked cells may be among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from glottis.explain.explanation import Check
from glottis.explain.hearing import score_all
from glottis.explain.spectrum import Canvas, Floats, Mask
from glottis.verdict import Samples, Scorer

DRAWS = 20
SHARE = 0.1
"""The share of the cells that is marked at most."""

_SEED = 2
_CLASSES = 3


def mark(effects: Floats, side: int) -> Mask:
    """The tenth of the cells that speaks the most for one side; fewer where fewer speak for it, but at least one.

    Args:
        effects: What each cell adds, ``(bands, columns)``.
        side: 1 for a person, -1 for spoof.
    """
    count = max(1, min(round(SHARE * effects.size), int((side * effects > 0).sum())))
    order = np.argsort(-side * effects, axis=None, kind="stable")
    marked = np.zeros(effects.size, np.bool_)
    marked[order[:count]] = True
    return marked.reshape(effects.shape)


def check(
    scorer: Scorer,
    canvas: Canvas,
    marked: Mask,
    *,
    value: float,
    side: int,
    to_unit: Callable[[Floats], Floats],
    unit: str,
    draws: int = DRAWS,
    seed: int = 0,
) -> Check:
    """Delete the marked cells, and random ones.

    Args:
        scorer: The model.
        canvas: The window.
        marked: From `mark`, ``(bands, columns)``.
        value: The whole window's, in `unit`.
        side: 1 where the window speaks for a person, -1 for spoof.
        to_unit: From scores ``(n,)`` to `unit`.
        unit: ``llr`` or ``score``.
        draws: How many random draws, at least 1.
        seed: Of the draws.
    """
    energies = canvas.energies
    rng = np.random.default_rng(seed)

    def edits() -> Iterator[Samples]:
        yield canvas.without(marked, _SEED)
        for _ in range(draws):
            yield canvas.without(as_many(marked, energies, rng), _SEED)

    moves = value - to_unit(score_all(scorer, edits()))
    at_random = tuple(float(move) for move in np.abs(moves[1:]))
    return Check(
        unit=unit,
        cells=int(marked.sum()),
        of=marked.size,
        energy_share=float(energies[marked].sum() / max(float(energies.sum()), 1e-30)),
        marked_move=float(side * moves[0]),
        random_moves=at_random,
        passed=bool(side * moves[0] > max(at_random)),
    )


def as_many(marked: Mask, energies: Floats, rng: np.random.Generator) -> Mask:
    """Random cells: as many as are marked, in the loud, the middle and the quiet third alike."""
    third = np.argsort(np.argsort(energies, axis=None, kind="stable")) * _CLASSES // energies.size
    drawn = np.zeros(marked.size, np.bool_)
    for one in range(_CLASSES):
        count = int(marked.ravel()[third == one].sum())
        drawn[rng.choice(np.flatnonzero(third == one), count, replace=False)] = True
    return drawn.reshape(marked.shape)
