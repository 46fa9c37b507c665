"""The metrics of (bona fide scores, spoof scores) by name, each with its direction and the laws that it obeys.

What needs a setting stands here with the one that `settings` names. Metrics of other shapes are in `OTHER_METRICS`.
"""

from __future__ import annotations

from functools import partial
from typing import Literal, get_args

from glottis.errors import ConfigError
from glottis.metrics.cllr import calibration_loss, cllr, min_cllr
from glottis.metrics.cost import act_dcf, dcf, min_dcf
from glottis.metrics.det import auc, average_precision
from glottis.metrics.eer import challenge_eer, distinct_eer, interpolated_eer, rocch_eer
from glottis.metrics.iso30107 import apcer_at_bpcer, bpcer_at_apcer, npv, ppv
from glottis.metrics.laws import AT_0, COSTS, OWED, RANKING, Law, Metric
from glottis.metrics.probability import N_BINS, brier, ece, log_loss
from glottis.metrics.selective import error_at_share, risk_coverage_area
from glottis.metrics.tandem import ASVSPOOF5_ASV, Form, min_tdcf, tdcf_floor
from glottis.metrics.threshold import Figure, figure_at

_MIRRORED = RANKING | {Law.MIRROR}
_LLRS = OWED | {Law.DOUBLED, Law.SURE}
_INF = float("inf")
_CLASSES: tuple[Literal["spoof", "bonafide"], ...] = ("spoof", "bonafide")
_FORMS: tuple[tuple[Form, float], ...] = (("2019", 0.0), ("2021", tdcf_floor(ASVSPOOF5_ASV)))
_BINS = f"{N_BINS} bins of equal"
_ASV = "the ASV error rates of ASVspoof 5"
_MOST = 2.9  # 1.9 P_miss + P_fa with both rates 1

# The challenge EER walks ties one trial at a time, bona fide first, and takes the first of equally close points: it
# obeys neither DOUBLED nor MIRROR nor COMPLEMENT. The distinct EER shares the rule of the first point. Bins of equal
# mass, and the mean of the risk over trials, change a little when each trial counts twice.
_OF_RANKS = (
    Metric("eer", challenge_eer, "lower", 0, 1, "scores", OWED | {Law.MONOTONE, Law.PERFECT}),
    Metric("eer_distinct", distinct_eer, "lower", 0, 1, "scores", RANKING),
    Metric("eer_interpolated", interpolated_eer, "lower", 0, 1, "scores", _MIRRORED | {Law.COMPLEMENT}),
    Metric("eer_rocch", rocch_eer, "lower", 0, 0.5, "scores", _MIRRORED),
    Metric("auc", auc, "higher", 0, 1, "scores", _MIRRORED | {Law.COMPLEMENT}),
    *(
        Metric(
            f"average_precision_{positive}",
            partial(average_precision, positive=positive),
            "higher",
            0,
            1,
            "scores",
            RANKING,
            f"positive {positive}",
        )
        for positive in _CLASSES
    ),
    Metric("min_cllr", min_cllr, "lower", 0, 1, "scores", _MIRRORED),
    Metric("min_dcf", min_dcf, "lower", 0, 1, "scores", RANKING, COSTS),
    *(
        Metric(
            f"min_tdcf_{form}",
            partial(min_tdcf, asv=ASVSPOOF5_ASV, form=form),
            "lower",
            low,
            1,
            "scores",
            RANKING,
            f"form {form}, {_ASV}",
        )
        for form, low in _FORMS
    ),
    *(
        Metric(
            f"{function.__name__}_{percent}",
            partial(function, level=percent / 100),
            "lower",
            0,
            1,
            "scores",
            RANKING,
            f"level {percent / 100}",
        )
        for function, percents in ((apcer_at_bpcer, (1, 5)), (bpcer_at_apcer, (5, 10)))
        for percent in percents
    ),
)
_OF_THRESHOLDS = (
    *(
        Metric(name, partial(figure_at, threshold=0.0, figure=name), "higher", 0, 1, "llrs", AT_0, "threshold 0")
        for name in get_args(Figure)
    ),
    *(
        Metric(
            f"{function.__name__}_at_{prior:g}",
            partial(function, threshold=0.0, prior_spoof=prior),
            "higher",
            0,
            1,
            "llrs",
            AT_0,
            f"threshold 0, prior_spoof {prior:g}",
        )
        for function in (ppv, npv)
        for prior in (0.001, 0.01, 0.1)
    ),
    Metric("dcf", partial(dcf, threshold=0.0), "lower", 0, _MOST, "llrs", AT_0, f"threshold 0, {COSTS}"),
    Metric("act_dcf", act_dcf, "lower", 0, _MOST, "llrs", _LLRS, COSTS),
    Metric("error_at_share", error_at_share, "lower", 0, 1, "llrs", _LLRS, "share 0.9, threshold 0"),
    Metric("risk_coverage_area", risk_coverage_area, "lower", 0, 1, "llrs", OWED | {Law.SURE}, "threshold 0"),
)
_OF_PROBABILITIES = (
    Metric("cllr", cllr, "lower", 0, _INF, "llrs", _LLRS | {Law.MIRROR}),
    Metric("calibration_loss", calibration_loss, "lower", 0, _INF, "llrs", _LLRS | {Law.MIRROR}),
    Metric("brier", brier, "lower", 0, 1, "llrs", _LLRS | {Law.MIRROR}, "prior_spoof 0.5"),
    Metric("log_loss", log_loss, "lower", 0, _INF, "llrs", _LLRS | {Law.MIRROR}, "prior_spoof 0.5"),
    Metric("ece", ece, "lower", 0, 1, "llrs", _LLRS, f"of bonafide, {_BINS} width, prior_spoof 0.5"),
    Metric(
        "ece_top_label",
        partial(ece, of="top_label"),
        "lower",
        0,
        1,
        "llrs",
        _LLRS,
        f"of top_label, {_BINS} width, prior_spoof 0.5",
    ),
    Metric(
        "ece_mass",
        partial(ece, bins="mass"),
        "lower",
        0,
        1,
        "llrs",
        OWED | {Law.SURE},
        f"of bonafide, {_BINS} mass, prior_spoof 0.5",
    ),
)

METRICS: dict[str, Metric] = {one.name: one for one in (*_OF_RANKS, *_OF_THRESHOLDS, *_OF_PROBABILITIES)}
"""The metrics of two classes by name."""


def metric(name: str) -> Metric:
    """The metric of two classes of that name.

    Raises:
        ConfigError: There is none; the hint lists them.
    """
    if name not in METRICS:
        raise ConfigError(f"unknown metric {name!r}", code="unknown_metric", hint=f"one of {', '.join(METRICS)}")
    return METRICS[name]
