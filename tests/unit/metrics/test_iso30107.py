import numpy as np
import pytest

from glottis.errors import ConfigError, CorpusError
from glottis.metrics import (
    apcer,
    apcer_at_bpcer,
    apcer_at_bpcer_point,
    apcer_by_attack,
    apnrr,
    bpcer,
    bpcer_at_apcer,
    bpcer_at_apcer_point,
    bpnrr,
    confusion_at,
    npv,
    ppv,
    predictive_values,
    worst_apcer,
)
from score_inputs import INPUTS

every = pytest.mark.parametrize(("bonafide", "spoof"), INPUTS.values(), ids=INPUTS)
BONAFIDE, SPOOF = INPUTS["few ties"]


@every
@pytest.mark.parametrize("level", [0.0, 0.01, 0.05, 0.1, 0.5, 1.0])
def test_agrees_with_a_slow_textbook(bonafide, spoof, level):
    rates = [
        (
            sum(score < threshold for score in bonafide) / len(bonafide),
            sum(score >= threshold for score in spoof) / len(spoof),
        )
        for threshold in [*bonafide, *spoof, np.inf]
    ]
    assert apcer_at_bpcer(bonafide, spoof, level) == min(fa for miss, fa in rates if miss <= level)
    assert bpcer_at_apcer(bonafide, spoof, level) == min(miss for miss, fa in rates if fa <= level)


@every
@pytest.mark.parametrize("level", [0.0, 0.05, 0.5])
def test_the_threshold_keeps_what_is_promised(bonafide, spoof, level):
    value, threshold = apcer_at_bpcer_point(bonafide, spoof, level)
    assert apcer(spoof, threshold) == value
    assert bpcer(bonafide, threshold) <= level
    value, threshold = bpcer_at_apcer_point(bonafide, spoof, level)
    assert bpcer(bonafide, threshold) == value
    assert apcer(spoof, threshold) <= level


def test_all_are_rejected_where_nothing_else_will_do():
    assert bpcer_at_apcer_point([0.0], [1.0], 0.05) == (1.0, np.inf)


def test_rates_are_the_errors_of_the_confusion():
    at = confusion_at(BONAFIDE, SPOOF, 0.3)
    assert apcer(SPOOF, 0.3) == at.false_bonafide / at.n_spoof
    assert bpcer(BONAFIDE, 0.3) == at.false_spoof / at.n_bonafide


def test_attacks_are_counted_apart_and_the_worst_is_named():
    scores, attacks = [1, -1, -1, 1, 1, -2], ["A2", "A2", "A1", "A3", "A3", "A1"]
    assert apcer_by_attack(scores, attacks, 0.0) == {"A1": 0.0, "A2": 0.5, "A3": 1.0}
    assert worst_apcer(scores, attacks, 0.0) == ("A3", 1.0)
    assert worst_apcer([1, 1], ["B", "A"], 0.0) == ("A", 1.0)


def test_abstentions():
    assert apnrr([True, False, False, False]) == 0.25
    assert bpnrr([False, False]) == 0.0


def test_predictive_values_by_hand():
    # Of 1,000 calls at prior 0.01, 10 are spoof: 9 are caught, and 0.02 * 990 = 19.8 are called spoof falsely.
    found = predictive_values(0.1, 0.02, 0.01)
    assert found == pytest.approx((9 / 28.8, 970.2 / 971.2))
    assert predictive_values(1.0, 0.0, 0.5) == (0.0, 0.5)
    assert predictive_values(0.0, 1.0, 0.5) == (0.5, 0.0)


def test_predictive_values_at_the_share_of_the_trials_are_the_precisions():
    at = confusion_at(BONAFIDE, SPOOF, 0.3)
    share = at.n_spoof / (at.n_spoof + at.n_bonafide)
    assert ppv(BONAFIDE, SPOOF, 0.3, prior_spoof=share) == pytest.approx(at.precision_spoof, abs=1e-15)
    assert npv(BONAFIDE, SPOOF, 0.3, prior_spoof=share) == pytest.approx(at.precision_bonafide, abs=1e-15)


def test_refusals():
    for function in (apcer_at_bpcer, bpcer_at_apcer):
        with pytest.raises(ConfigError, match="level"):
            function(BONAFIDE, SPOOF, 5)
    with pytest.raises(ConfigError, match="threshold"):
        apcer(SPOOF, np.nan)
    with pytest.raises(ConfigError, match="threshold"):
        bpcer(BONAFIDE, np.nan)
    with pytest.raises(CorpusError, match="attacks"):
        apcer_by_attack(SPOOF, ["A1"], 0.0)
    with pytest.raises(CorpusError, match="booleans"):
        apnrr([0.5, 1.0])
    with pytest.raises(ConfigError, match="prior_spoof"):
        predictive_values(0.1, 0.1, 1.5)
