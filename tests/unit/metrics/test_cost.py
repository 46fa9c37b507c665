"""Detection costs: what is promised beside the golden values."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glottis.errors import ConfigError, CorpusError
from glottis.metrics.cost import act_dcf, bayes_threshold, dcf, min_dcf, min_dcf_point

SCORES = st.lists(st.floats(-1e300, 1e300) | st.sampled_from([0.0, 1.0, -1.0, 5e-324]), min_size=1, max_size=12)


def plain(bonafide, spoof, threshold, *, prior_spoof, cost_miss, cost_false_alarm):
    """The formula, trial by trial."""
    miss = sum(b < threshold for b in bonafide) / len(bonafide)
    false_alarm = sum(s >= threshold for s in spoof) / len(spoof)
    weights = cost_miss * (1 - prior_spoof), cost_false_alarm * prior_spoof
    return (weights[0] * miss + weights[1] * false_alarm) / min(weights)


@given(SCORES, SCORES, st.floats(0.01, 0.99), st.floats(0.1, 50), st.floats(0.1, 50))
def test_the_least_cost_is_the_least_over_all_thresholds(bonafide, spoof, prior, miss, false_alarm):
    setting = {"prior_spoof": prior, "cost_miss": miss, "cost_false_alarm": false_alarm}
    every = [plain(bonafide, spoof, t, **setting) for t in [*bonafide, *spoof, math.inf]]
    value, threshold = min_dcf_point(bonafide, spoof, **setting)
    assert value == min_dcf(bonafide, spoof, **setting) == pytest.approx(min(every), rel=1e-12, abs=1e-15)
    assert dcf(bonafide, spoof, threshold, **setting) == pytest.approx(value, rel=1e-12, abs=1e-15)


@given(SCORES, SCORES)
def test_the_actual_cost_is_never_under_the_least(bonafide, spoof):
    assert act_dcf(bonafide, spoof) >= min_dcf(bonafide, spoof) - 1e-12


def test_equal_costs_and_priors_put_the_threshold_at_0():
    assert bayes_threshold(prior_spoof=0.5, cost_miss=1, cost_false_alarm=1) == 0


def test_a_detector_that_always_accepts_costs_1_where_spoof_is_rare():
    assert dcf([1, 2], [0, 3], -math.inf) == 1


@pytest.mark.parametrize(("bonafide", "spoof", "missing"), [([], [1], "bonafide"), ([1], [], "spoof")])
def test_an_empty_class_is_named(bonafide, spoof, missing):
    for metric in (min_dcf, act_dcf):
        with pytest.raises(CorpusError, match=missing) as caught:
            metric(bonafide, spoof)
        assert caught.value.code == "empty_class"


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_scores_that_are_not_finite_are_refused(bad):
    with pytest.raises(CorpusError, match="not finite"):
        min_dcf([1, bad], [0])


@pytest.mark.parametrize(
    "setting",
    [
        {"prior_spoof": 0},
        {"prior_spoof": 1},
        {"prior_spoof": math.nan},
        {"cost_miss": 0},
        {"cost_false_alarm": -1},
        {"cost_miss": math.inf},
    ],
)
def test_impossible_settings_are_refused(setting):
    for call in (lambda: min_dcf([1], [0], **setting), lambda: bayes_threshold(**setting)):
        with pytest.raises(ConfigError, match=next(iter(setting))):
            call()


def test_a_threshold_that_is_nan_is_refused():
    with pytest.raises(ConfigError, match="threshold"):
        dcf([1], [0], math.nan)


def test_a_million_trials_equal_their_counts():
    rng = np.random.default_rng(0)
    bonafide, spoof = rng.normal(1, 1, 100_000), rng.normal(-1, 1, 900_000)
    want = 1.9 * np.mean(bonafide < bayes_threshold()) + np.mean(spoof >= bayes_threshold())
    assert act_dcf(bonafide, spoof) == pytest.approx(want, rel=1e-12)
