"""Where somebody speaks, and how high the energy reaches."""

from __future__ import annotations

import numpy as np
import pytest

from glottis.audio import BandwidthMeter, SpeechMeter
from glottis.testing import voice

RATE_HZ = 16_000


def metered(samples, rate_hz=RATE_HZ, chunk=8_000):
    meter = SpeechMeter(rate_hz)
    for at in range(0, len(samples), chunk):
        meter.push(np.asarray(samples[at : at + chunk], np.float32))
    meter.finish()
    return meter


def time_of(seconds):
    return np.arange(seconds * RATE_HZ) / RATE_HZ


@pytest.mark.parametrize("level", [0.0, 0.001, 0.01, 0.1, 0.3])
def test_silence_and_noise_are_no_speech(level):
    noise = np.random.default_rng(0).standard_normal(20 * RATE_HZ) * level
    assert metered(noise).speech_s < 0.2


@pytest.mark.parametrize("frequency_hz", [50, 220, 440, 1_000, 3_000])
def test_tones_are_no_speech(frequency_hz):
    assert metered(0.3 * np.sin(2 * np.pi * frequency_hz * time_of(10))).speech_s < 0.1


def test_a_voice_is_speech(voice_of):
    assert metered(voice_of(10, RATE_HZ)).speech_s > 4


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 24_000, 32_000, 44_100, 48_000])
def test_the_rate_hardly_matters(rate_hz, voice_of):
    assert abs(metered(voice_of(10, rate_hz), rate_hz).speech_s - metered(voice_of(10, RATE_HZ)).speech_s) < 1.5


def test_where(voice_of):
    voice = voice_of(4, RATE_HZ)
    meter = metered(np.concatenate([np.zeros_like(voice), voice]))
    assert meter.fraction(0, 4 * RATE_HZ) == 0
    assert meter.fraction(4 * RATE_HZ, 8 * RATE_HZ) > 0.5
    assert meter.fraction(5, 9) == 0
    assert 0 < meter.fraction(0, 10**9) <= 1


@pytest.mark.parametrize("chunk", [7, 480, 511, 16_000])
def test_what_is_said_of_a_stretch_does_not_depend_on_the_chunks(chunk, voice_of):
    voice = voice_of(5, RATE_HZ)[:-123]
    whole = metered(voice, chunk=len(voice))
    meter = SpeechMeter(RATE_HZ)
    for at in range(0, len(voice), chunk):
        meter.push(voice[at : at + chunk])
        end = min(at + chunk, len(voice))
        assert meter.fraction(max(end - 32_000, 0), end) == whole.fraction(max(end - 32_000, 0), end)
    meter.finish()
    assert meter.speech_s == whole.speech_s


def test_an_empty_meter():
    meter = SpeechMeter(RATE_HZ)
    meter.finish()
    assert meter.speech_s == 0
    assert meter.fraction(0, 100) == 0


@pytest.mark.parametrize("edge_hz", [1_000, 3_400, 7_000])
def test_bandwidth_is_where_the_energy_ends(edge_hz):
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(10 * RATE_HZ))
    spectrum[edge_hz * 10 :] = 0
    noise = np.fft.irfft(spectrum).astype(np.float32) * 0.1
    whole, pieces = BandwidthMeter(RATE_HZ), BandwidthMeter(RATE_HZ)
    whole.push(noise)
    for at in range(0, len(noise), 511):
        pieces.push(noise[at : at + 511])
    assert abs(whole.bandwidth_hz - edge_hz) < 120
    assert pieces.bandwidth_hz == whole.bandwidth_hz


def test_silence_has_no_bandwidth():
    meter = BandwidthMeter(RATE_HZ)
    assert meter.bandwidth_hz is None
    meter.push(np.zeros(RATE_HZ, np.float32))
    assert meter.bandwidth_hz is None


@pytest.mark.parametrize("level_db", [-20, -30])
def test_a_quiet_voice_is_a_voice(level_db):
    samples = voice(4.0, seed=2)
    usual, quiet = metered(samples), metered(samples * 10 ** (level_db / 20))
    assert quiet.speech_s > 0.9 * usual.speech_s


def test_a_voice_is_heard_some_seconds_after_a_bang():
    samples = 0.05 * voice(22.0, seed=2)
    samples[:480] = 0.9
    assert metered(samples).fraction(18 * RATE_HZ, 22 * RATE_HZ) > 0.7
