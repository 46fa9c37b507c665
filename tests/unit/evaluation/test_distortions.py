"""What befalls a recording: what must change does, and nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glottis.evaluation import distortions as made
from glottis.testing import noise, tone, voice

RATE = 16_000
CHANGES = {
    "packets": lambda x, rng: made.lose_packets(x, RATE, rng, share=0.2),
    "speed": lambda x, rng: made.change_speed(x, RATE, rng, factor=1.25),
    "silence": lambda x, rng: made.cut_silence(x, RATE, rng, inside=True),
    "overdrive": lambda x, rng: made.overdrive(x, RATE, rng, over_db=6.0),
    "denoise": lambda x, rng: made.denoise(x, RATE, rng, strength=1.5, floor_db=-12.0),
    "level_out": lambda x, rng: made.level_out(x, RATE, rng, ratio=3.0),
    "replay": lambda x, rng: made.replay(x, RATE, rng, drr_db=3.0, snr_db=28.0),
}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("name", CHANGES)
@given(count=st.integers(1, 5000), seed=st.integers(0, 5), level=st.sampled_from([0.0, 1e-5, 0.3, 2.0]))
def test_any_samples_stay_finite_and_are_not_written_to(name, count, seed, level):
    samples = noise(count / RATE, seed=seed, level=level)[:count]
    before = samples.copy()
    changed = CHANGES[name](samples, np.random.default_rng(seed))
    assert changed.dtype == np.float32
    assert np.isfinite(changed).all()
    np.testing.assert_array_equal(samples, before)
    np.testing.assert_array_equal(changed, CHANGES[name](samples, np.random.default_rng(seed)))


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3])
def test_the_wanted_share_of_packets_is_lost(rng, share):
    samples = noise(400.0)
    changed = made.lose_packets(samples, RATE, rng, share=share)
    lost = (changed.reshape(-1, 320) != samples.reshape(-1, 320)).any(axis=1)
    assert lost.mean() == pytest.approx(share, rel=0.15)
    bursts = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], lost, [0]]))))[::2]
    assert bursts.mean() == pytest.approx(2.0, rel=0.15)


def test_a_lost_packet_is_the_last_one_at_half_the_level(rng):
    samples = noise(2.0)
    changed = made.lose_packets(samples, RATE, rng, share=0.3).reshape(-1, 320)
    first = np.flatnonzero((changed != samples.reshape(-1, 320)).any(axis=1))[0]
    np.testing.assert_array_equal(changed[first], 0.5 * changed[first - 1])


def test_faster_is_shorter_and_higher(rng):
    changed = made.change_speed(tone(1000, 1.0), RATE, rng, factor=1.25)
    assert changed.size == 12_800
    assert np.argmax(np.abs(np.fft.rfft(changed))) * RATE / changed.size == pytest.approx(1250, abs=2)


def test_silence_at_the_ends_goes_and_pauses_become_short(rng):
    word, quiet = noise(0.5), np.zeros(8000, np.float32)
    samples = np.concatenate([quiet, word, quiet, word, quiet])
    assert made.cut_silence(samples, RATE, rng, inside=False).size == 3 * 8000
    assert made.cut_silence(samples, RATE, rng, inside=True).size == 2 * 8000 + 2 * 2 * 320


def test_clipping_cuts_at_full_scale(rng):
    changed = made.overdrive(tone(440, 1.0, level=0.1), RATE, rng, over_db=6.0)
    assert np.abs(changed).max() == 1.0
    assert (np.abs(changed) == 1.0).mean() == pytest.approx(2 / 3, abs=0.01)


def test_noise_reduction_takes_the_noise_and_leaves_the_tone(rng):
    quiet = noise(3.0, level=0.01)
    sound = tone(1000, 1.0)
    samples = quiet.copy()
    samples[16_000:32_000] += sound
    changed = made.denoise(samples, RATE, rng, strength=4.0, floor_db=-30.0)
    assert changed[:12_000].std() < 0.4 * quiet[:12_000].std()
    assert changed[18_000:30_000].std() == pytest.approx(sound[2000:14_000].std(), rel=0.05)


def test_levelling_brings_loud_and_soft_nearer(rng):
    samples = np.concatenate([noise(1.0, level=0.2), noise(1.0, level=0.02)])
    changed = made.level_out(samples, RATE, rng, ratio=2.0)
    before, after = (part[:14_000].std() / part[18_000:].std() for part in (samples, changed))
    assert 20 * np.log10(after) == pytest.approx(0.5 * 20 * np.log10(before), abs=0.5)


def test_a_replay_has_no_bass_and_is_heard_in_a_room(rng):
    samples = voice(2.0, seed=3) + tone(80, 2.0, level=0.2)
    changed = made.replay(samples, RATE, rng, drr_db=0.0, snr_db=60.0)
    spectra = [np.abs(np.fft.rfft(one))[155:166].max() for one in (samples, changed)]
    assert spectra[1] < 0.05 * spectra[0]
