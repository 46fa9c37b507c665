"""Equal error rate: where misses and false alarms are equally frequent. Fractions, 0 to 1; lower is better.

Four definitions are in use, and they differ where scores are tied or few:

- ``challenge``: the ASVspoof organisers' scripts, what papers report. Ties count against the detector, as far as 1.0
  for constant scores.
- ``distinct``: the reachable operating point where the two rates are closest, their mean.
- ``interpolated``: the exact crossing on straight lines between reachable points (the scikit-learn recipe).
- ``rocch``: the crossing on the convex hull, the greatest Bayes error over all priors; at most 0.5.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from glottis.errors import ConfigError
from glottis.metrics.check import Floats
from glottis.metrics.det import Curve, challenge_curve, det_curve, rocch

Mode = Literal["challenge", "distinct", "interpolated", "rocch"]


def challenge_eer(bonafide_scores: ArrayLike, spoof_scores: ArrayLike) -> float:
    """The EER that papers report.

    On the organisers' curve (`challenge_curve`) k is the first point with the least |P_miss - P_fa|; the EER is
    (P_miss[k] + P_fa[k]) / 2.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
    """
    return challenge_eer_point(bonafide_scores, spoof_scores)[0]


def challenge_eer_point(bonafide_scores: ArrayLike, spoof_scores: ArrayLike) -> tuple[float, float]:
    """The challenge EER and its threshold; on that curve a trial is rejected if score <= threshold.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
    """
    return _closest(challenge_curve(bonafide_scores, spoof_scores))


def distinct_eer(bonafide_scores: ArrayLike, spoof_scores: ArrayLike) -> float:
    """The tie-safe EER at the reachable threshold where the two rates are closest.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
    """
    return _closest(det_curve(bonafide_scores, spoof_scores))[0]


def interpolated_eer(bonafide_scores: ArrayLike, spoof_scores: ArrayLike) -> float:
    """The tie-safe EER at the exact crossing of P_miss and P_fa between neighbouring thresholds.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
    """
    return _crossing(det_curve(bonafide_scores, spoof_scores))


def rocch_eer(bonafide_scores: ArrayLike, spoof_scores: ArrayLike) -> float:
    """The EER on the convex hull: never over `interpolated_eer`, never over 0.5.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
    """
    return _crossing(rocch(bonafide_scores, spoof_scores))


MODES = {
    "challenge": challenge_eer,
    "distinct": distinct_eer,
    "interpolated": interpolated_eer,
    "rocch": rocch_eer,
}


def eer(bonafide_scores: ArrayLike, spoof_scores: ArrayLike, *, mode: Mode = "challenge") -> float:
    """The EER by one of its four definitions.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
        ConfigError: An unknown mode.
    """
    if mode not in MODES:
        raise ConfigError(f"unknown EER mode {mode!r}", code="bad_mode", hint=f"one of {', '.join(MODES)}")
    return MODES[mode](bonafide_scores, spoof_scores)


def crossings(miss: Floats, false_alarm: Floats) -> Floats:
    """Where P_miss = P_fa on polylines from (0, 1) to (1, 0); ``(n_curves, n_points)`` to ``(n_curves,)``.

    With d = P_miss - P_fa and k the first point with d[k] >= 0, it lies the share d[k-1] / (d[k-1] - d[k]) of the way
    from point k - 1 to point k.
    """
    gap = miss - false_alarm
    k = np.argmax(gap >= 0, axis=1)
    row = np.arange(k.size)
    before, after = gap[row, k - 1], gap[row, k]
    share = before / (before - after)
    rates: Floats = np.where(after == 0, miss[row, k], miss[row, k - 1] + share * (miss[row, k] - miss[row, k - 1]))
    return rates


def _closest(curve: Curve) -> tuple[float, float]:
    k = int(np.argmin(np.abs(curve.miss - curve.false_alarm)))
    return float((curve.miss[k] + curve.false_alarm[k]) / 2), float(curve.thresholds[k])


def _crossing(curve: Curve) -> float:
    return float(crossings(curve.miss[None], curve.false_alarm[None])[0])
