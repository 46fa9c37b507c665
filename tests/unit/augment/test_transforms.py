import numpy as np
import pytest

from glottis.augment import BandLimit, Codec, Equaliser, Gain, Noise, Room
from glottis.augment.transform import Transform
from glottis.errors import RecipeError

RATE_HZ = 16_000


def tone(frequency_hz, count=16_000, sample_rate_hz=RATE_HZ):
    return (0.25 * np.sin(2 * np.pi * frequency_hz * np.arange(count) / sample_rate_hz)).astype(np.float32)


def level_db(changed, samples):
    inner = slice(2_000, -2_000)
    return 10 * np.log10(np.mean(changed[inner] ** 2.0) / np.mean(samples[inner] ** 2.0))


def test_gain_is_in_decibels_and_does_not_clip():
    changed = Gain(gain_db=20.0).apply(np.array([0.5, -0.5], dtype=np.float32), RATE_HZ)
    np.testing.assert_allclose(changed, [5.0, -5.0], rtol=1e-6)


def test_flat_equaliser_changes_nothing():
    samples = tone(500)
    np.testing.assert_allclose(Equaliser(gains_db=(0.0,) * 8).apply(samples, RATE_HZ), samples, atol=1e-6)


def test_equaliser_gives_a_knot_its_gain():
    gains_db = (0.0, 0.0, 0.0, 6.0)
    samples = tone(7_000)
    assert level_db(Equaliser(gains_db=(6.0,)).apply(samples, RATE_HZ), samples) == pytest.approx(6.0, abs=0.1)
    low = tone(100)
    assert level_db(Equaliser(gains_db=gains_db).apply(low, RATE_HZ), low) == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize(("frequency_hz", "passes"), [(100, False), (1_000, True), (3_000, True), (4_000, False)])
def test_telephone_band(frequency_hz, passes):
    samples = tone(frequency_hz)
    change_db = level_db(BandLimit(low_hz=300.0, high_hz=3_400.0).apply(samples, RATE_HZ), samples)
    assert change_db == pytest.approx(0.0, abs=0.1) if passes else change_db < -40


def test_low_pass_keeps_the_lowest():
    samples = tone(20)
    assert level_db(BandLimit(low_hz=0.0, high_hz=4_000.0).apply(samples, RATE_HZ), samples) == pytest.approx(
        0.0, abs=0.1
    )


def test_band_over_half_the_rate_is_no_limit():
    samples = tone(3_500, sample_rate_hz=8_000)
    np.testing.assert_allclose(BandLimit(low_hz=0.0, high_hz=7_800.0).apply(samples, 8_000), samples, atol=1e-6)


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_noise_falls_as_its_slope_says(slope):
    samples = tone(440, count=64_000)
    added = Noise(slope=slope, snr_db=0.0, seed=1).apply(samples, RATE_HZ) - samples
    power = np.abs(np.fft.rfft(added)) ** 2
    hertz = np.fft.rfftfreq(added.size, 1 / RATE_HZ)
    low, high = (power[(hertz > f) & (hertz < 2 * f)].mean() for f in (200, 3_200))
    assert 10 * np.log10(low / high) == pytest.approx(slope * 10 * np.log10(16), abs=1.5)


def test_noise_comes_from_its_seed():
    samples = tone(440)
    first, second = (Noise(slope=1.0, snr_db=10.0, seed=seed).apply(samples, RATE_HZ) for seed in (1, 2))
    assert not np.array_equal(first, second)


def test_room_starts_with_the_direct_path_and_has_the_drawn_energy():
    response = Room(rt60_s=0.5, drr_db=6.0, delay_s=0.005, damping=0.5, seed=1).response(RATE_HZ)
    assert response[0] == 1.0
    assert not response[1:80].any()
    assert 10 * np.log10(1.0 / np.sum(response[1:] ** 2.0)) == pytest.approx(6.0, abs=0.01)


def test_room_dies_by_60_db_in_its_time():
    response = Room(rt60_s=0.5, drr_db=0.0, delay_s=0.001, damping=0.0, seed=1).response(RATE_HZ)[16:]
    first, later = (np.mean(response[start : start + 800] ** 2.0) for start in (0, 4_000))
    assert 10 * np.log10(first / later) == pytest.approx(30.0, abs=2.0)


def test_room_delays_nothing():
    click = np.zeros(8_000, dtype=np.float32)
    click[1_000] = 1.0
    changed = Room(rt60_s=0.3, drr_db=0.0, delay_s=0.005, damping=0.5, seed=1).apply(click, RATE_HZ)
    assert int(np.argmax(np.abs(changed))) == 1_000
    np.testing.assert_allclose(changed[:1_000], 0.0, atol=1e-6)


def test_codec_of_no_such_name_is_refused():
    with pytest.raises(RecipeError, match="'flac'"):
        Codec(name="flac", codec_rate_hz=16_000, bit_rate=None)


def test_codec_that_refuses_its_rate_says_so():
    with pytest.raises(RecipeError, match="opus") as caught:
        Codec(name="opus", codec_rate_hz=11_025, bit_rate=16_000).apply(tone(440), RATE_HZ)
    assert caught.value.code == "codec"


def test_codec_loses_more_at_fewer_bits():
    samples = tone(440) + tone(1_730) + np.float32(0.05) * np.random.default_rng(1).standard_normal(16_000, np.float32)
    losses = [
        np.mean((Codec("mp3", 16_000, bit_rate).apply(samples, RATE_HZ) - samples) ** 2)
        for bit_rate in (16_000, 64_000)
    ]
    assert losses[0] > 2 * losses[1]


def test_narrow_codec_takes_the_high_band_away():
    samples = tone(6_000)
    changed = Codec("g711_alaw", 8_000, None).apply(samples, RATE_HZ)
    assert level_db(changed, samples) < -30


def test_base_has_no_sound_of_its_own():
    with pytest.raises(NotImplementedError):
        Transform().apply(tone(440), RATE_HZ)
