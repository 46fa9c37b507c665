"""The adapter answers what speech-spoof-bench asks of a model: see its `AntiSpoofingModel` and `run_dataset`."""

import numpy as np
import pytest

import glottis
from glottis.audio import PCM
from glottis.errors import BundleError, GlottisError, InputError
from glottis.evaluation.arena import ArenaModel
from glottis.testing import voice


@pytest.fixture
def model():
    one = ArenaModel()
    one.load()
    yield one
    one.unload()


def test_a_batch_has_the_llrs_of_a_scan(model):
    clips = [voice(3.0, seed=seed) for seed in range(3)]
    expected = [glottis.scan(PCM(clip, 16_000)).llr for clip in clips]
    assert model.score_batch(clips, [16_000] * 3) == expected
    assert [model.score_batch([clip], [16_000])[0] for clip in clips] == expected


def test_it_tells_its_name_and_rate(model):
    assert model.name.startswith("glottis ")
    assert model.expected_sample_rate == 16_000


def test_a_recording_without_speech_raises_so_that_it_counts_as_skipped(model):
    with pytest.raises(InputError, match="no speech"):
        model.score_batch([np.zeros(16_000, np.float32)], [16_000])
    with pytest.raises(InputError, match="NaN"):
        model.score_batch([np.full(16_000, np.nan, np.float32)], [16_000])


def test_the_bundle_is_the_one_that_the_settings_name(monkeypatch):
    monkeypatch.setenv("GLOTTIS_MODEL", "no-such-bundle")
    with pytest.raises(BundleError, match="no-such-bundle"):
        ArenaModel().load()


def test_without_load_it_says_so():
    with pytest.raises(GlottisError, match="not loaded"):
        ArenaModel().score_batch([voice(1.0)], [16_000])
