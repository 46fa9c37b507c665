"""Which windows are looked into, and that their samples are the ones that were scored."""

from __future__ import annotations

import numpy as np
import pytest

from glottis.audio import PCM
from glottis.detector import Detector
from glottis.detector.model import Model
from glottis.errors import InputError
from glottis.explain.hearing import ModelScorer, choose, hear, score_all
from glottis.testing import tiny_bundle, voice
from glottis.verdict import Window
from tolerances import TIME_S

RATE_HZ = 16_000


class Said:
    """As much of a verdict as choosing needs."""

    def __init__(self, llr, *scores):
        self.llr = llr
        self.windows = tuple(Window(float(i), i + 1.0, score, score, 1.0) for i, score in enumerate(scores))


def starts(chosen):
    return [window.start_s for window, _ in chosen]


def test_of_a_suspect_recording_the_most_suspect_windows_in_order_of_time():
    chosen = choose(Said(-2.0, -1.0, 3.0, None, -5.0, 0.0), 2, "mean")
    assert starts(chosen) == [0.0, 3.0]
    assert [why for _, why in chosen] == ["the 2nd most suspect of 4", "the most suspect of 4"]


def test_of_a_recording_like_a_person_the_windows_most_like_one():
    chosen = choose(Said(2.0, -1.0, 3.0, None, 5.0), 1, "mean")
    assert starts(chosen) == [3.0]
    assert chosen[0][1] == "the most like a person of 3"


def test_where_the_lowest_windows_count_they_are_looked_into():
    assert starts(choose(Said(2.0, 1.0, 3.0), 1, "softmin")) == [0.0]


def test_where_the_first_alone_counts_it_is_looked_into():
    assert starts(choose(Said(2.0, None, 1.0, 3.0), 3, "first")) == [1.0]


def test_without_a_calibration_the_most_suspect():
    assert starts(choose(Said(None, 1.0, 3.0), 1, "mean")) == [0.0]


def test_a_lone_window_is_the_only_one():
    assert choose(Said(2.0, None, 1.0), 4, "mean")[0][1] == "the only one that was scored"


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    return Detector(tiny_bundle(tmp_path_factory.mktemp("bundle") / "b", hop_samples=12_000))


@pytest.mark.parametrize("seconds", [0.6, 1.0, 3.1, 5.0])
def test_the_samples_are_those_that_were_scored(detector, seconds):
    recording = PCM(voice(seconds, seed=5), RATE_HZ)
    verdict = detector.scan(recording)
    chosen = [(window, "") for window in verdict.windows if window.score is not None]
    assert chosen
    model = Model(detector.bundle)
    heard = hear(recording, model.manifest, verdict, chosen, channel="auto")
    scores = score_all(ModelScorer(model, 2), iter([one.samples for one in heard]))
    np.testing.assert_array_equal(scores, [window.score for window, _ in chosen])
    for one in heard:
        assert len(one.samples) / RATE_HZ == pytest.approx(one.window.end_s - one.window.start_s, abs=TIME_S)


def test_of_channels_that_differ_the_judged_one_is_heard(detector):
    left, right = voice(3.0, seed=5), 0.3 * voice(3.0, seed=6)
    recording = PCM(np.stack([left, right], axis=1), RATE_HZ)
    verdict = detector.scan(recording, channel="each")
    assert verdict.channel == 0
    heard = hear(recording, detector.bundle.manifest, verdict, [(verdict.windows[0], "")], channel="each")
    np.testing.assert_array_equal(heard[0].samples, left[:RATE_HZ])


def test_a_recording_that_changed_meanwhile_is_refused(detector):
    verdict = detector.scan(PCM(voice(3.0, seed=5), RATE_HZ))
    other = PCM(voice(1.5, seed=5), RATE_HZ)
    with pytest.raises(InputError, match="changed while it was read"):
        hear(other, detector.bundle.manifest, verdict, [(verdict.windows[-1], "")], channel="auto")


def test_nothing_to_score_is_no_error(listener):
    assert score_all(listener(0, 1, 0, 8000), iter(())).shape == (0,)
