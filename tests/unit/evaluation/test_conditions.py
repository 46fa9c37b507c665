"""The conditions: all apply to any clip, the same for a trial in every run, blind to its label but for attacks."""

import numpy as np
import pytest

from glottis.audio.source import MIN_RATE_HZ
from glottis.errors import ConfigError
from glottis.evaluation.conditions import CLEAN, all_conditions, attacks, chosen
from glottis.testing import noise, voice

CONDITIONS = all_conditions()


def test_names_are_unique_and_fit_for_files():
    every = [*CONDITIONS, *attacks(lambda samples, *_: samples)]
    names = [one.name for one in every]
    assert len(set(names)) == len(names)
    assert not set("".join(names)) & set('/\\: %<>|"*?')


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda one: one.name)
def test_a_clip_is_altered_in_the_same_way_every_time(condition):
    samples = np.pad(voice(5.0, seed=1), 8_000) + noise(6.0, level=0.0002)
    first, rate = condition.apply(samples, 16_000, "some.wav", bonafide=True)
    again, _ = condition.apply(samples, 16_000, "some.wav", bonafide=False)
    np.testing.assert_array_equal(first, again)
    assert rate >= MIN_RATE_HZ
    assert np.isfinite(first).all()
    assert 3.0 < first.size / rate < 8.0
    assert (condition.family == CLEAN) == (first.size == samples.size and np.array_equal(first, samples))


def test_trials_meet_different_noise():
    condition = next(one for one in CONDITIONS if one.family == "white noise")
    samples = voice(1.0)
    first, second = (condition.apply(samples, 16_000, name, bonafide=True)[0] for name in ("a", "b"))
    assert not np.array_equal(first, second)


def test_the_wanted_ratio_of_signal_to_noise():
    samples = noise(2.0)
    for condition in CONDITIONS:
        if "noise" in condition.family:
            changed, _ = condition.apply(samples, 16_000, "a", bonafide=True)
            ratio = 20 * np.log10(samples.std() / (changed - samples).std())
            assert ratio == pytest.approx(-condition.at, abs=0.1)


def test_within_a_family_strengths_grow():
    families = {}
    for one in CONDITIONS:
        families.setdefault(one.family, []).append(one.at)
    for strengths in families.values():
        if strengths[0] is not None:
            assert strengths == sorted(strengths)


def test_families_are_chosen_by_name_and_the_clean_one_always():
    assert {one.family for one in chosen(CONDITIONS, "room, mp3")} == {CLEAN, "room", "mp3"}
    assert chosen(CONDITIONS, "") == CONDITIONS
    with pytest.raises(ConfigError, match="unknown family 'rom'"):
        chosen(CONDITIONS, "rom")
