"""Detection cost: misses and false alarms weighed by what they cost and how often spoof occurs. Lower is better.

DCF(t) = cost_miss (1 - prior_spoof) P_miss(t) + cost_false_alarm prior_spoof P_fa(t), divided by the lesser of its two
weights, which is what a detector costs that always gives the same answer. The defaults are those of ASVspoof 5, track
1: prior_spoof 0.05, cost_miss 1, cost_false_alarm 10, so that DCF(t) = 1.9 P_miss(t) + P_fa(t).
Source: ASVspoof 5 evaluation plan, 2024, and the organisers' scripts (asvspoof-challenge/asvspoof5).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from glottis.errors import ConfigError
from glottis.metrics.check import Floats, checked
from glottis.metrics.det import det_curve

PRIOR_SPOOF = 0.05
COST_MISS = 1.0
COST_FALSE_ALARM = 10.0


def dcf(
    bonafide_scores: ArrayLike,
    spoof_scores: ArrayLike,
    threshold: float,
    *,
    prior_spoof: float = PRIOR_SPOOF,
    cost_miss: float = COST_MISS,
    cost_false_alarm: float = COST_FALSE_ALARM,
) -> float:
    """The normalised cost at a threshold: a trial is accepted if and only if score >= threshold. 0 and up.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
        ConfigError: The threshold is NaN, or the prior or a cost is impossible.
    """
    if math.isnan(threshold):
        raise ConfigError("the threshold is NaN", code="bad_threshold", hint="give a number")
    miss_weight, false_alarm_weight = dcf_weights(prior_spoof, cost_miss, cost_false_alarm)
    bonafide, spoof = checked(bonafide_scores, spoof_scores)
    miss, false_alarm = np.mean(bonafide < threshold), np.mean(spoof >= threshold)
    return float(miss_weight * miss + false_alarm_weight * false_alarm)


def min_dcf(
    bonafide_scores: ArrayLike,
    spoof_scores: ArrayLike,
    *,
    prior_spoof: float = PRIOR_SPOOF,
    cost_miss: float = COST_MISS,
    cost_false_alarm: float = COST_FALSE_ALARM,
) -> float:
    """The least normalised cost that any threshold reaches, 0 to 1.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
        ConfigError: The prior or a cost is impossible.
    """
    weights = {"prior_spoof": prior_spoof, "cost_miss": cost_miss, "cost_false_alarm": cost_false_alarm}
    return min_dcf_point(bonafide_scores, spoof_scores, **weights)[0]


def min_dcf_point(
    bonafide_scores: ArrayLike,
    spoof_scores: ArrayLike,
    *,
    prior_spoof: float = PRIOR_SPOOF,
    cost_miss: float = COST_MISS,
    cost_false_alarm: float = COST_FALSE_ALARM,
) -> tuple[float, float]:
    """`min_dcf` and the lowest threshold that reaches it; infinity rejects all.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
        ConfigError: The prior or a cost is impossible.
    """
    miss_weight, false_alarm_weight = dcf_weights(prior_spoof, cost_miss, cost_false_alarm)
    curve = det_curve(bonafide_scores, spoof_scores)
    costs = miss_weight * curve.miss + false_alarm_weight * curve.false_alarm
    return least(costs, curve.thresholds)


def act_dcf(
    bonafide_llrs: ArrayLike,
    spoof_llrs: ArrayLike,
    *,
    prior_spoof: float = PRIOR_SPOOF,
    cost_miss: float = COST_MISS,
    cost_false_alarm: float = COST_FALSE_ALARM,
) -> float:
    """The normalised cost at Bayes' threshold, which calibrated llrs need no trials to find. 0 and up.

    Raises:
        CorpusError: A class is empty or has llrs that are not finite.
        ConfigError: The prior or a cost is impossible.
    """
    weights = {"prior_spoof": prior_spoof, "cost_miss": cost_miss, "cost_false_alarm": cost_false_alarm}
    return dcf(bonafide_llrs, spoof_llrs, bayes_threshold(**weights), **weights)


def bayes_threshold(
    *,
    prior_spoof: float = PRIOR_SPOOF,
    cost_miss: float = COST_MISS,
    cost_false_alarm: float = COST_FALSE_ALARM,
) -> float:
    """The llr at or over which accepting costs less than rejecting, in nats.

    -ln(cost_miss (1 - prior_spoof) / (cost_false_alarm prior_spoof)).

    Raises:
        ConfigError: The prior or a cost is impossible.
    """
    dcf_weights(prior_spoof, cost_miss, cost_false_alarm)
    odds = math.log1p(-prior_spoof) - math.log(prior_spoof)
    return -(math.log(cost_miss) - math.log(cost_false_alarm) + odds)


def dcf_weights(prior_spoof: float, cost_miss: float, cost_false_alarm: float) -> tuple[float, float]:
    """What P_miss and P_fa are multiplied by in the normalised cost; one of them is 1.

    Raises:
        ConfigError: The prior is not over 0 and under 1, or a cost is not over 0.
    """
    if not 0 < prior_spoof < 1:
        raise ConfigError(f"prior_spoof is {prior_spoof}", code="bad_prior", hint="it lies over 0 and under 1")
    check_costs(cost_miss=cost_miss, cost_false_alarm=cost_false_alarm)
    miss, false_alarm = cost_miss * (1 - prior_spoof), cost_false_alarm * prior_spoof
    return miss / min(miss, false_alarm), false_alarm / min(miss, false_alarm)


def check_costs(**costs: float) -> None:
    """Each cost is over 0 and finite.

    Raises:
        ConfigError: One is not (``bad_cost``); the message names it.
    """
    for name, cost in costs.items():
        if not 0 < cost < math.inf:
            raise ConfigError(f"{name} is {cost}", code="bad_cost", hint="a cost is over 0 and finite")


def least(costs: Floats, thresholds: Floats) -> tuple[float, float]:
    """The least cost and the first threshold that has it; ``(n,)`` both."""
    k = int(np.argmin(costs))
    return float(costs[k]), float(thresholds[k])
