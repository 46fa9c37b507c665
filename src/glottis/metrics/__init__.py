"""Figures of merit: pure functions on arrays of scores.

Most take ``(bonafide_scores, spoof_scores, ...)``, where a higher score is more bona fide, and give a float; a trial is
accepted if and only if its score >= threshold. Those of `within` and `paired` take trials of both classes together,
those of `segments` recordings with a score for each frame. Rates are fractions, not percent. Scores pass one gate
(`checked`): an empty class or a score that is not finite is a `CorpusError` that names the class.
"""

from glottis.metrics.challenge import ADD_ROUNDS, add_track2_score, dsr, srr_complement, weighted_eer
from glottis.metrics.check import bonafide_mask, checked, checked_class, checked_like
from glottis.metrics.cllr import calibration_loss, cllr, min_cllr
from glottis.metrics.cost import act_dcf, bayes_threshold, dcf, min_dcf, min_dcf_point
from glottis.metrics.det import Curve, auc, average_precision, challenge_curve, det_curve, probit, rocch
from glottis.metrics.eer import (
    challenge_eer,
    challenge_eer_point,
    distinct_eer,
    eer,
    interpolated_eer,
    rocch_eer,
)
from glottis.metrics.intervals import Interval, bootstrap, bootstrap_any, bootstrap_each, bootstrap_mean
from glottis.metrics.iso30107 import (
    apcer,
    apcer_at_bpcer,
    apcer_at_bpcer_point,
    apcer_by_attack,
    apnrr,
    bpcer,
    bpcer_at_apcer,
    bpcer_at_apcer_point,
    bpnrr,
    npv,
    ppv,
    predictive_values,
    worst_apcer,
)
from glottis.metrics.laws import Law, Metric, OtherMetric, Shape
from glottis.metrics.paired import McNemar, mcnemar, paired_difference
from glottis.metrics.pav import Blocks, pav, pool, tied
from glottis.metrics.probability import N_BINS, Reliability, brier, ece, log_loss, reliability
from glottis.metrics.registry import METRICS, metric
from glottis.metrics.registry_others import OTHER_METRICS
from glottis.metrics.segments import Frames, Stretch, range_eer, range_f1, range_rates, segment_eer, segment_labels
from glottis.metrics.selective import RiskCoverage, error_at_share, risk_coverage, risk_coverage_area
from glottis.metrics.tandem import (
    ASVSPOOF5_ASV,
    AsvRates,
    SasvEers,
    TandemConstants,
    TandemCosts,
    a_dcf,
    a_dcf_point,
    min_tdcf,
    min_tdcf_point,
    sasv_eers,
    t_eer,
    tdcf_floor,
)
from glottis.metrics.threshold import Confusion, confusion_at, figure_at
from glottis.metrics.within import MIN_TRIALS, eers_within, mean_eer_within, mean_eer_within_interval

__all__ = [
    "ADD_ROUNDS",
    "ASVSPOOF5_ASV",
    "METRICS",
    "MIN_TRIALS",
    "N_BINS",
    "OTHER_METRICS",
    "AsvRates",
    "Blocks",
    "Confusion",
    "Curve",
    "Frames",
    "Interval",
    "Law",
    "McNemar",
    "Metric",
    "OtherMetric",
    "Reliability",
    "RiskCoverage",
    "SasvEers",
    "Shape",
    "Stretch",
    "TandemConstants",
    "TandemCosts",
    "a_dcf",
    "a_dcf_point",
    "act_dcf",
    "add_track2_score",
    "apcer",
    "apcer_at_bpcer",
    "apcer_at_bpcer_point",
    "apcer_by_attack",
    "apnrr",
    "auc",
    "average_precision",
    "bayes_threshold",
    "bonafide_mask",
    "bootstrap",
    "bootstrap_any",
    "bootstrap_each",
    "bootstrap_mean",
    "bpcer",
    "bpcer_at_apcer",
    "bpcer_at_apcer_point",
    "bpnrr",
    "brier",
    "calibration_loss",
    "challenge_curve",
    "challenge_eer",
    "challenge_eer_point",
    "checked",
    "checked_class",
    "checked_like",
    "cllr",
    "confusion_at",
    "dcf",
    "det_curve",
    "distinct_eer",
    "dsr",
    "ece",
    "eer",
    "eers_within",
    "error_at_share",
    "figure_at",
    "interpolated_eer",
    "log_loss",
    "mcnemar",
    "mean_eer_within",
    "mean_eer_within_interval",
    "metric",
    "min_cllr",
    "min_dcf",
    "min_dcf_point",
    "min_tdcf",
    "min_tdcf_point",
    "npv",
    "paired_difference",
    "pav",
    "pool",
    "ppv",
    "predictive_values",
    "probit",
    "range_eer",
    "range_f1",
    "range_rates",
    "reliability",
    "risk_coverage",
    "risk_coverage_area",
    "rocch",
    "rocch_eer",
    "sasv_eers",
    "segment_eer",
    "segment_labels",
    "srr_complement",
    "t_eer",
    "tdcf_floor",
    "tied",
    "weighted_eer",
    "worst_apcer",
]
