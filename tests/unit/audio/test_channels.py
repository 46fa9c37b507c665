"""Which channels are scanned."""

from __future__ import annotations

import numpy as np
import pytest

from glottis.audio import PCM, open_recording
from glottis.errors import InputError

RATE_HZ = 16_000


def read(samples, channel="auto", rate_hz=RATE_HZ):
    with open_recording(PCM(samples.T, rate_hz), sample_rate_hz=RATE_HZ, channel=channel) as recording:
        blocks = list(recording.blocks())
    assert all(len(block) == len(recording.lanes) for block in blocks)
    return recording, np.concatenate(blocks, axis=1)


@pytest.fixture(scope="module")
def voice(voice_of):
    return voice_of(8, RATE_HZ)


@pytest.fixture(scope="module")
def call(voice_of):
    """A party on each side, in turns, with a little noise on the line."""
    turns = np.sin(2 * np.pi * 0.25 * np.arange(8 * RATE_HZ) / RATE_HZ) > 0
    noise = np.random.default_rng(5).standard_normal((2, 8 * RATE_HZ)).astype(np.float32) * 0.001
    return np.stack([voice_of(8, RATE_HZ, 1) * turns, voice_of(8, RATE_HZ, 2) * ~turns]).astype(np.float32) + noise


def test_mono(voice):
    recording, samples = read(voice[None])
    assert recording.lanes == (None,)
    assert np.array_equal(samples[0], voice)


@pytest.mark.parametrize("sign", [1, -1])
def test_dual_mono_counts_once_in_opposite_phase_too(voice, sign):
    recording, samples = read(np.stack([voice, sign * voice]))
    assert recording.lanes == (None,)
    assert np.array_equal(samples[0], voice)


def test_dual_mono_at_another_level_and_a_little_later_counts_once(voice):
    recording, _ = read(np.stack([voice, 0.3 * np.roll(voice, 20)]))
    assert recording.lanes == (None,)


def test_stereo_with_a_common_voice_is_mixed(voice):
    noise = np.random.default_rng(0).standard_normal((2, len(voice))).astype(np.float32) * 0.01
    recording, samples = read(voice + noise)
    assert recording.lanes == (None,)
    assert np.allclose(samples[0], voice + noise.mean(axis=0), atol=1e-6)


def test_a_call_has_a_lane_for_each_party(call):
    recording, samples = read(call)
    assert recording.lanes == (0, 1)
    assert np.array_equal(samples, call)


def test_parties_that_speak_at_once_are_kept_apart(voice_of):
    recording, _ = read(np.stack([voice_of(6, RATE_HZ, 1), np.roll(voice_of(6, RATE_HZ, 2), 9_000) * 0.5]))
    assert recording.lanes == (0, 1)


@pytest.mark.parametrize("quiet", [0.0, 1e-5])
def test_a_silent_channel_is_left_out(voice, quiet):
    silence = np.random.default_rng(0).standard_normal(len(voice)).astype(np.float32) * quiet
    recording, samples = read(np.stack([silence, voice]))
    assert recording.lanes == (1,)
    assert np.array_equal(samples[0], voice)


def test_silence_everywhere_is_one_lane(voice):
    recording, samples = read(np.zeros((2, len(voice)), np.float32))
    assert len(recording.lanes) == 1
    assert not samples.any()


def test_second_copies_of_a_party_are_left_out(call):
    recording, _ = read(np.stack([call[0], call[1], call[0], -call[1]]))
    assert recording.lanes == (0, 1)


def test_what_the_user_wants(call):
    recording, samples = read(call, "mix")
    assert recording.lanes == (None,)
    assert np.allclose(samples[0], call.mean(axis=0), atol=1e-7)
    assert read(np.stack([call[0], call[0]]), "each")[0].lanes == (0, 1)
    recording, samples = read(call, 1)
    assert recording.lanes == (1,)
    assert np.array_equal(samples[0], call[1])
    for channel in (2, -1):
        with pytest.raises(InputError) as caught:
            read(call, channel)
        assert caught.value.code == "no_channel"


def test_a_very_short_recording_is_decided(voice):
    for count in (1, 5, 400):
        recording, samples = read(np.stack([voice[5_000 : 5_000 + count]] * 2))
        assert samples.shape[1] == count
        assert len(recording.lanes) == 1


def test_channels_that_begin_to_differ_later_are_reported(voice, call):
    alike = np.tile(np.stack([voice, voice]), 8)
    recording, samples = read(np.concatenate([alike, call, call, call], axis=1), rate_hz=RATE_HZ)
    assert recording.lanes == (None,)
    assert [warning.code for warning in recording.warnings] == ["channels_differ"]
    assert samples.shape[1] == 11 * len(voice)


def test_a_silent_channel_that_sounds_later_makes_it_incomplete(voice):
    first = np.tile(np.stack([voice, np.zeros_like(voice)]), 8)
    recording, _ = read(np.concatenate([first, np.stack([voice, voice]), np.stack([voice, voice])], axis=1))
    assert recording.lanes == (0,)
    assert [warning.code for warning in recording.warnings] == ["silent_channel_sounds"]
    assert not recording.complete


def test_eight_channels(encoder, voice):
    content = encoder(np.stack([voice[:32_000]] * 8), RATE_HZ, "wav", "pcm_s16le")
    with open_recording(content, sample_rate_hz=RATE_HZ) as recording:
        samples = np.concatenate(list(recording.blocks()), axis=1)
    assert recording.channels == 8
    assert recording.lanes == (None,)
    assert samples.shape == (1, 32_000)
