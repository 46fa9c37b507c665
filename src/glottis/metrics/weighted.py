"""One figure on many resamples at once: trials are sorted once, and a resample is how often each of them counts.

For a metric that is not here `weighted` gives None, and the caller repeats the trials and calls the metric. Both ways
give the same figures up to rounding; a test holds each to it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from glottis.metrics import weighted_points as points
from glottis.metrics import weighted_trials as trials
from glottis.metrics.check import Floats
from glottis.metrics.cllr import calibration_loss, cllr, min_cllr
from glottis.metrics.cost import act_dcf, bayes_threshold, dcf, dcf_weights, min_dcf
from glottis.metrics.det import auc, average_precision
from glottis.metrics.eer import MODES, challenge_eer, distinct_eer, eer, interpolated_eer, rocch_eer
from glottis.metrics.iso30107 import apcer_at_bpcer, bpcer_at_apcer, npv, ppv
from glottis.metrics.probability import brier, ece, log_loss
from glottis.metrics.selective import error_at_share, risk_coverage_area
from glottis.metrics.tandem import AsvRates, Form, TandemConstants, TandemCosts, min_tdcf
from glottis.metrics.threshold import figure_at
from glottis.metrics.weighted_points import Counts, OnWeights


def weighted(metric: Callable[..., float], bonafide: Floats, spoof: Floats) -> OnWeights | None:
    """The metric on these trials as a function of their weights, or None.

    Args:
        metric: A function of (bona fide scores, spoof scores), or a `functools.partial` of one with keywords.
        bonafide: Shape ``(n_bonafide,)``, checked; in ascending order it is quickest.
        spoof: Shape ``(n_spoof,)``, as well.
    """
    function: Callable[..., Any] = metric
    given: dict[str, Any] = {}
    if isinstance(metric, partial) and not metric.args:
        function, given = metric.func, metric.keywords
    if function is eer:
        function, given = MODES[given.get("mode", "challenge")], {}
    maker = _MAKERS.get(function)
    if maker is None:
        return None
    settings = {one.name: one.default for one in list(inspect.signature(function).parameters.values())[2:]}
    return maker(bonafide, spoof, **settings | given)


def _least_dcf(miss: Floats, false_alarm: Floats, **costs: float) -> Floats:
    return points.least(miss, false_alarm, 0.0, *dcf_weights(**costs))


def _least_tdcf(
    miss: Floats, false_alarm: Floats, *, asv: AsvRates | TandemConstants, form: Form, costs: TandemCosts | None
) -> Floats:
    of = asv if isinstance(asv, TandemConstants) else TandemConstants.of(asv, form=form, costs=costs)
    default = of.c0 + min(of.c1, of.c2)
    return points.least(miss, false_alarm, of.c0 / default, of.c1 / default, of.c2 / default)


def _dcf(missed: Floats, caught: Floats, size_b: Counts, size_s: Counts, **costs: float) -> Floats:
    weight_miss, weight_fa = dcf_weights(**costs)
    return np.asarray(weight_miss * missed / size_b + weight_fa * (size_s - caught) / size_s)


def _act_dcf(bonafide: Floats, spoof: Floats, **costs: float) -> OnWeights:
    return trials.on_sides(_dcf)(bonafide, spoof, threshold=bayes_threshold(**costs), **costs)


def _calibration_loss(bonafide: Floats, spoof: Floats) -> OnWeights:
    whole, least = trials.cllr(bonafide, spoof), points.least_cllr(bonafide, spoof)
    return lambda weights_b, weights_s: whole(weights_b, weights_s) - least(weights_b, weights_s)


_MAKERS: dict[Callable[..., Any], Callable[..., OnWeights | None]] = {
    challenge_eer: points.on_crossing(points.challenge),
    distinct_eer: points.on_crossing(points.distinct),
    interpolated_eer: points.on_crossing(points.interpolated),
    rocch_eer: points.hull_crossing,
    average_precision: points.precision,
    auc: points.area,
    cllr: trials.cllr,
    min_cllr: points.least_cllr,
    calibration_loss: _calibration_loss,
    min_dcf: points.on_corners(_least_dcf),
    min_tdcf: points.on_corners(_least_tdcf),
    act_dcf: _act_dcf,
    dcf: trials.on_sides(_dcf),
    apcer_at_bpcer: points.on_corners(points.apcer_at),
    bpcer_at_apcer: points.on_corners(points.bpcer_at),
    figure_at: trials.on_sides(trials.of_confusion),
    ppv: trials.predictive(0),
    npv: trials.predictive(1),
    brier: trials.brier,
    log_loss: trials.log_loss,
    ece: trials.ece,
    risk_coverage_area: trials.risk_coverage_area,
    error_at_share: trials.error_at_share,
}
