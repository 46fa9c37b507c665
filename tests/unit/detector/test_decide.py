from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from glottis.bundle import Costs
from glottis.detector import decide, p_spoof_of, thresholds_of
from glottis.verdict import Decision
from tolerances import CLOSED_FORM

llrs = st.floats(-60, 60)
priors = st.floats(0.001, 0.999)
prices = st.floats(0.01, 100)
costs_of = st.builds(Costs, prices, prices, st.floats(0, 100))


def expected_costs(llr, costs, prior):
    """What each decision costs on average, by the definition."""
    bonafide, spoof = (1 - prior) * math.exp(llr), prior
    p_spoof = spoof / (bonafide + spoof)
    return {
        Decision.BONAFIDE: costs.cost_spoof_accepted * p_spoof,
        Decision.SPOOF: costs.cost_bonafide_rejected * (1 - p_spoof),
        Decision.INCONCLUSIVE: costs.cost_inconclusive,
    }


@given(llrs, costs_of, priors)
def test_no_other_decision_costs_less(llr, costs, prior):
    expected = expected_costs(llr, costs, prior)
    chosen = decide(llr, thresholds_of(costs, prior))
    assert expected[chosen] <= min(expected.values()) + 1e-9 * sum(expected.values())


@given(llrs, llrs, costs_of, priors)
def test_a_higher_llr_never_makes_it_more_suspect(one, other, costs, prior):
    order = [Decision.SPOOF, Decision.INCONCLUSIVE, Decision.BONAFIDE]
    thresholds = thresholds_of(costs, prior)
    low, high = (order.index(decide(llr, thresholds)) for llr in sorted((one, other)))
    assert low <= high


@given(costs_of, priors, priors)
def test_the_band_keeps_its_width_and_moves_with_the_prior(costs, one, other):
    assume(one < other)
    less, more = thresholds_of(costs, one), thresholds_of(costs, other)
    assert more["spoof"] >= less["spoof"]
    assert math.isclose(more["bonafide"] - more["spoof"], less["bonafide"] - less["spoof"], abs_tol=CLOSED_FORM)


def test_by_hand():
    assert thresholds_of(Costs(1, 1, 0.2), 0.5) == pytest.approx(
        {"spoof": -math.log(4), "bonafide": math.log(4)}, abs=CLOSED_FORM
    )
    dear = thresholds_of(Costs(10, 1, 0.5), 0.1)
    assert dear["spoof"] == pytest.approx(math.log(1 / 9), abs=CLOSED_FORM)
    assert dear["bonafide"] == pytest.approx(math.log(19) + math.log(1 / 9), abs=CLOSED_FORM)


@pytest.mark.parametrize("nothing", [0.8, 0.9, 1e6])
def test_where_no_answer_never_pays_bayes_threshold_remains(nothing):
    thresholds = thresholds_of(Costs(4, 1, nothing), 0.5)
    assert thresholds["spoof"] == thresholds["bonafide"] == pytest.approx(math.log(4), abs=CLOSED_FORM)
    assert decide(thresholds["spoof"], thresholds) is Decision.SPOOF


@pytest.mark.parametrize("dear", [Costs(1e300, 49.0, 49.0), Costs(49.0, 1e300, 49.0), Costs(5e-324, 5e-324, 0)])
def test_costs_that_are_worlds_apart_still_give_thresholds(dear):
    """In floats 1 / (1 / 49) is over 49, the cost of no answer that equals that of a mistake."""
    assert all(math.isfinite(threshold) for threshold in thresholds_of(dear, 0.5).values())


def test_no_answer_for_nothing_still_leaves_some_answers():
    thresholds = thresholds_of(Costs(1, 1, 0), 0.5)
    assert decide(0, thresholds) is decide(20, thresholds) is Decision.INCONCLUSIVE
    assert decide(30, thresholds) is Decision.BONAFIDE
    assert decide(-30, thresholds) is Decision.SPOOF


@given(llrs, priors)
def test_the_probability_is_bayes(llr, prior):
    odds = math.exp(llr) * (1 - prior) / prior
    assert math.isclose(p_spoof_of(llr, prior), 1 / (1 + odds), rel_tol=CLOSED_FORM)


@pytest.mark.parametrize(("llr", "expected"), [(1e6, 0), (-1e6, 1), (0, 0.25)])
def test_the_probability_stays_one(llr, expected):
    assert p_spoof_of(llr, 0.25) == pytest.approx(expected, abs=CLOSED_FORM)
