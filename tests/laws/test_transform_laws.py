"""What holds for every transform, whatever was drawn."""

import json

import numpy as np
import pytest

from glottis.augment import DRAWS, FORMATS, TRANSFORMS, BandLimit, Chain, Codec, Noise, apply, from_json, to_json
from glottis.errors import RecipeError

SIZES = (1, 2, 159, 4_801, 16_000)
SEEDS = range(3)
CASES = [(kind, seed) for kind in DRAWS for seed in SEEDS]


def voice_like(count, sample_rate_hz=16_000, seed=1):
    time_s = np.arange(count) / sample_rate_hz
    turns = 120 * time_s + 6 * np.sin(2 * np.pi * time_s)  # the pitch glides, so that only one lag fits
    tone = sum(np.sin(2 * np.pi * k * turns + k) / k for k in range(1, 20))
    hiss = 0.1 * np.random.default_rng(seed).standard_normal(count)
    return (0.1 * (tone + hiss) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time_s))).astype(np.float32)


def drawn(kind, seed):
    return DRAWS[kind](np.random.default_rng(seed))


def test_registries_name_the_same_transforms():
    assert DRAWS.keys() == TRANSFORMS.keys()
    assert all(type(drawn(kind, 0)) is TRANSFORMS[kind] for kind in DRAWS)
    assert all(transform.kind == kind for kind, transform in TRANSFORMS.items())


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_same_seed_same_parameters_same_bytes(kind, seed):
    samples = voice_like(4_801)
    first, second = drawn(kind, seed), drawn(kind, seed)
    assert first == second
    assert first.apply(samples, 16_000).tobytes() == second.apply(samples, 16_000).tobytes()


@pytest.mark.parametrize("kind", DRAWS)
def test_other_seeds_draw_other_parameters(kind):
    assert len({drawn(kind, seed) for seed in range(20)}) > 1


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_input_is_untouched(kind, seed):
    samples = voice_like(4_801)
    before = samples.copy()
    samples.flags.writeable = False
    changed = drawn(kind, seed).apply(samples, 16_000)
    assert not np.shares_memory(changed, samples)
    np.testing.assert_array_equal(samples, before)


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("kind", DRAWS)
def test_length_type_and_finiteness_are_kept(kind, count):
    changed = drawn(kind, 0).apply(voice_like(count), 16_000)
    assert changed.shape == (count,)
    assert changed.dtype == np.float32
    assert np.isfinite(changed).all()


@pytest.mark.parametrize("sample_rate_hz", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("kind", DRAWS)
def test_any_rate_is_taken(kind, sample_rate_hz):
    changed = drawn(kind, 1).apply(voice_like(5_003, sample_rate_hz), sample_rate_hz)
    assert changed.shape == (5_003,)
    assert np.isfinite(changed).all()


@pytest.mark.parametrize("kind", DRAWS)
def test_no_samples_stay_no_samples(kind):
    assert drawn(kind, 0).apply(np.zeros(0, dtype=np.float32), 16_000).shape == (0,)


@pytest.mark.parametrize("kind", DRAWS)
def test_silence_stays_finite_and_nearly_silent(kind):
    changed = drawn(kind, 0).apply(np.zeros(4_801, dtype=np.float32), 16_000)
    assert np.abs(changed).max() < 0.01


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_parameters_survive_json(kind, seed):
    transform = drawn(kind, seed)
    (back,) = from_json(json.loads(json.dumps(to_json([transform]), allow_nan=False)))
    assert back == transform
    samples = voice_like(2_000)
    np.testing.assert_array_equal(back.apply(samples, 16_000), transform.apply(samples, 16_000))


@pytest.mark.parametrize("kind", TRANSFORMS)
def test_unknown_and_missing_parameters_are_refused(kind):
    parameters = drawn(kind, 0).to_json()
    with pytest.raises(RecipeError, match="parameters"):
        from_json([{**parameters, "surprise": 1}])
    with pytest.raises(RecipeError, match="parameters"):
        from_json([{"kind": kind}])


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 12.5, 40.0])
def test_ratio_of_signal_to_noise_is_the_drawn_one(slope, snr_db):
    samples = voice_like(16_001)
    added = Noise(slope=slope, snr_db=snr_db, seed=3).apply(samples, 16_000).astype(np.float64) - samples
    measured_db = 10 * np.log10(np.mean(samples.astype(np.float64) ** 2) / np.mean(added**2))
    assert measured_db == pytest.approx(snr_db, abs=0.1)


EVERY_CODEC = [
    Codec(name, rate_hz, bit_rate)
    for name, form in FORMATS.items()
    for rate_hz in form.rates_hz
    for bit_rate in (form.bit_rates or (None,))
]


@pytest.mark.parametrize("codec", EVERY_CODEC, ids=lambda codec: f"{codec.name}-{codec.codec_rate_hz}-{codec.bit_rate}")
def test_every_codec_gives_back_an_aligned_signal(codec):
    # in the band that all keep: a high-pass, as AMR has one, turns the phase of a voice's fundamental
    samples, changed = (
        BandLimit(low_hz=300.0, high_hz=3_300.0).apply(clip, 16_000)
        for clip in (voice_like(16_000), codec.apply(voice_like(16_000), 16_000))
    )
    size = 1 << 15
    match = np.fft.irfft(np.fft.rfft(changed, size) * np.conj(np.fft.rfft(samples, size)), size)
    lag = (int(np.argmax(match)) + size // 2) % size - size // 2
    assert abs(lag) <= 2
    assert np.corrcoef(samples, changed)[0, 1] > 0.6


def test_a_chain_is_its_transforms_one_after_another():
    samples = voice_like(4_000)
    transforms = Chain.from_dict(dict.fromkeys(TRANSFORMS, 1.0)).draw(np.random.default_rng(5))
    step = samples
    for transform in transforms:
        step = transform.apply(step, 16_000)
    np.testing.assert_array_equal(apply(transforms, samples, 16_000), step)
