"""The one gate through which scores enter the metrics."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glottis.errors import CorpusError

Floats = NDArray[np.float64]


def checked(bonafide_scores: ArrayLike, spoof_scores: ArrayLike) -> tuple[Floats, Floats]:
    """The scores of both classes as float64, shapes ``(n_bonafide,)`` and ``(n_spoof,)``.

    Raises:
        CorpusError: A class has no scores (``empty_class``), scores that are not finite (``not_finite``), or scores
            that are no list of numbers (``not_scores``); the message names the class.
    """
    return checked_class(bonafide_scores, "bonafide"), checked_class(spoof_scores, "spoof")


def checked_class(scores: ArrayLike, label: str) -> Floats:
    """The scores of the class `label` as float64, shape ``(n,)``.

    Raises:
        CorpusError: As `checked`.
    """
    try:
        values = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise CorpusError(f"the {label} scores are not numbers: {error}", code="not_scores") from error
    if values.ndim != 1:
        raise CorpusError(f"the {label} scores have shape {values.shape}, not (n,)", code="not_scores")
    if values.size == 0:
        raise CorpusError(
            f"there is no {label} score",
            code="empty_class",
            hint=f"this figure needs trials of each of its classes, {label} among them",
        )
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise CorpusError(
            f"{bad.size} of {values.size} {label} scores are not finite, first number {bad[0]}: {values[bad[0]]}",
            code="not_finite",
            hint="leave trials without a score out, and report how many they were",
        )
    return values


def checked_like(values: ArrayLike, scores: Floats, what: str) -> NDArray[np.generic]:
    """`values` as an array with one item for each score, shape ``(n,)``.

    Raises:
        CorpusError: The lengths differ (``unequal_lengths``); the message names `what`.
    """
    items = np.asarray(values)
    if items.shape != scores.shape:
        raise CorpusError(
            f"{what}: shape {items.shape} beside scores of shape {scores.shape}",
            code="unequal_lengths",
            hint="give one for each trial, in the order of the scores",
        )
    return items


def numbered(items: NDArray[np.generic]) -> tuple[list[Any], NDArray[np.intp]]:
    """The distinct items in order, and which of them each item is, ``(n,)``; for names much quicker than sorting."""
    values = items.tolist()
    names = sorted(set(values))
    number = {name: i for i, name in enumerate(names)}
    return names, np.fromiter(map(number.__getitem__, values), dtype=np.intp, count=len(values))


def bonafide_mask(labels: ArrayLike, scores: Floats) -> NDArray[np.bool_]:
    """Which trials are bona fide, from flags or from the words ``bonafide`` and ``spoof``; shape ``(n,)``.

    Raises:
        CorpusError: The lengths differ, or a label is neither word (``unknown_label``).
    """
    items = checked_like(labels, scores, "labels")
    if items.dtype == np.bool_:
        return items.astype(np.bool_)
    words = items.astype(np.str_)
    unknown = sorted(set(words.tolist()) - {"bonafide", "spoof"})
    if unknown:
        raise CorpusError(
            f"unknown label {unknown[0]!r}", code="unknown_label", hint="labels are 'bonafide' and 'spoof', or booleans"
        )
    mask: NDArray[np.bool_] = words == "bonafide"
    return mask
