"""From the windows' scores to the recording's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def aggregate(scores: ArrayLike, how: Mapping[str, Any]) -> float:
    """One score from those of the windows; it never falls when a window's score rises.

    ``mean``
        The mean of all.
    ``softmin``
        -t * log(mean(exp(-s / t))): between the mean (great t) and the lowest score (small t), so that a short fake
        part of a long recording counts.
    ``first``
        The first window's, as systems do that were published so.

    All windows weigh the same, the last one too, which may overlap the one before it: the samples that both see
    count twice, in at most one window of a recording.

    Args:
        scores: Of the scored windows in order, ``(n,)``, n at least 1.
        how: A manifest's ``aggregate``: ``{"kind"}``, and for softmin ``"temperature"``, in units of score, over 0.
    """
    values = np.asarray(scores, dtype=np.float64)
    if how["kind"] == "first":
        return float(values[0])
    if how["kind"] == "mean":
        return float(values.mean())
    temperature = float(how["temperature"])
    lowest = values.min()
    return float(lowest - temperature * np.log(np.exp((lowest - values) / temperature).mean()))
