"""Tandem metrics: against textbook loops, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glottis.errors import ConfigError, CorpusError
from glottis.metrics.det import challenge_curve
from glottis.metrics.tandem import (
    AsvRates,
    TandemConstants,
    TandemCosts,
    a_dcf,
    a_dcf_point,
    min_tdcf,
    t_eer,
    tdcf_floor,
)

SCORES = st.lists(st.integers(-6, 6).map(float) | st.floats(-1e300, 1e300), min_size=1, max_size=9)
RATES = st.builds(AsvRates, st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0.05, 1))


def rates_at(threshold, bonafide, spoof):
    return sum(b < threshold for b in bonafide) / len(bonafide), sum(s >= threshold for s in spoof) / len(spoof)


@given(SCORES, SCORES, RATES)
def test_the_form_of_2019_against_the_plain_formula(bonafide, spoof, asv):
    c1 = 0.9405 * (1 - asv.miss) - 0.0095 * 10 * asv.false_alarm
    c2 = 10 * 0.05 * asv.spoof_false_alarm
    points = [rates_at(t, bonafide, spoof) for t in [*bonafide, *spoof, math.inf]]
    want = min(c1 * miss + c2 * false_alarm for miss, false_alarm in points) / min(c1, c2)
    assert min_tdcf(bonafide, spoof, asv) == pytest.approx(want, rel=1e-9, abs=1e-12)


@given(SCORES, SCORES, RATES)
def test_the_two_forms_are_one_cost_shifted_and_scaled(bonafide, spoof, asv):
    constants = TandemConstants.of(asv, form="2021")
    least = min(constants.c1, constants.c2)
    shifted = (constants.c0 + min_tdcf(bonafide, spoof, asv) * least) / (constants.c0 + least)
    assert min_tdcf(bonafide, spoof, asv, form="2021") == pytest.approx(shifted, rel=1e-9)
    assert min_tdcf(bonafide, spoof, constants) == pytest.approx(shifted, rel=1e-9)


def test_a_perfect_countermeasure_reaches_the_floor():
    asv = AsvRates(0.02, 0.03, 0.6)
    assert min_tdcf([2, 3], [0, 1], asv) == 0
    assert min_tdcf([2, 3], [0, 1], asv, form="2021") == pytest.approx(tdcf_floor(asv))
    assert tdcf_floor(asv, form="2019") == 0


@given(SCORES, SCORES, SCORES)
def test_the_architecture_agnostic_cost_against_the_plain_formula(target, nontarget, spoof):
    def cost(t):
        miss, others = rates_at(t, target, nontarget)
        return (0.9405 * miss + 0.095 * others + 0.5 * rates_at(t, target, spoof)[1]) / 0.595

    value, threshold = a_dcf_point(target, nontarget, spoof)
    assert value == pytest.approx(min(map(cost, [*target, *nontarget, *spoof, math.inf])), rel=1e-9, abs=1e-12)
    assert cost(threshold) == pytest.approx(value, rel=1e-9, abs=1e-12)


def slow_t_eer(target, nontarget, spoof, bonafide, fake):
    """The whole search, one pair of thresholds after the other, as the organisers' script does it."""
    scores = [(s, kind) for kind, group in enumerate((target, nontarget, spoof)) for s in group]
    ranked = [kind for _, kind in sorted(scores, key=lambda one: one[0])]
    curve = challenge_curve(bonafide, fake)
    best = (math.inf, None)
    for i in range(len(ranked) + 1):
        miss = ranked[:i].count(0) / len(target)
        others, spoofs = ranked[i:].count(1) / len(nontarget), ranked[i:].count(2) / len(spoof)
        if not miss < 0.5 * others + 0.5 * spoofs:
            continue
        gaps = [
            abs(m + (1 - m) * miss - (0.5 * (1 - m) * others + 0.5 * f * spoofs))
            for m, f in zip(curve.miss, curve.false_alarm, strict=True)
        ]
        j = gaps.index(min(gaps))
        if spoofs == 0 or curve.miss[j] == 1:
            continue
        apart = abs(others / spoofs - curve.false_alarm[j] / (1 - curve.miss[j]))
        if apart < best[0]:
            best = (apart, spoofs * curve.false_alarm[j])
    return best[1]


@pytest.mark.parametrize("seed", range(8))
def test_the_tandem_eer_against_the_whole_search(seed):
    rng = np.random.default_rng(seed)
    digits = 1 if seed % 2 else 6
    target, nontarget, spoof = (np.round(rng.normal(m, 1, n), digits) for m, n in ((2, 30), (-1, 40), (1, 35)))
    bonafide, fake = np.round(rng.normal(1, 1, 70), digits), np.round(rng.normal(-1, 1, 35), digits)
    want = slow_t_eer(target.tolist(), nontarget.tolist(), spoof.tolist(), bonafide, fake)
    assert t_eer(target, nontarget, spoof, bonafide, fake) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize(("place", "name"), list(enumerate(["target", "nontarget", "spoof"])))
def test_an_empty_class_is_named(place, name):
    classes = [[1.0], [0.0], [0.5]]
    classes[place] = []
    for call in (AsvRates.of, a_dcf, lambda *three: t_eer(*three, [1], [0])):
        with pytest.raises(CorpusError, match=f"no {name} score"):
            call(*classes)


def test_impossible_rates_costs_and_priors_are_refused():
    with pytest.raises(ConfigError, match=r"ASV miss is 1\.5"):
        AsvRates(1.5, 0, 0)
    with pytest.raises(ConfigError, match="priors"):
        TandemCosts(prior_target=0.9, prior_nontarget=0.2, prior_spoof=0.05)
    with pytest.raises(ConfigError, match="false_alarm is 0"):
        TandemCosts(false_alarm=0)
    with pytest.raises(ConfigError, match="unknown form"):
        min_tdcf([1], [0], AsvRates(0, 0, 1), form="2020")
    with pytest.raises(ConfigError, match="constants"):
        min_tdcf([1], [0], AsvRates(1, 1, 0.5))


def test_a_verifier_that_no_spoof_fools_cannot_be_normalised():
    with pytest.raises(ConfigError, match="constants"):
        min_tdcf([1], [0], AsvRates(0.1, 0.1, 0.0))
