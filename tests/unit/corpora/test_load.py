import wave

import numpy as np
import pytest

from glottis.corpora import load_clip
from glottis.errors import InputError


@pytest.fixture
def clip(tmp_path):
    def write(channels, sample_rate_hz=16_000):
        path = tmp_path / "clip.wav"
        whole = np.stack([np.rint(np.asarray(channel) * 32767) for channel in channels], axis=1).astype("<i2")
        with wave.open(str(path), "wb") as file:
            file.setnchannels(len(channels))
            file.setsampwidth(2)
            file.setframerate(sample_rate_hz)
            file.writeframes(whole.tobytes())
        return path

    return write


TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8_000) / 16_000)


def test_samples_come_back_as_they_are(clip):
    samples = load_clip(clip([TONE]), 16_000)
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples, TONE, atol=1e-4)


def test_channels_are_mixed(clip):
    other = 0.25 * np.cos(2 * np.pi * 300 * np.arange(8_000) / 16_000)
    np.testing.assert_allclose(load_clip(clip([TONE, other]), 16_000), (TONE + other) / 2, atol=1e-4)


def test_another_rate_is_brought_to_the_wanted_one(clip):
    assert load_clip(clip([TONE]), 8_000).size == pytest.approx(4_000, abs=2)


def test_no_such_clip(tmp_path):
    with pytest.raises(InputError):
        load_clip(tmp_path / "nowhere.wav", 16_000)


def test_a_clip_without_samples_is_refused(clip):
    with pytest.raises(InputError):
        load_clip(clip([[]]), 16_000)
