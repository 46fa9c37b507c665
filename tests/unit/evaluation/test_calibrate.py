"""Calibrations compared on trials that they saw nothing of; thresholds for wanted error rates."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glottis.bundle import Costs
from glottis.calibration import Fusion
from glottis.detector.decide import thresholds_of
from glottis.errors import ConfigError, CorpusError
from glottis.evaluation.calibrate import (
    candidates,
    costs_of,
    decided,
    error_against_decided,
    fuse,
    fused_or_alone,
    to_dict,
)
from glottis.metrics import cllr


def test_the_best_comes_first_and_all_are_of_trials_that_they_saw_nothing_of(made):
    trials = made(n=400)
    found = candidates(trials, groups="speaker", resamples=50)
    assert {one.name for one in found} == {"platt", "platt, ASVspoof 5's prior", "isotonic", "by_duration"}
    assert [one.cllr.value for one in found] == sorted(one.cllr.value for one in found)
    real = trials.bonafide
    for one in found:
        assert one.cllr.value == pytest.approx(cllr(one.llrs[real], one.llrs[~real]), rel=1e-12)
        assert one.cllr.unit == "group"
        seen = one.calibrator.apply(trials.scores, trials.columns["duration_s"].astype(float))
        assert not np.allclose(seen, one.llrs)


def test_without_seconds_there_is_no_calibration_by_duration(trials):
    columns = {name: values for name, values in trials.columns.items() if name != "duration_s"}
    names = {one.name for one in candidates(replace(trials, columns=columns), resamples=10)}
    assert "by_duration" not in names


def test_with_bandwidths_there_is_one_by_bandwidth(trials):
    narrow = np.where(np.arange(trials.scores.size) % 2, "3400", "7900")
    found = candidates(replace(trials, columns={**trials.columns, "bandwidth_hz": narrow}), resamples=10)
    assert {"by_duration", "by_bandwidth"} <= {one.name for one in found}


@pytest.mark.parametrize(("column", "value"), [("split", "eval"), ("subset", "hidden"), ("split", "Test")])
def test_nothing_is_fitted_on_trials_that_judge(trials, column, value):
    words = np.array(["dev"] * 119 + [value])
    judging = replace(trials, columns={**trials.columns, column: words})
    for fit in (candidates, lambda one: fuse([one, one])):
        with pytest.raises(CorpusError, match="nothing is fitted on data that judge") as caught:
            fit(judging)
        assert caught.value.code == "held_out"


def test_it_is_ready_for_json(trials):
    found = to_dict(candidates(trials, resamples=10), trials)
    assert found["candidates"][0]["calibration"]["kind"]
    assert found["candidates"][0]["cllr"]["low"] <= found["candidates"][0]["cllr"]["value"]


RATES = st.sampled_from([0.01, 0.02, 0.05, 0.1])


@given(bpcer=RATES, apcer=RATES, seed=st.integers(0, 20), prior=st.sampled_from([0.1, 0.5, 0.9]))
def test_wanted_error_rates_are_kept(bpcer, apcer, seed, prior):
    rng = np.random.default_rng(seed)
    bonafide = np.arange(600) % 3 == 0
    llrs = rng.normal(np.where(bonafide, 1.0, -1.0), 1.5)
    costs = costs_of(llrs, bonafide, Costs(prior_spoof=prior), bpcer=bpcer, apcer=apcer)
    found = decided(llrs, bonafide, thresholds_of(costs, prior))
    assert found["bonafide_called_spoof"] <= bpcer
    assert found["spoof_called_bonafide"] <= apcer
    assert found["bonafide_called_spoof"] > bpcer - 0.02


def test_one_wish_leaves_the_other_threshold_as_it_was():
    rng = np.random.default_rng(0)
    bonafide = np.arange(600) % 2 == 0
    llrs = rng.normal(np.where(bonafide, 2.0, -2.0), 2.0)
    before = thresholds_of(Costs(), 0.5)
    after = thresholds_of(costs_of(llrs, bonafide, Costs(), bpcer=0.02), 0.5)
    assert after["bonafide"] == pytest.approx(before["bonafide"])
    assert after["spoof"] != pytest.approx(before["spoof"])


def test_wishes_that_cross_are_refused():
    bonafide = np.arange(100) % 2 == 0
    llrs = np.where(bonafide, 5.0, -5.0) + np.linspace(0, 1, 100)
    with pytest.raises(ConfigError, match="cross"):
        costs_of(llrs, bonafide, Costs(), bpcer=0.1, apcer=0.1)
    with pytest.raises(ConfigError, match="wanted error rate"):
        costs_of(llrs, bonafide, Costs(), bpcer=1.0)


def test_the_surest_err_least():
    rng = np.random.default_rng(0)
    bonafide = rng.random(2000) < 0.5
    rows = error_against_decided(rng.normal(np.where(bonafide, 1.0, -1.0), 1.0), bonafide)
    errors = [row["error"] for row in rows]
    assert errors == sorted(errors)
    assert rows[-1]["decided"] == 1


def test_two_systems_that_err_differently_are_better_together(made):
    first, second = made("a", n=1200, seed=1, apart=2.0), made("b", n=1200, seed=2, apart=2.0)
    fusion, llrs = fuse([first, second], groups="speaker")
    real = first.bonafide
    alone = candidates(first, groups="speaker", resamples=5)[0]
    assert cllr(llrs[real], llrs[~real]) < alone.cllr.value
    gain = fused_or_alone(first, llrs, groups="speaker")
    assert gain.low <= gain.value <= gain.high < 0
    assert gain.unit == "group"
    assert fusion.systems == ("a", "b")
    assert fusion.weights == pytest.approx((2.0, 2.0), rel=0.3)
    assert fusion.offset == pytest.approx(0.0, abs=0.3)


def test_a_system_that_is_the_wrong_way_round_gets_no_weight(made):
    good = made("good", n=600)
    bad = replace(made("bad", n=600, seed=9), scores=-made("bad", n=600, seed=9).scores)
    fusion, _ = fuse([good, bad])
    assert fusion.weights[1] == 0
    assert math.isfinite(fusion.offset)


def test_other_trials_cannot_be_fused(made):
    with pytest.raises(CorpusError, match="scored other trials"):
        fuse([made("a"), made("b", n=80)])


def test_a_fusion_never_falls_when_a_score_rises(made):
    fusion, _ = fuse([made("a", seed=1), made("b", seed=2)])
    low = fusion.apply([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert low[1] >= low[0]
    assert low[2] >= low[0]
    assert isinstance(fusion, Fusion)
    assert fusion.to_json()["systems"] == ["a", "b"]
