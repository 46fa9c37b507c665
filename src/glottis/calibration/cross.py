"""Calibrating trials by calibrators that saw none of their kin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from glottis.calibration.regression import Floats
from glottis.calibration.stored import Calibrator
from glottis.errors import CorpusError
from glottis.metrics import bonafide_mask, checked, checked_like

Fit = Callable[..., Calibrator]


def cross_fit(
    scores: ArrayLike,
    labels: ArrayLike,
    groups: ArrayLike,
    fit: Fit,
    *,
    fact: ArrayLike | None = None,
) -> Floats:
    """The llr of each trial by a calibrator that saw none of its group, shape ``(n,)``.

    Args:
        scores: Shape ``(n,)``; higher is more bona fide.
        labels: ``bonafide`` or ``spoof`` for each trial, or whether it is bona fide.
        groups: The group (source, speaker) of each trial.
        fit: Such as `Platt.fit`: takes the bona fide and the spoof scores and, if `fact` is given, that of each.
        fact: Of each trial, what the calibration needs: known of speech, bandwidth.

    Raises:
        CorpusError: Scores that are not finite, an unknown label, unequal lengths, or a group without which a class
            is empty (``empty_class``; the message names the group).
    """
    values = np.asarray(scores, dtype=np.float64)
    bonafide = bonafide_mask(labels, values)
    checked(values[bonafide], values[~bonafide])
    names = checked_like(groups, values, "groups").astype(np.str_)
    known = None if fact is None else checked_like(fact, values, "fact").astype(np.float64)
    llrs = np.empty_like(values)
    for name in np.unique(names):
        here = names == name
        real, fake = ~here & bonafide, ~here & ~bonafide
        if not real.any() or not fake.any():
            missing = "spoof" if real.any() else "bonafide"
            raise CorpusError(f"without group {str(name)!r} there is no {missing} score", code="empty_class")
        extra = () if known is None else (known[real], known[fake])
        model = fit(values[real], values[fake], *extra)
        llrs[here] = model.apply(values[here], None if known is None else known[here])
    return llrs
