"""What abstaining buys: the error rate among the trials that get an answer, the surest first.

How sure a detector is of a trial is |llr - threshold|. Trials that are equally sure come together: within such a tie
errors count as spread evenly. The figures are shares of trials as they are, so that they depend on the balance of the
classes. Source: Geifman and El-Yaniv, "Selective classification for deep neural networks", 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from glottis.errors import ConfigError
from glottis.metrics.check import Floats, checked
from glottis.metrics.threshold import check_threshold


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """The risk-coverage curve; arrays are ``(n_points,)``, from the surest trials to all.

    Attributes:
        coverage: The share of trials that get an answer, over 0 and up to 1; rises.
        risk: The share of wrong answers among these.
        margin: The least |llr - threshold| that gets an answer; falls.
        area: The mean risk over all shares of trials (AURC), 0 to 1, lower is better.
    """

    coverage: Floats
    risk: Floats
    margin: Floats
    area: float


def risk_coverage(bonafide_llrs: ArrayLike, spoof_llrs: ArrayLike, threshold: float = 0.0) -> RiskCoverage:
    """The curve, one point for each distinct |llr - threshold|; llr >= threshold is called bona fide.

    Raises:
        CorpusError: A class is empty or has llrs that are not finite.
        ConfigError: The threshold is not finite.
    """
    margins, wrong = margins_of(bonafide_llrs, spoof_llrs, threshold)
    order = np.argsort(-margins, kind="stable")
    ordered = margins[order]
    ends = np.append(np.flatnonzero(ordered[1:] < ordered[:-1]), ordered.size - 1)
    errors, sizes = np.cumsum(wrong[order])[ends], np.diff(ends, prepend=-1)
    spread = np.repeat(np.diff(errors, prepend=0) / sizes, sizes)
    area = np.mean(np.cumsum(spread) / np.arange(1, ordered.size + 1))
    return RiskCoverage((ends + 1) / ordered.size, errors / (ends + 1), ordered[ends], float(area))


def risk_coverage_area(bonafide_llrs: ArrayLike, spoof_llrs: ArrayLike, threshold: float = 0.0) -> float:
    """The area under `risk_coverage`; 0 to 1, lower is better.

    Raises:
        CorpusError: A class is empty or has llrs that are not finite.
        ConfigError: The threshold is not finite.
    """
    return risk_coverage(bonafide_llrs, spoof_llrs, threshold).area


def error_at_share(
    bonafide_llrs: ArrayLike, spoof_llrs: ArrayLike, share: float = 0.9, *, threshold: float = 0.0
) -> float:
    """The share of wrong answers when at least `share` of the trials, the surest, get one; 0 to 1, lower is better.

    Trials that are as sure as the last of them get an answer too.

    Raises:
        CorpusError: A class is empty or has llrs that are not finite.
        ConfigError: The threshold is not finite, or `share` is not over 0 and at most 1.
    """
    if not 0 < share <= 1:
        raise ConfigError(f"share is {share}, not over 0 and at most 1", code="bad_share")
    curve = risk_coverage(bonafide_llrs, spoof_llrs, threshold)
    return float(curve.risk[int(np.argmax(curve.coverage >= share))])


def margins_of(bonafide_llrs: ArrayLike, spoof_llrs: ArrayLike, threshold: float) -> tuple[Floats, Floats]:
    """How sure each trial is, and 1 where its call is wrong: both ``(n_trials,)``, bona fide first.

    Raises:
        CorpusError: A class is empty or has llrs that are not finite.
        ConfigError: The threshold is not finite.
    """
    check_threshold(threshold)
    if np.isinf(threshold):
        raise ConfigError(f"the threshold is {threshold}", code="bad_threshold", hint="give a finite one")
    bonafide, spoof = checked(bonafide_llrs, spoof_llrs)
    margins = np.abs(np.concatenate([bonafide, spoof]) - threshold)
    wrong = np.concatenate([bonafide < threshold, spoof >= threshold])
    return margins, wrong.astype(np.float64)
