"""The metrics of other shapes than two classes of scores: one class, three, frames, two systems, flags, rates.

What needs a setting stands here with the one that `settings` names.
"""

from __future__ import annotations

from functools import partial
from operator import attrgetter, itemgetter
from typing import Any

from glottis.metrics.challenge import add_track2_score, dsr, srr_complement, weighted_eer
from glottis.metrics.eer import interpolated_eer
from glottis.metrics.iso30107 import (
    apcer,
    apcer_by_attack,
    apnrr,
    bpcer,
    bpnrr,
    predictive_values,
    worst_apcer,
)
from glottis.metrics.laws import AT_0, OWED, RANKING, Law, OtherMetric, Shape
from glottis.metrics.paired import mcnemar, paired_difference
from glottis.metrics.segments import range_eer, range_f1, range_rates, segment_eer
from glottis.metrics.tandem import a_dcf, sasv_eers, t_eer
from glottis.metrics.within import eers_within, mean_eer_within

_SPOOF, _BONAFIDE = ("spoof",), ("bonafide",)
_TRIPLE = ("target", "nontarget", "spoof")
_TANDEM = ("ASV target", "ASV nontarget", "ASV spoof", "bonafide", "spoof")
_SYSTEMS = ("first system", "second system")
_MONOTONE = OWED | {Law.MONOTONE}
_DOUBLED = OWED | {Law.DOUBLED}
_EXCHANGE = OWED | {Law.EXCHANGE}
_RISES = frozenset({Law.REFUSES, Law.RISES})


def _largest(figures: Any) -> float:
    return float(max(figures.values()))


def _at_0(function: Any, label: tuple[str, ...]) -> OtherMetric:
    return OtherMetric(
        function.__name__, partial(function, threshold=0.0), Shape.CLASSES, label, AT_0, settings="threshold 0"
    )


def _of_attacks(function: Any, figure: Any) -> OtherMetric:
    laws = _DOUBLED | {Law.SIDES}
    inputs = ("spoof", "attacks")
    called = partial(function, threshold=0.0)
    return OtherMetric(function.__name__, called, Shape.ATTACKS, inputs, laws, figure=figure, settings="threshold 0")


def _of_groups(function: Any, figure: Any) -> OtherMetric:
    inputs = ("scores", "labels", "groups")
    called = partial(function, min_trials=1)
    settings = "min_trials 1"
    return OtherMetric(function.__name__, called, Shape.TRIALS, inputs, _MONOTONE, figure=figure, settings=settings)


def _of_frames(
    function: Any, laws: frozenset[Law], *, better: Any = "lower", figure: Any = float, **settings: float
) -> OtherMetric:
    said = "frames of 1 s" + "".join(f", {key} {value:g}" for key, value in settings.items())
    called = partial(function, frame_s=1.0, **settings)
    inputs = ("recordings",)
    return OtherMetric(
        function.__name__, called, Shape.FRAMES, inputs, laws, better=better, figure=figure, settings=said
    )


_ALL = (
    _at_0(apcer, _SPOOF),
    _at_0(bpcer, _BONAFIDE),
    _at_0(srr_complement, _SPOOF),
    OtherMetric("a_dcf", a_dcf, Shape.CLASSES, _TRIPLE, RANKING, settings="priors and costs of ASVspoof 5"),
    OtherMetric("t_eer", t_eer, Shape.CLASSES, _TANDEM, _MONOTONE),
    OtherMetric("sasv_eers", sasv_eers, Shape.CLASSES, _TRIPLE, _MONOTONE | {Law.PERFECT}, figure=attrgetter("sasv")),
    _of_groups(eers_within, _largest),
    _of_groups(mean_eer_within, float),
    _of_attacks(apcer_by_attack, _largest),
    _of_attacks(worst_apcer, itemgetter(1)),
    _of_frames(segment_eer, _MONOTONE | {Law.PERFECT}),
    _of_frames(range_eer, RANKING),
    _of_frames(range_rates, AT_0, figure=max, threshold=0.0),
    _of_frames(range_f1, AT_0, better="higher", threshold=0.0),
    OtherMetric(
        "paired_difference",
        partial(paired_difference, interpolated_eer, resamples=1),
        Shape.SYSTEMS,
        (*_SYSTEMS, "bonafide"),
        _EXCHANGE | {Law.MONOTONE, Law.DOUBLED},
        better="neither",
        low=-1,
        figure=attrgetter("value"),
        settings="eer_interpolated",
    ),
    OtherMetric("mcnemar", mcnemar, Shape.FLAGS, _SYSTEMS, _EXCHANGE, better="neither", figure=attrgetter("p_value")),
    OtherMetric("apnrr", apnrr, Shape.FLAGS, _SPOOF, _DOUBLED),
    OtherMetric("bpnrr", bpnrr, Shape.FLAGS, _BONAFIDE, _DOUBLED),
    OtherMetric("dsr", dsr, Shape.DETECTORS, ("scores of each", "thresholds"), _DOUBLED, better="higher"),
    OtherMetric(
        "weighted_eer", weighted_eer, Shape.RATES, ("EERs",), _RISES, settings="weights 0.4 and 0.6 (ADD 2023)"
    ),
    OtherMetric(
        "add_track2_score", add_track2_score, Shape.RATES, ("sentence accuracy", "segment F1"), _RISES, better="higher"
    ),
    OtherMetric(
        "predictive_values",
        partial(predictive_values, prior_spoof=0.01),
        Shape.RATES,
        ("APCER", "BPCER"),
        frozenset({Law.REFUSES}),
        better="higher",
        figure=itemgetter(0),
        settings="prior_spoof 0.01",
    ),
)

OTHER_METRICS: dict[str, OtherMetric] = {one.name: one for one in _ALL}
"""The metrics of other shapes by name."""
