"""Detection error trade-off: what is missed against what is let through.

Conventions: a higher score is more bona fide. A miss is a bona fide trial that is rejected, a false alarm a spoof
trial that is accepted. Rates are fractions, 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from glottis.errors import ConfigError
from glottis.metrics.check import Floats, checked
from glottis.metrics.pav import pav, tied


@dataclass(frozen=True, eq=False)
class Curve:
    """Operating points from "accept all" to "reject all"; all arrays ``(n_points,)``.

    Attributes:
        miss: The share of bona fide trials that are rejected; never falls.
        false_alarm: The share of spoof trials that are accepted; never rises.
        thresholds: The score at each point; what it means stands with the function that made the curve.
    """

    miss: Floats
    false_alarm: Floats
    thresholds: Floats


def det_curve(bonafide_scores: ArrayLike, spoof_scores: ArrayLike) -> Curve:
    """The operating points that a threshold can reach: accept if and only if score >= threshold.

    P_miss(t) = #{b < t} / B and P_fa(t) = #{s >= t} / S at each distinct score t, and at infinity.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
    """
    bonafide, spoof = (np.sort(scores) for scores in checked(bonafide_scores, spoof_scores))
    distinct = np.unique(np.concatenate([bonafide, spoof]))
    miss = np.searchsorted(bonafide, distinct) / bonafide.size
    false_alarm = (spoof.size - np.searchsorted(spoof, distinct)) / spoof.size
    return Curve(np.append(miss, 1.0), np.append(false_alarm, 0.0), np.append(distinct, np.inf))


def challenge_curve(bonafide_scores: ArrayLike, spoof_scores: ArrayLike) -> Curve:
    """The curve of the ASVspoof organisers' scripts: one step a trial, bona fide first among equal scores.

    Point i rejects the i lowest trials, and its threshold is the highest score among them (0.001 under the lowest
    score for i = 0), so that here "reject" means score <= threshold. Inside a tie there are points that no threshold
    reaches. Source: asvspoof-challenge/2021, ``eval_metrics.compute_det_curve``.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
    """
    bonafide, spoof = checked(bonafide_scores, spoof_scores)
    scores = np.concatenate([bonafide, spoof])
    order = np.argsort(scores, kind="stable")
    missed = np.cumsum(order < bonafide.size)
    accepted = spoof.size - (np.arange(1, scores.size + 1) - missed)
    ordered = scores[order]
    return Curve(
        np.append(0.0, missed / bonafide.size),
        np.append(1.0, accepted / spoof.size),
        np.append(ordered[0] - 0.001, ordered),
    )


def rocch(bonafide_scores: ArrayLike, spoof_scores: ArrayLike) -> Curve:
    """The corners of the lower left convex hull of the operating points; thresholds are the blocks' lowest scores.

    Source: Brümmer and de Villiers, "The BOSARIS toolkit", 2011: the hull follows from pooling adjacent violators.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
    """
    bonafide, spoof = checked(bonafide_scores, spoof_scores)
    blocks = pav(bonafide, spoof)
    return Curve(
        np.append(0, np.cumsum(blocks.bonafide)) / bonafide.size,
        (spoof.size - np.append(0, np.cumsum(blocks.spoof))) / spoof.size,
        np.append(blocks.low, np.inf),
    )


def auc(bonafide_scores: ArrayLike, spoof_scores: ArrayLike) -> float:
    """The area under the ROC curve: P(bona fide score > spoof score), ties counted half; 0 to 1, higher is better.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
    """
    bonafide, spoof = checked(bonafide_scores, spoof_scores)
    spoof = np.sort(spoof)
    below = np.searchsorted(spoof, bonafide, side="left")
    not_above = np.searchsorted(spoof, bonafide, side="right")
    return float((below.sum() + not_above.sum()) / 2 / bonafide.size / spoof.size)


def average_precision(
    bonafide_scores: ArrayLike, spoof_scores: ArrayLike, *, positive: Literal["bonafide", "spoof"] = "spoof"
) -> float:
    """The area under the steps of precision over recall, 0 to 1, higher is better; it depends on the class balance.

    With the trials called positive at the n-th distinct score: the sum of (recall_n - recall_(n-1)) precision_n.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
        ConfigError: An unknown class.
    """
    if positive not in {"bonafide", "spoof"}:
        raise ConfigError(f"unknown class {positive!r}", code="bad_mode", hint="one of bonafide, spoof")
    blocks = tied(*checked(bonafide_scores, spoof_scores))
    of_spoof = positive == "spoof"
    hits, others = (blocks.spoof, blocks.bonafide) if of_spoof else (blocks.bonafide[::-1], blocks.spoof[::-1])
    return float(hits @ (np.cumsum(hits) / np.cumsum(hits + others)) / hits.sum())


def probit(rates: ArrayLike, *, clip: float = 1e-5) -> Floats:
    """The axis of a DET plot: the inverse of the normal distribution function, same shape as `rates`.

    Args:
        rates: Fractions, 0 to 1.
        clip: Rates are moved into [clip, 1 - clip] first, since 0 and 1 lie at infinity.

    Raises:
        ConfigError: `clip` is not between 0 and 0.5.
    """
    if not 0 < clip < 0.5:  # noqa: PLR2004 - the middle of the axis
        raise ConfigError(f"clip is {clip}, not between 0 and 0.5", code="bad_clip")
    values, inverse = np.unique(np.clip(np.asarray(rates, dtype=np.float64), clip, 1 - clip), return_inverse=True)
    inv_cdf = NormalDist().inv_cdf
    at = np.array([inv_cdf(value) for value in values.tolist()], dtype=np.float64)
    return at[inverse].reshape(np.shape(rates))
