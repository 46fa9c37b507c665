from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glottis.detector.aggregate import aggregate
from tolerances import CLOSED_FORM

MEAN, FIRST = {"kind": "mean"}, {"kind": "first"}
many = st.lists(st.floats(-50, 50), min_size=1, max_size=30)
kinds = st.sampled_from([MEAN, FIRST, *({"kind": "softmin", "temperature": t} for t in (0.01, 1.0, 30.0))])


def softmin(temperature):
    return {"kind": "softmin", "temperature": temperature}


def test_by_hand():
    assert aggregate([1, 2, 6], MEAN) == 3
    assert aggregate([4, 2, 6], FIRST) == 4
    expected = -2 * math.log((math.exp(-0.5) + math.exp(1.5)) / 2)
    assert aggregate([1, -3], softmin(2)) == pytest.approx(expected, abs=CLOSED_FORM)


@given(many, kinds)
def test_it_lies_among_the_scores(scores, how):
    assert min(scores) - 1e-9 <= aggregate(scores, how) <= max(scores) + 1e-9


@given(st.floats(-50, 50), st.integers(1, 9), kinds)
def test_equal_scores_give_their_score(score, count, how):
    assert aggregate([score] * count, how) == pytest.approx(score, abs=CLOSED_FORM)


@given(many, kinds, st.floats(0, 20), st.data())
def test_it_never_falls_when_a_score_rises(scores, how, by, data):
    place = data.draw(st.integers(0, len(scores) - 1))
    higher = [score + by * (at == place) for at, score in enumerate(scores)]
    assert aggregate(higher, how) >= aggregate(scores, how) - 1e-9


@given(many)
def test_softmin_lies_between_the_mean_and_the_lowest(scores):
    assert aggregate(scores, softmin(1e6)) == pytest.approx(np.mean(scores), abs=1e-2)
    cold = aggregate(scores, softmin(1e-3))
    assert min(scores) - 1e-9 <= cold <= min(scores) + 1e-3 * math.log(len(scores)) + 1e-9


def test_softmin_holds_for_great_scores():
    assert math.isfinite(aggregate([-1e30, 1e30, 3e38], softmin(0.1)))
