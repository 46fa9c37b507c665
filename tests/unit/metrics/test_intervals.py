from functools import partial

import numpy as np
import pytest

from glottis.errors import ConfigError, CorpusError
from glottis.metrics import bootstrap, bootstrap_mean, challenge_eer, cllr, interpolated_eer, min_cllr

RNG = np.random.default_rng(5)
BONAFIDE, SPOOF = RNG.normal(1.5, 1, 120), RNG.normal(0, 1, 200)


@pytest.mark.parametrize("metric", [interpolated_eer, challenge_eer, cllr, min_cllr])
def test_holds_the_value_and_repeats_with_its_seed(metric):
    first = bootstrap(metric, BONAFIDE, SPOOF, resamples=200, seed=3)
    assert first.low < first.value < first.high
    assert first.value == metric(BONAFIDE, SPOOF)
    assert (first.unit, first.resamples) == ("trial", 200)
    assert first == bootstrap(metric, BONAFIDE, SPOOF, resamples=200, seed=3)
    assert first != bootstrap(metric, BONAFIDE, SPOOF, resamples=200, seed=4)


@pytest.mark.parametrize("metric", [interpolated_eer, cllr])
@pytest.mark.parametrize("grouped", [False, True])
def test_many_at_once_equals_one_by_one(metric, grouped):
    bonafide, spoof = np.round(BONAFIDE, 1), np.round(SPOOF, 1)
    groups = {"bonafide_groups": np.arange(120) % 9, "spoof_groups": np.arange(200) % 9} if grouped else {}
    fast = bootstrap(metric, bonafide, spoof, resamples=50, **groups)
    slow = bootstrap(partial(metric), bonafide, spoof, resamples=50, **groups)
    assert (fast.low, fast.high) == pytest.approx((slow.low, slow.high), abs=1e-12)


def test_covers_the_truth_about_as_often_as_it_says():
    # P(miss) = P(false alarm) = 0.15866 at the middle between two normal classes two deviations apart.
    rng = np.random.default_rng(11)
    hits = 0
    for seed in range(100):
        found = bootstrap(
            interpolated_eer, rng.normal(2, 1, 150), rng.normal(0, 1, 150), confidence=0.8, resamples=200, seed=seed
        )
        hits += found.low <= 0.15866 <= found.high
    assert 65 <= hits <= 95


def test_groups_that_hang_together_widen_the_interval():
    rng = np.random.default_rng(2)
    shift = rng.normal(0, 1, 12)
    groups = np.repeat(np.arange(12), 40)
    bonafide = rng.normal(2, 0.3, 480) + shift[groups]
    spoof = rng.normal(0, 0.3, 480) + shift[groups]
    by_trial = bootstrap(interpolated_eer, bonafide, spoof, resamples=300)
    by_group = bootstrap(interpolated_eer, bonafide, spoof, bonafide_groups=groups, spoof_groups=groups, resamples=300)
    assert by_group.unit == "group"
    assert by_group.high - by_group.low > 2 * (by_trial.high - by_trial.low)


def test_resamples_that_lost_a_class_are_left_out():
    found = bootstrap(
        interpolated_eer,
        BONAFIDE,
        SPOOF,
        bonafide_groups=np.repeat(["a", "b", "c"], 40),
        spoof_groups=np.repeat(["c", "d"], 100),
        resamples=400,
    )
    assert 200 < found.resamples < 400


def test_refusals():
    with pytest.raises(ConfigError, match="one class only"):
        bootstrap(cllr, BONAFIDE, SPOOF, bonafide_groups=np.zeros(120))
    with pytest.raises(CorpusError, match="bonafide groups"):
        bootstrap(cllr, BONAFIDE, SPOOF, bonafide_groups=[1], spoof_groups=np.zeros(200))
    with pytest.raises(CorpusError, match="1 group"):
        bootstrap(cllr, BONAFIDE, SPOOF, bonafide_groups=np.zeros(120), spoof_groups=np.zeros(200))
    with pytest.raises(ConfigError, match="confidence"):
        bootstrap(cllr, BONAFIDE, SPOOF, confidence=1.0)
    with pytest.raises(ConfigError, match="resamples"):
        bootstrap(cllr, BONAFIDE, SPOOF, resamples=0)


def test_too_few_resamples_with_both_classes():
    # Two groups of one class each: only half of the draws hold both.
    for seed in range(20):
        try:
            found = bootstrap(cllr, [1.0], [0.0], bonafide_groups=["a"], spoof_groups=["b"], resamples=51, seed=seed)
        except CorpusError as error:
            assert error.code == "few_groups"  # noqa: PT017 - either outcome is right, by the draw
            return
        assert 2 * found.resamples >= 51
    pytest.fail("twenty seeds never drew too few")


def test_mean_of_groups():
    found = bootstrap_mean([0.1, 0.2, 0.3, 0.4], resamples=500)
    assert found.value == pytest.approx(0.25)
    assert 0.1 <= found.low < 0.25 < found.high <= 0.4
    with pytest.raises(CorpusError, match="1 group"):
        bootstrap_mean([0.1])
