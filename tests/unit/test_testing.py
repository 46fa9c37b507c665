"""The helpers for tests do what other tests take for granted."""

import wave
from functools import partial

import numpy as np
import onnx
import onnxruntime
import pytest

from glottis.audio.speech import SpeechMeter
from glottis.bundle import open_bundle
from glottis.corpora import read_trials
from glottis.errors import BundleError
from glottis.testing import FakeScorer, noise, tiny_bundle, tiny_corpus, tone, voice, write_wav
from glottis.verdict import Label, Scorer


def speech_share(samples, sample_rate_hz=16_000):
    meter = SpeechMeter(sample_rate_hz)
    meter.push(samples)
    meter.finish()
    return meter.speech_s * sample_rate_hz / len(samples)


def score_of(folder, windows):
    session = onnxruntime.InferenceSession(open_bundle(folder).read("model.onnx"), providers=["CPUExecutionProvider"])
    return session.run(["score"], {"samples": windows})[0]


def test_the_fake_scorer_is_a_scorer_and_counts():
    scorer = FakeScorer(8_000, 4)
    assert isinstance(scorer, Scorer)
    windows = np.array([[0, 0, 0, 0], [-1, 1, -1, 1]], np.float32)
    assert scorer.score(windows).tolist() == [-1, 9]
    assert scorer.score(windows).dtype == np.float32
    assert scorer.calls == 2


@pytest.mark.parametrize("make", [partial(tone, 440), noise, voice])
@pytest.mark.parametrize("sample_rate_hz", [8_000, 16_000, 44_100])
def test_sounds_have_the_shape_of_samples(make, sample_rate_hz):
    samples = make(0.5, sample_rate_hz)
    assert samples.shape == (round(0.5 * sample_rate_hz),)
    assert samples.dtype == np.float32
    assert 0 < np.abs(samples).max() <= 1


def test_a_tone_has_its_frequency_and_level():
    samples = tone(1_000, 1.0, 16_000, level=0.25)
    assert np.abs(np.fft.rfft(samples)).argmax() == 1_000
    assert np.abs(samples).max() == pytest.approx(0.25)


@pytest.mark.parametrize("make", [noise, voice])
def test_a_seed_gives_the_same_samples_again(make):
    assert np.array_equal(make(0.5, 16_000, 1), make(0.5, 16_000, 1))
    assert not np.array_equal(make(0.5, 16_000, 1), make(0.5, 16_000, 2))


@pytest.mark.parametrize(("colour", "fall_db"), [("white", 0), ("pink", 3), ("brown", 6)])
def test_noise_falls_with_its_colour(colour, fall_db):
    power = np.abs(np.fft.rfft(noise(8.0, 16_000, 0, colour))) ** 2
    octaves = [10 * np.log10(power[8 * low : 16 * low].mean()) for low in (500, 1_000, 2_000)]
    assert -np.diff(octaves) == pytest.approx([fall_db, fall_db], abs=0.5)


@pytest.mark.parametrize("colour", ["white", "pink", "brown"])
def test_noise_has_its_level(colour):
    assert noise(2.0, 16_000, 0, colour, level=0.05).std() == pytest.approx(0.05, rel=0.02)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sample_rate_hz", [8_000, 16_000, 44_100, 48_000])
def test_a_voice_is_taken_for_speech(sample_rate_hz, seed):
    assert speech_share(voice(5.0, sample_rate_hz, seed), sample_rate_hz) > 0.6


def test_tones_and_noise_are_not_taken_for_speech():
    assert speech_share(tone(440, 5.0)) == 0
    assert speech_share(noise(5.0)) == 0


def test_sounds_may_be_empty():
    assert len(tone(440, 0)) == len(noise(0)) == len(voice(0)) == 0


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_a_wav_holds_the_samples(tmp_path, channels):
    samples = np.stack([tone(300 * (c + 1), 0.1, 8_000) for c in range(channels)], axis=1)
    path = write_wav(str(tmp_path / "a.wav"), samples[:, 0] if channels == 1 else samples, 8_000)
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (channels, 2, 8_000)
        read = np.frombuffer(file.readframes(-1), "<i2").reshape(-1, channels)
    assert np.abs(read / 32768 - samples).max() <= 0.5 / 32768


def test_a_wav_clips_what_is_too_loud(tmp_path):
    path = write_wav(tmp_path / "a.wav", np.array([2.0, -2.0], np.float32))
    with wave.open(str(path), "rb") as file:
        assert np.frombuffer(file.readframes(-1), "<i2").tolist() == [32767, -32768]


def test_the_tiny_bundle_is_a_bundle_with_a_valid_model(tmp_path):
    bundle = open_bundle(tiny_bundle(tmp_path / "b", window_samples=400, hop_samples=200, sample_rate_hz=8_000))
    manifest = bundle.manifest
    assert (manifest.window_samples, manifest.hop_samples, manifest.sample_rate_hz) == (400, 200, 8_000)
    assert set(manifest.calibration) == {"recording", "window"}
    assert bundle.read("README.md")
    model = onnx.load_from_string(bundle.read("model.onnx"))
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version <= 10
    assert [(one.domain, one.version) for one in model.opset_import] == [("", 17)]


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_the_tiny_model_scores_by_its_formula_in_any_batch(tmp_path, batch):
    windows = noise(batch * 0.1, 16_000).reshape(batch, 1_600)
    scores = score_of(tiny_bundle(tmp_path / "b", window_samples=1_600, hop_samples=1_600), windows)
    assert scores.shape == (batch,)
    assert scores == pytest.approx(4 - 20 * np.abs(np.diff(windows)).mean(axis=1), rel=1e-5)


def test_the_tiny_bundle_takes_what_a_test_wants(tmp_path):
    folder = tiny_bundle(
        str(tmp_path / "b"),
        calibrated=False,
        aggregate={"kind": "softmin", "temperature": 0.5},
        min_speech_s=1.5,
        changes={"name": "other"},
    )
    manifest = open_bundle(folder).manifest
    assert manifest.calibration is None
    assert manifest.aggregate == {"kind": "softmin", "temperature": 0.5}
    assert manifest.min_speech_s == 1.5
    assert manifest.name == "other"
    with pytest.raises(BundleError, match="hop_samples"):
        tiny_bundle(tmp_path / "c", window_samples=10, hop_samples=11)


def test_the_tiny_bundle_is_the_same_each_time(tmp_path):
    one, two = (open_bundle(tiny_bundle(tmp_path / name)) for name in "ab")
    assert one.sha256 == two.sha256


def test_the_tiny_corpus_has_both_labels_in_each_source_of_each_split(tmp_path):
    table = tiny_corpus(tmp_path / "corpus", clips=2, duration_s=0.5)
    for split in ("train", "dev"):
        trials = read_trials(table, split=split)
        assert len(trials) == 8
        labels = {source: {t.label for t in trials if t.source == source} for source in {t.source for t in trials}}
        assert list(labels.values()) == [set(Label)] * 2
        for trial in trials:
            with wave.open(str(trial.path(table.parent)), "rb") as file:
                assert file.getnframes() / file.getframerate() == trial.duration_s
