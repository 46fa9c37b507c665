import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from glottis.errors import ConfigError, CorpusError
from glottis.metrics import (
    auc,
    challenge_eer,
    checked,
    det_curve,
    distinct_eer,
    eer,
    interpolated_eer,
    probit,
    rocch,
)


def drawn(seed, ties):
    rng = np.random.default_rng(seed)
    bonafide, spoof = rng.normal(1, 1, 83), rng.normal(0, 1.5, 211)
    return (np.round(bonafide, 1), np.round(spoof, 1)) if ties else (bonafide, spoof)


def textbook_challenge_eer(bonafide, spoof):
    trials = [(score, 0) for score in bonafide] + [(score, 1) for score in spoof]
    trials.sort(key=lambda trial: trial[0])
    best = (1.0, 0.5)
    missed, accepted = 0, len(spoof)
    for _, is_spoof in trials:
        accepted -= is_spoof
        missed += 1 - is_spoof
        miss, false_alarm = missed / len(bonafide), accepted / len(spoof)
        if abs(miss - false_alarm) < best[0]:
            best = (abs(miss - false_alarm), (miss + false_alarm) / 2)
    return best[1]


def textbook_distinct_eer(bonafide, spoof):
    best = (2.0, 0.0)
    for threshold in [*sorted({*bonafide, *spoof}), np.inf]:
        miss = sum(score < threshold for score in bonafide) / len(bonafide)
        false_alarm = sum(score >= threshold for score in spoof) / len(spoof)
        if abs(miss - false_alarm) < best[0]:
            best = (abs(miss - false_alarm), (miss + false_alarm) / 2)
    return best[1]


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_a_slow_textbook(seed, ties):
    bonafide, spoof = drawn(seed, ties)
    assert challenge_eer(bonafide, spoof) == pytest.approx(textbook_challenge_eer(bonafide, spoof), abs=1e-14)
    assert distinct_eer(bonafide, spoof) == pytest.approx(textbook_distinct_eer(bonafide, spoof), abs=1e-14)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn(seed, ties):
    bonafide, spoof = drawn(seed, ties)
    labels = np.repeat([1, 0], [bonafide.size, spoof.size])
    scores = np.concatenate([bonafide, spoof])
    fpr, tpr, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 - middle - np.interp(middle, fpr, tpr) > 0 else (low, middle)
    assert interpolated_eer(bonafide, spoof) == pytest.approx(low, abs=1e-12)
    assert auc(bonafide, spoof) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    curve = det_curve(bonafide, spoof)
    assert curve.false_alarm[::-1] == pytest.approx(fpr)
    assert 1 - curve.miss[::-1] == pytest.approx(tpr)
    assert curve.thresholds[::-1] == pytest.approx(thresholds)


def test_hull_is_convex_and_ends_in_the_corners():
    curve = rocch(*drawn(1, ties=True))
    assert (curve.miss[0], curve.false_alarm[0], curve.miss[-1], curve.false_alarm[-1]) == (0, 1, 1, 0)
    slopes = np.diff(curve.miss) / np.maximum(-np.diff(curve.false_alarm), 1e-300)
    assert np.all(np.diff(slopes) > 0)


def test_unknown_mode():
    with pytest.raises(ConfigError, match="nonsense"):
        eer([1], [0], mode="nonsense")


def test_probit_clips_and_keeps_the_shape():
    axis = probit([[0.0, 0.5], [1.0, 0.5]], clip=0.01)
    assert axis == pytest.approx(np.array([[-2.32634787404, 0.0], [2.32634787404, 0.0]]))
    with pytest.raises(ConfigError, match="clip"):
        probit([0.5], clip=0.0)


@pytest.mark.parametrize("bad", [[[1.0, 2.0]], 3.0, ["one"], [None, object()]])
def test_gate_refuses_what_is_no_list_of_numbers(bad):
    with pytest.raises(CorpusError) as caught:
        checked([1.0], bad)
    assert caught.value.code == "not_scores"
    assert "spoof" in caught.value.message


def test_inputs_are_left_alone():
    bonafide, spoof = np.array([3.0, 1.0, 2.0]), np.array([0.5, 2.5])
    eer(bonafide, spoof)
    interpolated_eer(bonafide, spoof)
    assert bonafide.tolist() == [3.0, 1.0, 2.0]
    assert spoof.tolist() == [0.5, 2.5]
