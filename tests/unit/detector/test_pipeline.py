from __future__ import annotations

import threading
import tracemalloc

import numpy as np
import pytest

from glottis.audio import SpeechMeter
from glottis.bundle import open_bundle
from glottis.detector.crew import Crew
from glottis.detector.model import Model
from glottis.detector.pipeline import Pipeline
from glottis.errors import BundleError
from glottis.testing import tiny_bundle, voice
from tolerances import TIME_S


@pytest.fixture(scope="session")
def model(bundle):
    return Model(open_bundle(bundle))


def run(pipeline, samples, block=4_000):
    given = [window for at in range(0, len(samples), block) for window in pipeline.push(samples[at : at + block])]
    given += pipeline.finish()
    assert given == pipeline.windows
    return given


def test_windows_lie_on_the_grid_and_the_last_one_ends_at_the_end(model, talk):
    windows = run(Pipeline(model), talk)
    assert [(w.start_s, w.end_s) for w in windows] == [*((n, n + 1) for n in range(7)), (6.5, 7.5)]
    assert all((w.score is None) == (w.speech < 0.1) for w in windows)
    assert all(w.llr == w.score for w in windows)


def test_scores_are_the_models(model, talk):
    windows = run(Pipeline(model), talk)
    for window in windows:
        start = round(window.start_s * 16_000)
        if window.score is not None:
            assert window.score == model.members[0].session.score(talk[start : start + 16_000]).score


def test_a_window_is_given_as_soon_as_it_is_whole(model, talk):
    pipeline = Pipeline(model)
    assert pipeline.push(talk[:15_999]) == []
    assert len(pipeline.push(talk[15_999:16_000])) == 1


def test_silence_is_scored_by_nobody(model):
    silence = np.zeros(40_000, np.float32)
    windows = run(Pipeline(model), silence)
    assert [w.score for w in windows] == [w.llr for w in windows] == [None] * 3
    assert {w.speech for w in windows} == {0.0}


def test_a_recording_shorter_than_a_window(model):
    short = voice(0.6)
    (window,) = run(Pipeline(model), short)
    assert (window.start_s, window.end_s) == (0, 0.6)
    assert window.score == model.members[0].session.score(np.resize(short, 16_000)).score


def test_no_samples_no_windows(model):
    pipeline = Pipeline(model)
    assert pipeline.finish() == []
    assert pipeline.speech_s == 0


def test_speech_seconds_are_those_of_the_meter(model, talk):
    pipeline, meter = Pipeline(model), SpeechMeter(16_000)
    run(pipeline, talk)
    meter.push(talk)
    meter.finish()
    assert pipeline.speech_s == meter.speech_s > 3


def test_a_crew_changes_nothing(model, talk):
    with Crew(3) as crew:
        assert crew.do(run, Pipeline(model, crew), talk, 512) == run(Pipeline(model), talk)


def test_windows_in_flight_are_bounded(model, talk, monkeypatch):
    at_work, most, lock = 0, 0, threading.Lock()
    score = model.members[0].session.score

    def counted(window):
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        threading.Event().wait(0.002)
        with lock:
            at_work -= 1
        return score(window)

    monkeypatch.setattr(model.members[0].session, "score", counted)
    with Crew(3) as crew:
        crew.do(run, Pipeline(model, crew), np.tile(talk, 3))
    assert most == 3


def test_an_error_of_the_model_comes_out_of_the_crew(model, talk, monkeypatch):
    def broken(_):
        raise BundleError("broken")

    monkeypatch.setattr(model.members[0].session, "score", broken)
    with Crew(2) as crew, pytest.raises(BundleError, match="broken"):
        crew.do(run, Pipeline(model, crew), talk)


@pytest.fixture(scope="session")
def hearing(bundle_of):
    """A model that tells speech too, 0.6 - 2.5 * mean(abs(samples)): it hears none in loud windows."""
    return Model(open_bundle(bundle_of({"score": (1, 0), "speech": (-2.5, 0.6)})))


@pytest.fixture(scope="session")
def quiet_then_loud():
    quiet = np.clip(voice(4), -0.04, 0.04)
    return np.concatenate([quiet, np.tanh(20 * voice(4))])


def test_the_models_word_on_speech_counts_too(hearing, quiet_then_loud):
    windows = run(Pipeline(hearing), quiet_then_loud)
    heard = [w.score is not None for w in windows]
    assert any(heard[:4])
    assert not any(heard[4:])
    assert all(w.speech < 0.5 for w in windows[4:])


def test_only_speech_that_it_hears_counts(hearing, quiet_then_loud):
    pipeline, meter = Pipeline(hearing), SpeechMeter(16_000)
    windows = run(pipeline, quiet_then_loud)
    meter.push(quiet_then_loud)
    expected = sum(w.speech * (w.end_s - w.start_s) for w in windows if w.score is not None)
    assert pipeline.speech_s == pytest.approx(expected, abs=TIME_S)
    assert 0 < pipeline.speech_s < meter.speech_s


def test_overlapping_windows_count_once(bundle_of):
    outputs = {"score": (1, 0), "speech": (0, 1)}
    model = Model(open_bundle(bundle_of(outputs, hop_samples=5_000)))
    pipeline = Pipeline(model)
    run(pipeline, voice(6.3))
    meter = SpeechMeter(16_000)
    meter.push(voice(6.3))
    meter.finish()
    assert pipeline.speech_s == pytest.approx(meter.speech_s, abs=0.25)
    assert pipeline.speech_s <= meter.speech_s


def test_a_calibration_that_does_not_fit_is_refused(tmp_path):
    wrong = {"recording": {"kind": "oracle"}, "window": {"kind": "oracle"}}
    path = tiny_bundle(tmp_path / "wrong", changes={"calibration": wrong})
    with pytest.raises(BundleError, match="oracle"):
        Model(open_bundle(path))


def test_memory_does_not_grow_with_the_recording(model, talk):
    """Ten minutes, 38 MB of samples; all that stays is the time line and the marks of speech."""
    pipeline = Pipeline(model)
    pipeline.push(talk)
    tracemalloc.start()
    for _ in range(80):
        pipeline.push(talk)
    pipeline.finish()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(pipeline.windows) > 600
    assert peak < 5e6
