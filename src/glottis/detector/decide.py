"""From an llr to a decision: the least expected cost, where giving no answer has its price too.

The posterior odds of bona fide are o = exp(llr) * (1 - prior_spoof) / prior_spoof, and P(bona fide) = o / (1 + o).
With the costs a of accepting a spoof, r of rejecting a person, and i of giving no answer, the expected costs are

- of ``bonafide``: a / (1 + o)
- of ``spoof``: r * o / (1 + o)
- of ``inconclusive``: i

so ``spoof`` is cheaper than no answer where o <= i / (r - i), and ``bonafide`` where o >= (a - i) / i. These bounds
cross when i >= a * r / (a + r): then no answer never pays, and Bayes' threshold o = a / r remains for both.
Source: Chow, "On optimum recognition error and reject tradeoff", 1970.
"""

from __future__ import annotations

import math

from glottis.bundle import Costs
from glottis.verdict import Decision

_NEXT_TO_NOTHING = 1e-12
"""The least cost of no answer, as a share of the lesser other cost: at 0, no llr would be enough for an answer."""


def thresholds_of(costs: Costs, prior_spoof: float) -> dict[str, float]:
    """The llr at or under which the verdict is ``spoof``, and at or over which it is ``bonafide``, in nats.

    Args:
        costs: What each mistake costs.
        prior_spoof: Over 0 and under 1.
    """
    accept, reject, nothing = costs.cost_spoof_accepted, costs.cost_bonafide_rejected, costs.cost_inconclusive
    to_llr = math.log(prior_spoof) - math.log1p(-prior_spoof)
    if nothing >= min(accept, reject, 1 / (1 / accept + 1 / reject)):
        only = math.log(accept) - math.log(reject) + to_llr
        return {"spoof": only, "bonafide": only}
    nothing = max(nothing, _NEXT_TO_NOTHING * min(accept, reject))
    return {
        "spoof": math.log(nothing) - math.log(reject - nothing) + to_llr,
        "bonafide": math.log(accept - nothing) - math.log(nothing) + to_llr,
    }


def decide(llr: float, thresholds: dict[str, float]) -> Decision:
    """The decision; on the single threshold of a band without width it is ``spoof``."""
    if llr <= thresholds["spoof"]:
        return Decision.SPOOF
    return Decision.BONAFIDE if llr >= thresholds["bonafide"] else Decision.INCONCLUSIVE


def p_spoof_of(llr: float, prior_spoof: float) -> float:
    """The probability of spoof, 0 to 1, by Bayes' rule: 1 / (1 + o)."""
    log_odds = llr - math.log(prior_spoof) + math.log1p(-prior_spoof)
    if log_odds > 0:
        return math.exp(-log_odds) / (1 + math.exp(-log_odds))
    return 1 / (1 + math.exp(log_odds))
