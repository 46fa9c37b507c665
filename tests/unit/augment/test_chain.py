import numpy as np
import pytest

from glottis.augment import DRAWS, TRANSFORMS, Chain, Gain, apply, from_json, to_json
from glottis.errors import RecipeError


def always(**settings):
    return Chain.from_dict({**dict.fromkeys(TRANSFORMS, 1.0), **settings})


def test_certain_chain_draws_every_kind_in_the_order_of_the_registry():
    drawn = always(recode=0.0).draw(np.random.default_rng(0))
    assert [transform.kind for transform in drawn] == list(TRANSFORMS)
    assert list(DRAWS) == list(TRANSFORMS)


def test_recode_adds_a_second_codec():
    drawn = always(recode=1.0).draw(np.random.default_rng(0))
    assert [transform.kind for transform in drawn][-2:] == ["codec", "codec"]


def test_never_draws_nothing_and_copies():
    samples = np.ones(5, dtype=np.float32)
    drawn = Chain.never().draw(np.random.default_rng(0))
    assert drawn == ()
    changed = apply(drawn, samples, 16_000)
    assert changed is not samples
    np.testing.assert_array_equal(changed, samples)


def test_kinds_come_as_often_as_asked():
    chain = Chain.from_dict({"noise": 0.25, "codec": 0.5, "recode": 0.5})
    rng = np.random.default_rng(0)
    kinds = [[transform.kind for transform in chain.draw(rng)] for _ in range(2_000)]
    assert np.mean(["noise" in drawn for drawn in kinds]) == pytest.approx(0.25, abs=0.04)
    assert np.mean(["codec" in drawn for drawn in kinds]) == pytest.approx(0.5, abs=0.04)
    assert np.mean([drawn.count("codec") == 2 for drawn in kinds]) == pytest.approx(0.25, abs=0.04)


def test_ranges_and_codecs_are_kept():
    chain = always(gain_db=[-3, -2], noise_snr_db=[10, 11], codecs=["g722"], room_longest_rt60_s=0.2)
    rng = np.random.default_rng(0)
    for _ in range(50):
        by_kind = {transform.kind: transform for transform in chain.draw(rng)}
        assert -3 <= by_kind["gain"].gain_db <= -2
        assert 10 <= by_kind["noise"].snr_db <= 11
        assert by_kind["room"].rt60_s <= 0.2
        assert by_kind["codec"].name == "g722"


def test_settings_survive_a_dict():
    chain = Chain.from_dict({"noise": 0.1, "codecs": ["mp3", "aac"]})
    assert Chain.from_dict(chain.to_dict()) == chain


def test_unknown_key_is_refused_by_name():
    with pytest.raises(RecipeError, match=r"augment\.nosie") as caught:
        Chain.from_dict({"nosie": 0.1})
    assert caught.value.code == "unknown_key"
    assert "noise" in caught.value.hint


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("noise", 1.5),
        ("noise", -0.1),
        ("noise", "often"),
        ("noise", True),
        ("noise", float("nan")),
        ("recode", 2),
        ("gain_db", [3, -3]),
        ("gain_db", [1]),
        ("gain_db", 4),
        ("noise_snr_db", ["a", "b"]),
        ("room_longest_rt60_s", 0.0),
        ("equaliser_deviation_db", -1.0),
        ("codecs", []),
        ("codecs", ["flac"]),
        ("codecs", "mp3"),
        ("codecs", [["mp3"]]),
        ("gain_db", [0.0, float("inf")]),
    ],
)
def test_impossible_values_are_refused(key, value):
    with pytest.raises(RecipeError, match=key) as caught:
        Chain.from_dict({key: value})
    assert caught.value.code == "impossible_value"


def test_unknown_kind_is_refused():
    with pytest.raises(RecipeError, match="'echo'"):
        from_json([{"kind": "echo"}])
    with pytest.raises(RecipeError, match="None"):
        from_json([{}])
    with pytest.raises(RecipeError):
        from_json([{"kind": ["gain"]}])


def test_json_names_the_kind():
    assert to_json([Gain(gain_db=-6.0)]) == [{"kind": "gain", "gain_db": -6.0}]
