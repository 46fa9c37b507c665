from math import comb

import numpy as np
import pytest

from glottis.errors import CorpusError
from glottis.metrics import McNemar, auc, bootstrap, interpolated_eer, mcnemar, paired_difference

RNG = np.random.default_rng(3)
BONAFIDE = np.repeat([True, False], [150, 250])
GOOD = np.where(BONAFIDE, 1.5, 0.0) + RNG.normal(0, 1, 400)
NEARLY = GOOD + RNG.normal(0, 0.05, 400)
POOR = GOOD + RNG.normal(0, 2, 400)


def test_the_better_system_is_found():
    found = paired_difference(interpolated_eer, POOR, GOOD, BONAFIDE, resamples=300)
    assert found.value == pytest.approx(
        interpolated_eer(POOR[BONAFIDE], POOR[~BONAFIDE]) - interpolated_eer(GOOD[BONAFIDE], GOOD[~BONAFIDE])
    )
    assert 0 < found.low < found.value < found.high
    back = paired_difference(interpolated_eer, GOOD, POOR, BONAFIDE, resamples=300)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


def test_what_is_hard_for_both_cancels():
    paired = paired_difference(auc, GOOD, NEARLY, BONAFIDE, resamples=300)
    alone = bootstrap(auc, GOOD[BONAFIDE], GOOD[~BONAFIDE], resamples=300)
    assert paired.high - paired.low < (alone.high - alone.low) / 4


def test_the_same_system_does_not_differ():
    found = paired_difference(interpolated_eer, GOOD, GOOD, BONAFIDE, resamples=50)
    assert (found.low, found.value, found.high) == (0, 0, 0)


def plain_eer(bonafide, spoof):
    return interpolated_eer(bonafide, spoof)


def test_quick_and_plain_ways_agree():
    groups = np.arange(400) % 11
    for chosen in (None, groups):
        settings = {"groups": chosen, "resamples": 40}
        quick = paired_difference(interpolated_eer, POOR, GOOD, BONAFIDE, **settings)
        plain = paired_difference(plain_eer, POOR, GOOD, BONAFIDE, **settings)
        assert (quick.low, quick.high, quick.unit) == pytest.approx((plain.low, plain.high, plain.unit))
        assert quick.unit == ("trial" if chosen is None else "group")


def test_labels_as_words():
    words = np.where(BONAFIDE, "bonafide", "spoof")
    found = paired_difference(auc, POOR, GOOD, words, resamples=20)
    assert found == paired_difference(auc, POOR, GOOD, BONAFIDE, resamples=20)


def exact(only_a, only_b):
    n, k = only_a + only_b, min(only_a, only_b)
    tail = sum(comb(n, i) for i in range(k + 1))
    return min(1, 2 * tail / 2**n), min(1, (2 * tail - comb(n, k)) / 2**n)


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (1, 0), (5, 1), (7, 7), (2, 15), (300, 251), (900, 1100)])
def test_mcnemar_is_the_binomial_test(only_a, only_b):
    first = np.repeat([True, False, True, False], [only_a, only_b, 9, 4])
    second = np.repeat([False, True, True, False], [only_a, only_b, 9, 4])
    found = mcnemar(first, second)
    assert (found.only_a, found.only_b) == (only_a, only_b)
    assert (found.p_value, found.mid_p) == pytest.approx(exact(only_a, only_b), rel=1e-9)


def test_mcnemar_of_a_million_disagreements():
    first = np.arange(1_000_000) < 500_000
    assert mcnemar(first, ~first) == McNemar(500_000, 500_000, 1.0, 1.0)
    skewed = np.arange(1_000_000) < 510_000
    assert 0 <= mcnemar(skewed, ~skewed).p_value < 1e-80


def test_refusals():
    with pytest.raises(CorpusError, match="second system"):
        paired_difference(auc, GOOD, GOOD[:-1], BONAFIDE)
    with pytest.raises(CorpusError, match="labels"):
        paired_difference(auc, GOOD, POOR, BONAFIDE[:-1])
    with pytest.raises(CorpusError, match="groups"):
        paired_difference(auc, GOOD, POOR, BONAFIDE, groups=["a"])
    with pytest.raises(CorpusError, match="not numbers"):
        paired_difference(auc, ["high"], [1.0], [True])
    with pytest.raises(CorpusError, match="2 calls of the first system, 1 of the second"):
        mcnemar([True, False], [True])
    with pytest.raises(CorpusError, match="booleans"):
        mcnemar([1, 0], [True, False])
