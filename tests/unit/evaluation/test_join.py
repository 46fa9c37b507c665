"""Joining: nothing is lost in silence."""

import numpy as np
import pytest

from glottis.errors import CorpusError, CoverageError
from glottis.evaluation import Protocol, ScoreFile, join
from glottis.evaluation.join import shared


def scores(**by_trial):
    return ScoreFile("mine", np.array(list(by_trial), np.str_), np.array(list(by_trial.values()), np.float64))


def named(*names):
    return ScoreFile("mine", np.array(names), np.arange(len(names), dtype=np.float64))


PROTOCOL = Protocol(
    "test",
    np.array(["T1", "T2", "T3", "T4"]),
    np.array([True, True, False, False]),
    {"attack": np.array(["", "", "A07", "A08"])},
)


def test_the_order_is_that_of_the_protocol():
    joined = join(scores(T4=-1, T2=2, T1=3, T3=-2), PROTOCOL)
    assert joined.scores.tolist() == [3, 2, -2, -1]
    assert joined.columns["attack"].tolist() == ["", "", "A07", "A08"]
    assert joined.coverage == 1
    assert joined.notices == ()
    assert [group.tolist() for group in joined.by_class] == [[3, 2], [-2, -1]]


def test_missing_trials_are_under_the_floor_unless_it_is_lowered():
    with pytest.raises(CoverageError, match=r"1 of 4 trials have no score, first 'T3': a coverage of 75\.00%"):
        join(scores(T4=-1, T2=2, T1=3), PROTOCOL)
    joined = join(scores(T4=-1, T2=2, T1=3), PROTOCOL, coverage_floor=0.7)
    assert joined.trials.tolist() == ["T1", "T2", "T4"]
    assert joined.coverage == 0.75
    assert joined.notices == ("1 of 4 trials have no score, first 'T3'",)


def test_recordings_that_got_no_score_are_counted():
    file = ScoreFile("mine", np.array(["T1", "T2", "T4"]), np.array([3.0, 2.0, 1.0]), ("T3",))
    assert "1 of them were scanned and got none" in join(file, PROTOCOL, coverage_floor=0).notices[0]


def test_scores_of_no_trial_are_said():
    joined = join(scores(T1=3, T2=2, T3=-2, T4=-1, X9=0), PROTOCOL)
    assert joined.notices == ("1 scores belong to no trial of the protocol, first 'X9'",)


def test_doubled_trials_and_nan_are_refused():
    with pytest.raises(CorpusError, match="1 trials have more than one score, first 'T1'"):
        join(named("T1", "T1", "T2", "T3", "T4"), PROTOCOL)
    with pytest.raises(CorpusError, match="2 scores are not finite, first 'T2', 'T3'"):
        join(scores(T1=1, T2=np.nan, T3=np.inf, T4=0), PROTOCOL)


def test_a_flipped_sign_is_said():
    assert "sign" in join(scores(T1=-3, T2=-2, T3=2, T4=1), PROTOCOL).notices[0]


def test_nothing_in_common_is_refused():
    with pytest.raises(CorpusError, match="no trial in common: 'X1', 'T1'"):
        join(scores(X1=1), PROTOCOL)


@pytest.mark.parametrize(
    "names",
    [
        ("T1.flac", "T2.flac", "T3.flac", "T4.flac"),
        ("a/T1.wav", "b/T2.wav", "b/T3.wav", "c/T4.wav"),
        ("C:\\x\\T1.wav", "C:\\x\\T2.wav", "C:\\x\\T3.wav", "C:\\x\\T4.wav"),
    ],
)
def test_endings_and_folders_may_differ(names):
    assert join(named(*names), PROTOCOL).scores.tolist() == [0, 1, 2, 3]


def test_equal_names_in_two_folders_are_two_trials():
    protocol = Protocol("test", np.array(["real/1", "fake/1"]), np.array([True, False]), {})
    assert join(named("fake/1", "real/1"), protocol).scores.tolist() == [1, 0]
    with pytest.raises(CorpusError, match="no trial in common"):
        join(named("x/1", "y/2"), protocol)


def test_numbers_as_names_stay_text():
    protocol = Protocol("test", np.array(["0", "1"]), np.array([True, False]), {})
    assert join(named("1.wav", "0.wav"), protocol).scores.tolist() == [1, 0]


def test_names_with_dots_keep_them():
    protocol = Protocol("test", np.array(["ADD_T1.2R1_0", "ADD_T1.2R1_1"]), np.array([True, False]), {})
    assert join(named("ADD_T1.2R1_0.wav", "ADD_T1.2R1_1.wav"), protocol).coverage == 1


def test_of_several_systems_the_trials_that_all_scored():
    first, second = (
        join(scores(T1=3, T2=2, T3=-2, T4=-1), PROTOCOL),
        join(scores(T4=1, T2=5), PROTOCOL, coverage_floor=0),
    )
    here, there = shared([first, second])
    assert here.trials.tolist() == there.trials.tolist() == ["T2", "T4"]
    assert (here.scores.tolist(), there.scores.tolist()) == ([2, -1], [5, 1])
    assert here.columns["attack"].tolist() == ["", "A08"]
    assert here.coverage == there.coverage == 0.5
    assert here.notices == ("2 trials are left out: another system has no score of them",)
    assert shared([first]) == [first]
    other = join(scores(T1=1, T3=2), PROTOCOL, coverage_floor=0)
    with pytest.raises(CorpusError, match="mine and mine have no trial in common"):
        shared([second, other])
