"""The laws of the resampler: the same bits however it was fed, 80 dB, the length, no delay."""

from __future__ import annotations

import numpy as np
import pytest

from glottis.audio import PCM, StreamResampler, open_recording


def resample(samples, source_hz, wanted_hz, chunk=None):
    samples = np.atleast_2d(samples).astype(np.float32)
    resampler = StreamResampler(source_hz, wanted_hz, len(samples))
    chunk = chunk or samples.shape[1]
    pieces = [resampler.push(samples[:, at : at + chunk]) for at in range(0, samples.shape[1], chunk)]
    return np.concatenate([*pieces, resampler.finish()], axis=1)


def level_db(samples):
    return 10 * np.log10(2 * np.mean(np.square(samples, dtype=np.float64)) + 1e-30)


PAIRS = [(44_100, 16_000), (48_000, 16_000), (8_000, 16_000), (22_050, 16_000), (16_000, 16_000), (16_000, 8_000)]


@pytest.mark.parametrize(("source_hz", "wanted_hz"), PAIRS)
@pytest.mark.parametrize("chunk", [7, 511, 512, 513, 16_000])
def test_the_same_bits_however_it_was_fed(source_hz, wanted_hz, chunk):
    noise = np.random.default_rng(0).standard_normal((2, 20_011)).astype(np.float32)
    assert np.array_equal(resample(noise, source_hz, wanted_hz, chunk), resample(noise, source_hz, wanted_hz))


def test_one_sample_at_a_time_and_empty_blocks():
    noise = np.random.default_rng(0).standard_normal((1, 3_001)).astype(np.float32)
    resampler = StreamResampler(44_100, 16_000, 1)
    pieces = []
    for at in range(3_001):
        pieces += [resampler.push(noise[:, at : at + 1]), resampler.push(noise[:, :0])]
    whole = np.concatenate([*pieces, resampler.finish()], axis=1)
    assert np.array_equal(whole, resample(noise, 44_100, 16_000))


@pytest.mark.parametrize(("source_hz", "wanted_hz"), [(44_101, 16_000), (7_999, 16_000), (192_000, 16_000)])
@pytest.mark.parametrize("chunk", [997, 30_000])
def test_the_same_bits_at_odd_and_high_rates_too(source_hz, wanted_hz, chunk):
    noise = np.random.default_rng(0).standard_normal((2, 90_011)).astype(np.float32)
    assert np.array_equal(resample(noise, source_hz, wanted_hz, chunk), resample(noise, source_hz, wanted_hz))


def test_the_same_bits_wherever_a_long_recording_is_cut():
    noise = np.random.default_rng(0).standard_normal((1, 700_001)).astype(np.float32)
    whole = resample(noise, 44_100, 16_000)
    for chunk in np.random.default_rng(1).integers(1_000, 300_000, 8).tolist():
        assert np.array_equal(resample(noise, 44_100, 16_000, chunk), whole)


@pytest.mark.parametrize("source_hz", [8_000, 22_050, 44_100, 48_000, 96_000, 44_101])
def test_the_pass_band_is_flat_up_to_nine_tenths_of_the_lower_nyquist(source_hz):
    time = np.arange(source_hz * 2) / source_hz
    for share in (0.1, 0.5, 0.8, 0.9):
        frequency_hz = share * min(source_hz, 16_000) / 2
        out = resample(np.sin(2 * np.pi * frequency_hz * time), source_hz, 16_000)
        assert abs(level_db(out[0, 2_000:-2_000])) < 0.1


def test_what_comes_out_lags_behind_by_at_most_three_tenths_of_a_second():
    for source_hz in (8_000, 11_025, 44_100, 48_000, 192_000, 44_101):
        resampler = StreamResampler(source_hz, 16_000, 1)
        given = sum(resampler.push(np.zeros((1, source_hz // 50), np.float32)).shape[1] for _ in range(100))
        assert given >= 1.7 * 16_000


def test_rows_are_resampled_alone():
    noise = np.random.default_rng(0).standard_normal((3, 9_000)).astype(np.float32)
    together = resample(noise, 44_100, 16_000)
    for row in range(3):
        assert np.array_equal(together[row : row + 1], resample(noise[row], 44_100, 16_000))


@pytest.mark.parametrize(("source_hz", "wanted_hz"), [*PAIRS, (7_999, 16_000), (192_000, 16_000), (44_101, 16_000)])
@pytest.mark.parametrize("count", [1, 2, 7, 441, 16_001])
def test_the_length_is_that_of_the_time(source_hz, wanted_hz, count):
    out = resample(np.ones(count), source_hz, wanted_hz)
    assert abs(out.shape[1] - count * wanted_hz / source_hz) <= 0.5


def test_nothing_gives_nothing():
    assert resample(np.zeros((1, 0)), 44_100, 16_000, 1).shape == (1, 0)


@pytest.mark.parametrize("source_hz", [22_050, 32_000, 44_100, 48_000, 96_000, 192_000, 44_101])
def test_a_sine_above_the_new_nyquist_is_80_db_down(source_hz):
    time = np.arange(source_hz * 2) / source_hz
    for frequency_hz in (8_001, 8_020, 8_100, 8_500, 9_500, 10_900):
        out = resample(np.sin(2 * np.pi * frequency_hz * time), source_hz, 16_000)
        assert level_db(out[0, 2_000:-2_000]) < -80, frequency_hz


@pytest.mark.parametrize(("source_hz", "wanted_hz"), [(8_000, 16_000), (11_025, 16_000), (7_999, 16_000)])
def test_images_are_80_db_down(source_hz, wanted_hz):
    time = np.arange(source_hz * 2) / source_hz
    for frequency_hz in (300, 2_000, 3_500):
        out = resample(np.sin(2 * np.pi * frequency_hz * time), source_hz, wanted_hz)[0]
        ideal = np.sin(2 * np.pi * frequency_hz * np.arange(len(out)) / wanted_hz)
        assert level_db((out - ideal)[2_000:-2_000]) < -80, frequency_hz


@pytest.mark.parametrize("source_hz", [22_050, 44_100, 48_000, 44_101])
def test_what_is_below_is_kept_in_level_and_time(source_hz):
    time = np.arange(source_hz * 2) / source_hz
    for frequency_hz in (50, 1_000, 4_000, 7_000):
        out = resample(np.sin(2 * np.pi * frequency_hz * time), source_hz, 16_000)[0]
        ideal = np.sin(2 * np.pi * frequency_hz * np.arange(len(out)) / 16_000)
        assert level_db((out - ideal)[2_000:-2_000]) < -60, frequency_hz


def test_sample_0_is_time_0():
    impulse = np.zeros(44_100)
    impulse[0] = 1
    assert np.argmax(resample(impulse, 44_100, 16_000)[0]) == 0


def test_files_and_samples_go_through_it():
    noise = np.random.default_rng(0).standard_normal(100_000).astype(np.float32) * 0.1
    with open_recording(PCM(noise, 44_100), sample_rate_hz=16_000) as recording:
        read = np.concatenate(list(recording.blocks()), axis=1)
    assert np.array_equal(read, resample(noise, 44_100, 16_000))


def test_wrong_use_is_refused():
    resampler = StreamResampler(8_000, 16_000, 2)
    with pytest.raises(ValueError, match="blocks must be"):
        resampler.push(np.zeros((1, 5), np.float32))
    resampler.finish()
    with pytest.raises(ValueError, match="after finish"):
        resampler.push(np.zeros((2, 5), np.float32))
