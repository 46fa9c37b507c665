"""From the windows' scores to the recording's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glottis.verdict import Window


def aggregate(windows: Sequence[Window], how: Mapping[str, Any]) -> float:
    """One score from the scored windows.

    ``mean`` weighs a window by the seconds of speech in it; ``first`` takes the first scored window, as systems do
    that were published so; ``softmin`` is -t * log(sum(w * exp(-score / t)) with the same weights w, summing to 1:
    the smaller the temperature t, the more the most suspect windows count.

    Args:
        windows: In order; at least one has a score.
        how: A manifest's ``aggregate``.
    """
    scored = [window for window in windows if window.score is not None]
    scores = np.array([window.score for window in scored], np.float64)
    if how["kind"] == "first":
        return float(scores[0])
    weights = np.array([max(window.speech, 1e-3) * (window.end_s - window.start_s) for window in scored])
    weights /= weights.sum()
    if how["kind"] == "mean":
        return float(weights @ scores)
    temperature = float(how["temperature"])
    lowest = scores.min()
    return float(lowest - temperature * np.log(weights @ np.exp((lowest - scores) / temperature)))
