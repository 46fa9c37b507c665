"""Every registered metric is held to the laws that it declares, and must declare those that all owe."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from glottis.errors import CorpusError
from glottis.metrics import METRICS, Law
from glottis.metrics.registry import OWED

NEAR = 1e-9

# A coarse grid makes ties within and across the classes likely, and keeps increasing maps strict in float64.
scores = npst.arrays(
    np.float64, st.integers(1, 30), elements=st.integers(-40, 40).map(lambda n: n / 8), fill=st.nothing()
)
all_metrics = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
quick = settings(max_examples=25, deadline=None)


def under(law):
    held = [metric for metric in METRICS.values() if law in metric.laws]
    return pytest.mark.parametrize("metric", held, ids=[metric.name for metric in held])


@all_metrics
def test_declares_its_laws(metric):
    assert metric.laws >= OWED, f"{metric.name} declares no laws, or not those that every metric owes"
    assert metric.low < metric.high
    assert METRICS[metric.name] is metric


def test_every_law_is_declared_by_some_metric():
    assert set(Law) == set().union(*(metric.laws for metric in METRICS.values()))


@all_metrics
@quick
@given(bonafide=scores, spoof=scores)
def test_stays_in_its_range(metric, bonafide, spoof):
    value = metric.function(bonafide, spoof)
    assert isinstance(value, float)
    assert metric.low - NEAR <= value <= metric.high + NEAR


@under(Law.ORDER)
@quick
@given(bonafide=scores, spoof=scores, seed=st.integers(0, 99))
def test_order(metric, bonafide, spoof, seed):
    rng = np.random.default_rng(seed)
    shuffled = metric.function(rng.permutation(bonafide), rng.permutation(spoof))
    assert shuffled == pytest.approx(metric.function(bonafide, spoof), abs=NEAR)


@under(Law.REFUSES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_refuses_scores_that_are_not_finite(metric, bad):
    with pytest.raises(CorpusError, match="bonafide") as caught:
        metric.function([bad, 1.0, 2.0], [0.0, -1.0])
    assert caught.value.code == "not_finite"
    with pytest.raises(CorpusError, match="spoof"):
        metric.function([1.0, 2.0], [0.0, bad])


@under(Law.REFUSES)
def test_refuses_empty_classes(metric):
    with pytest.raises(CorpusError, match="no bonafide") as caught:
        metric.function([], [0.0])
    assert caught.value.code == "empty_class"
    with pytest.raises(CorpusError, match="no spoof"):
        metric.function([0.0], [])


@under(Law.MONOTONE)
@pytest.mark.parametrize("change", [lambda x: 3 * x - 7, np.exp, lambda x: x**3, np.arctan, np.float32])
@quick
@given(bonafide=scores, spoof=scores)
def test_monotone(metric, change, bonafide, spoof):
    changed = metric.function(change(bonafide), change(spoof))
    assert changed == pytest.approx(metric.function(bonafide, spoof), abs=NEAR)


@under(Law.DOUBLED)
@quick
@given(bonafide=scores, spoof=scores)
def test_doubled(metric, bonafide, spoof):
    doubled = metric.function(np.tile(bonafide, 2), np.tile(spoof, 2))
    assert doubled == pytest.approx(metric.function(bonafide, spoof), abs=NEAR)


@under(Law.MIRROR)
@quick
@given(bonafide=scores, spoof=scores)
def test_mirror(metric, bonafide, spoof):
    assert metric.function(-spoof, -bonafide) == pytest.approx(metric.function(bonafide, spoof), abs=NEAR)


@under(Law.COMPLEMENT)
@quick
@given(bonafide=scores, spoof=scores)
def test_complement(metric, bonafide, spoof):
    assert metric.function(spoof, bonafide) == pytest.approx(1 - metric.function(bonafide, spoof), abs=NEAR)


@under(Law.PERFECT)
@quick
@given(bonafide=scores, spoof=scores)
def test_perfect(metric, bonafide, spoof):
    best = metric.low if metric.better == "lower" else metric.high
    assert metric.function(bonafide + 20, spoof) == best


@quick
@given(bonafide=scores, spoof=scores)
def test_hull_is_under_the_curve(bonafide, spoof):
    interpolated = METRICS["eer_interpolated"].function(bonafide, spoof)
    assert METRICS["eer_rocch"].function(bonafide, spoof) <= interpolated + NEAR


@quick
@given(data=st.data(), n=st.integers(2, 40))
def test_challenge_and_distinct_agree_without_shared_scores(data, n):
    order = np.array(data.draw(st.permutations(range(n))), dtype=np.float64)
    cut = data.draw(st.integers(1, n - 1))
    have = [METRICS[name].function(order[:cut], order[cut:]) for name in ("eer", "eer_distinct")]
    assert have[0] == pytest.approx(have[1], abs=NEAR)
