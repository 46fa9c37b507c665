"""Figures of merit: pure functions on arrays of scores.

All take ``(bonafide_scores, spoof_scores, ...)``, where a higher score is more bona fide, and give a float; those of
`within` take trials of both classes together. Rates are fractions, not percent. Scores pass one gate (`checked`):
an empty class or a score that is not finite is a `CorpusError`.
"""

from glottis.metrics.check import bonafide_mask, checked, checked_like
from glottis.metrics.cllr import calibration_loss, cllr, min_cllr
from glottis.metrics.det import Curve, auc, challenge_curve, det_curve, probit, rocch
from glottis.metrics.eer import (
    challenge_eer,
    challenge_eer_point,
    distinct_eer,
    eer,
    interpolated_eer,
    rocch_eer,
)
from glottis.metrics.intervals import Interval, bootstrap, bootstrap_mean
from glottis.metrics.pav import Blocks, pav, pool, tied
from glottis.metrics.registry import METRICS, Law, Metric, metric
from glottis.metrics.within import MIN_TRIALS, eers_within, mean_eer_within, mean_eer_within_interval

__all__ = [
    "METRICS",
    "MIN_TRIALS",
    "Blocks",
    "Curve",
    "Interval",
    "Law",
    "Metric",
    "auc",
    "bonafide_mask",
    "bootstrap",
    "bootstrap_mean",
    "calibration_loss",
    "challenge_curve",
    "challenge_eer",
    "challenge_eer_point",
    "checked",
    "checked_like",
    "cllr",
    "det_curve",
    "distinct_eer",
    "eer",
    "eers_within",
    "interpolated_eer",
    "mean_eer_within",
    "mean_eer_within_interval",
    "metric",
    "min_cllr",
    "pav",
    "pool",
    "probit",
    "rocch",
    "rocch_eer",
    "tied",
]
