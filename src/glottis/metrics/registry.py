"""The metrics by name, each with its direction and the laws that it obeys; tests hold each to what it declares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from numpy.typing import ArrayLike

from glottis.errors import ConfigError
from glottis.metrics.cllr import calibration_loss, cllr, min_cllr
from glottis.metrics.det import auc
from glottis.metrics.eer import challenge_eer, distinct_eer, interpolated_eer, rocch_eer


class Law(StrEnum):
    """What a metric promises for all finite scores of two classes."""

    ORDER = "order"
    """The order of the trials does not matter. Every metric owes this."""
    REFUSES = "refuses"
    """Empty classes, NaN and infinite scores are refused with a CorpusError. Every metric owes this."""
    MONOTONE = "monotone"
    """A strictly increasing map of all scores does not matter."""
    DOUBLED = "doubled"
    """Each trial counted twice does not matter."""
    MIRROR = "mirror"
    """Swapping the classes and negating the scores does not matter."""
    COMPLEMENT = "complement"
    """Swapping the classes gives 1 minus the value."""
    PERFECT = "perfect"
    """Separated classes give the best value of the range, exactly."""


OWED = frozenset({Law.ORDER, Law.REFUSES})


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of merit.

    Attributes:
        name: Its name in JSON and on the command line.
        function: (bona fide scores, spoof scores) to the figure.
        better: Whether lower or higher is better.
        low: The least value.
        high: The greatest, or infinity.
        takes: Whether any scores do, or only calibrated llrs make sense.
        laws: What it promises.
    """

    name: str
    function: Callable[[ArrayLike, ArrayLike], float]
    better: Literal["lower", "higher"]
    low: float
    high: float
    takes: Literal["scores", "llrs"]
    laws: frozenset[Law]


_RANKING = OWED | {Law.MONOTONE, Law.DOUBLED, Law.MIRROR, Law.PERFECT}
_INF = float("inf")

# The challenge EER walks ties one trial at a time, bona fide first, and takes the first of equally close points: it
# obeys neither DOUBLED nor MIRROR nor COMPLEMENT. The distinct EER shares the rule of the first point.
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("eer", challenge_eer, "lower", 0, 1, "scores", OWED | {Law.MONOTONE, Law.PERFECT}),
        Metric("eer_distinct", distinct_eer, "lower", 0, 1, "scores", OWED | {Law.MONOTONE, Law.DOUBLED, Law.PERFECT}),
        Metric("eer_interpolated", interpolated_eer, "lower", 0, 1, "scores", _RANKING | {Law.COMPLEMENT}),
        Metric("eer_rocch", rocch_eer, "lower", 0, 0.5, "scores", _RANKING),
        Metric("auc", auc, "higher", 0, 1, "scores", _RANKING | {Law.COMPLEMENT}),
        Metric("cllr", cllr, "lower", 0, _INF, "llrs", OWED | {Law.DOUBLED, Law.MIRROR}),
        Metric("min_cllr", min_cllr, "lower", 0, 1, "scores", _RANKING),
        Metric("calibration_loss", calibration_loss, "lower", 0, _INF, "llrs", OWED | {Law.DOUBLED, Law.MIRROR}),
    )
}


def metric(name: str) -> Metric:
    """The metric of that name.

    Raises:
        ConfigError: There is none; the hint lists them.
    """
    if name not in METRICS:
        raise ConfigError(f"unknown metric {name!r}", code="unknown_metric", hint=f"one of {', '.join(METRICS)}")
    return METRICS[name]
