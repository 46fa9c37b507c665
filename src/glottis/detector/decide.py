"""From an llr to a decision: the least expected cost, where giving no answer has its price too.

With the posterior odds of bona fide o = exp(llr) * (1 - prior) / prior, P(bona fide) = o / (1 + o). Calling it
spoof costs c_r * P(bona fide), calling it bona fide costs c_a * P(spoof), and no answer costs c_i. Spoof is the
cheapest where o <= c_i / (c_r - c_i), bona fide where o >= (c_a - c_i) / c_i; if these cross, no answer never
pays, and one threshold remains at o = c_a / c_r (Chow, 1970: "On optimum recognition error and reject tradeoff").
"""

from __future__ import annotations

import math

from glottis.bundle import Costs
from glottis.verdict import Decision


def thresholds_of(costs: Costs, prior_spoof: float) -> dict[str, float]:
    """The llr at or under which the verdict is ``spoof``, and at or over which it is ``bonafide``.

    Args:
        costs: What each mistake costs.
        prior_spoof: Over 0 and under 1.
    """
    prior = math.log(prior_spoof) - math.log1p(-prior_spoof)
    accept, reject, nothing = costs.cost_spoof_accepted, costs.cost_bonafide_rejected, costs.cost_inconclusive
    if nothing * (accept + reject) >= accept * reject:
        both = math.log(accept / reject) + prior
        return {"spoof": both, "bonafide": both}
    least = max(nothing, 1e-12 * min(accept, reject))
    spoof = math.log(least / (reject - least)) + prior
    return {"spoof": spoof, "bonafide": math.log((accept - least) / least) + prior}


def decide(llr: float, thresholds: dict[str, float]) -> Decision:
    """The decision; on the single threshold of a band without width it is ``spoof``."""
    if llr <= thresholds["spoof"]:
        return Decision.SPOOF
    return Decision.BONAFIDE if llr >= thresholds["bonafide"] else Decision.INCONCLUSIVE


def p_spoof_of(llr: float, prior_spoof: float) -> float:
    """The probability of spoof, 0 to 1, by Bayes' rule."""
    odds_log = llr - math.log(prior_spoof) + math.log1p(-prior_spoof)
    if odds_log > 0:
        return math.exp(-odds_log) / (1 + math.exp(-odds_log))
    return 1 / (1 + math.exp(odds_log))
