from functools import partial

import numpy as np
import pytest

from glottis.errors import ConfigError, CorpusError
from glottis.metrics import (
    METRICS,
    Frames,
    Stretch,
    a_dcf,
    apcer,
    bootstrap,
    bootstrap_any,
    bootstrap_each,
    bootstrap_mean,
    challenge_eer,
    cllr,
    interpolated_eer,
    intervals,
    min_cllr,
    range_eer,
)

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


@pytest.mark.parametrize("grouped", [False, True])
def test_several_metrics_share_the_draws(grouped):
    groups = {"bonafide_groups": np.arange(120) % 9, "spoof_groups": np.arange(200) % 9} if grouped else {}
    metrics = {name: METRICS[name].function for name in ("eer", "cllr", "ece_mass")}
    found = bootstrap_each(metrics, BONAFIDE, SPOOF, resamples=30, **groups)
    assert found == {name: bootstrap(one, BONAFIDE, SPOOF, resamples=30, **groups) for name, one in metrics.items()}


def test_many_trials_vary_as_much_as_when_as_many_are_drawn(monkeypatch):
    plain = bootstrap(cllr, BONAFIDE, SPOOF, resamples=4000)
    monkeypatch.setattr(intervals, "MANY", 100)
    quick = bootstrap(cllr, BONAFIDE, SPOOF, resamples=4000)
    assert quick.value == plain.value
    assert quick.high - quick.low == pytest.approx(plain.high - plain.low, rel=0.06)
    assert quick.low == pytest.approx(plain.low, rel=0.02)


def test_counts_of_many_items_are_poisson():
    counts = next(intervals.by_trial(np.random.default_rng(0), intervals.MANY, 10, 1))[0]
    assert counts.shape == (1, intervals.MANY)
    assert (counts.mean(), counts.var()) == pytest.approx((1, 1), abs=0.02)
    assert np.mean(counts == 0) == pytest.approx(np.exp(-1), abs=0.01)


def test_a_million_trials_in_cells_vary_as_they_do_one_by_one(monkeypatch):
    rng = np.random.default_rng(0)
    bonafide, spoof = rng.normal(2.5, 1, 100_000), rng.normal(-1, 1, 900_000)
    metrics = {name: METRICS[name].function for name in ("eer", "auc", "min_dcf", "cllr", "min_cllr")}
    quick = bootstrap_each(metrics, bonafide, spoof, resamples=200)
    monkeypatch.setattr(intervals, "MANY", 10**9)
    for name, one in metrics.items():
        plain = bootstrap(one, bonafide, spoof, resamples=100)
        assert quick[name].value == plain.value
        assert (quick[name].low, quick[name].high) == pytest.approx((plain.low, plain.high), rel=0.03)


def test_groups_of_many_trials_are_drawn_alike_in_cells(monkeypatch):
    rng = np.random.default_rng(0)
    shift = rng.normal(0, 1, 40)
    groups = np.arange(30_000) % 40
    bonafide, spoof = rng.normal(2 + shift[groups % 40]), rng.normal(-1 + shift[groups % 40])
    settings = {"bonafide_groups": groups, "spoof_groups": groups, "resamples": 100}
    plain = bootstrap(challenge_eer, bonafide, spoof, **settings)
    monkeypatch.setattr(intervals, "MANY", 50_000)
    quick = bootstrap(challenge_eer, bonafide, spoof, **settings)
    assert quick.unit == "group"
    assert (quick.low, quick.high) == pytest.approx((plain.low, plain.high), abs=2e-4)


class TestFiguresOfOtherShapes:
    def test_two_classes_as_by_bootstrap(self):
        found = bootstrap_any(challenge_eer, [BONAFIDE, SPOOF], resamples=500)
        usual = bootstrap(challenge_eer, BONAFIDE, SPOOF, resamples=500)
        assert (found.value, found.unit) == (usual.value, "trial")
        assert (found.low, found.high) == pytest.approx((usual.low, usual.high), abs=0.015)

    @pytest.mark.parametrize("grouped", [False, True])
    def test_one_class_and_three(self, grouped):
        settings = {"resamples": 100, "groups": [np.arange(200) % 9]} if grouped else {"resamples": 100}
        found = bootstrap_any(partial(apcer, threshold=0.5), [SPOOF], **settings)
        assert found.low < found.value < found.high
        assert found.unit == ("group" if grouped else "trial")
        triple = [BONAFIDE, SPOOF[:100], SPOOF[100:]]
        settings = {"groups": [np.arange(one.size) % 9 for one in triple]} if grouped else {}
        found = bootstrap_any(a_dcf, triple, resamples=100, **settings)
        assert found.low < found.value < found.high

    def test_recordings(self):
        rng = np.random.default_rng(1)
        ends = [Stretch(0, 5, bonafide=True), Stretch(5, 10, bonafide=False)]
        recordings = [Frames(rng.normal(np.arange(10) < 5, 1), ends, 10) for _ in range(20)]
        found = bootstrap_any(partial(range_eer, frame_s=1.0), [recordings], resamples=100)
        assert found.low < found.value < found.high

    def test_trials_with_several_facts_are_drawn_by_number(self):
        right = BONAFIDE > 0, BONAFIDE > 1
        found = bootstrap_any(lambda i: float(np.mean(right[0][i] & ~right[1][i])), [np.arange(120)], resamples=100)
        assert found.low < found.value < found.high

    def test_resamples_that_lost_a_class_are_left_out(self):
        groups = [np.repeat(["a", "b", "c"], 40), np.repeat(["c", "d"], 100)]
        assert 200 < bootstrap_any(challenge_eer, [BONAFIDE, SPOOF], groups=groups, resamples=400).resamples < 400

    def test_refusals(self):
        with pytest.raises(ConfigError, match="groups for 1 of 2 classes"):
            bootstrap_any(challenge_eer, [BONAFIDE, SPOOF], groups=[np.zeros(120)])
        with pytest.raises(CorpusError, match="groups"):
            bootstrap_any(challenge_eer, [BONAFIDE, SPOOF], groups=[np.zeros(120), [1]])
        with pytest.raises(CorpusError, match="no spoof"):
            bootstrap_any(challenge_eer, [BONAFIDE, []])
