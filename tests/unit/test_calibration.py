import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from sklearn.linear_model import LogisticRegression

from glottis.calibration import ByBandwidth, ByDuration, Isotonic, Platt, cross_fit, from_json
from glottis.errors import BundleError, ConfigError, CorpusError
from glottis.metrics import calibration_loss, cllr, min_cllr

RNG = np.random.default_rng(8)
BONAFIDE, SPOOF = RNG.normal(3, 2, 400), RNG.normal(-1, 1.5, 900)
SECONDS_B, SECONDS_S = RNG.uniform(0.5, 60, 400), RNG.uniform(0.5, 60, 900)
FITTED = [
    Platt.fit(BONAFIDE, SPOOF),
    Isotonic.fit(BONAFIDE, SPOOF),
    ByDuration.fit(BONAFIDE, SPOOF, SECONDS_B, SECONDS_S),
    ByBandwidth.fit(BONAFIDE, SPOOF, 100 * SECONDS_B, 100 * SECONDS_S),
]

scores = npst.arrays(
    np.float64, st.integers(1, 30), elements=st.integers(-40, 40).map(lambda n: n / 8), fill=st.nothing()
)
quick = settings(max_examples=60, deadline=None)


def test_platt_agrees_with_scikit_learn():
    x = np.concatenate([BONAFIDE, SPOOF])[:, None]
    y = np.repeat([1, 0], [400, 900])
    theirs = LogisticRegression(C=1e12, class_weight="balanced", tol=1e-12, max_iter=1000).fit(x, y)
    ours = Platt.fit(BONAFIDE, SPOOF)
    assert (ours.scale, ours.offset) == pytest.approx((theirs.coef_[0, 0], theirs.intercept_[0]), rel=1e-6)


def test_platt_of_llrs_is_the_identity():
    # Normal classes at +-m / 2 with variance m are llrs already.
    rng = np.random.default_rng(0)
    fitted = Platt.fit(rng.normal(2, 2, 200_000), rng.normal(-2, 2, 200_000))
    assert (fitted.scale, fitted.offset) == pytest.approx((1, 0), abs=0.02)


@quick
@given(bonafide=scores, spoof=scores)
def test_platt_is_finite_and_increasing_whatever_the_scores(bonafide, spoof):
    fitted = Platt.fit(bonafide, spoof)
    assert fitted.scale > 0
    assert np.isfinite(fitted.apply(np.array([-10.0, 10.0]))).all()
    assert cllr(fitted.apply(bonafide), fitted.apply(spoof)) <= 1 + 1e-2


@pytest.mark.parametrize("fit", [Platt.fit, Isotonic.fit])
def test_no_weight_on_the_class_balance(fit):
    once = fit(BONAFIDE, SPOOF).apply(SPOOF)
    thrice = fit(BONAFIDE, np.tile(SPOOF, 3)).apply(SPOOF)
    assert thrice == pytest.approx(once, abs=1e-6 if fit == Platt.fit else 1.2)


def test_few_separated_trials_give_no_great_llrs():
    llrs = Platt.fit([5.0, 6.0], [-5.0, -6.0, -7.0]).apply([-7.0, 6.0])
    assert -3 < llrs[0] < 0 < llrs[1] < 3


@pytest.mark.parametrize(("bonafide", "spoof"), [([0, 1], [5, 6]), ([1, 1], [1, 1, 1]), ([0, 2, 4], [1, 3, 5])])
def test_scores_that_do_not_rank_get_llrs_near_nothing(bonafide, spoof):
    fitted = Platt.fit(bonafide, spoof)
    assert fitted.scale > 0
    assert fitted.apply(np.array([*bonafide, *spoof])) == pytest.approx(0, abs=0.05)


@quick
@given(bonafide=scores, spoof=scores)
def test_isotonic_is_finite_and_never_falls(bonafide, spoof):
    llrs = Isotonic.fit(bonafide, spoof).apply(np.linspace(-10, 10, 101))
    assert np.isfinite(llrs).all()
    assert (np.diff(llrs) >= 0).all()
    assert np.abs(llrs).max() <= np.log(max(bonafide.size, spoof.size) + 2) + 1


def test_isotonic_comes_near_the_least_cllr():
    fitted = Isotonic.fit(BONAFIDE, SPOOF)
    have = cllr(fitted.apply(BONAFIDE), fitted.apply(SPOOF))
    assert have == pytest.approx(min_cllr(BONAFIDE, SPOOF), abs=0.02)


def test_by_duration_learns_that_short_speech_says_less():
    rng = np.random.default_rng(4)

    def drawn(sign, n):
        seconds = np.exp(rng.uniform(np.log(1), np.log(100), n))
        strength = 1 + np.log(seconds)
        return sign * strength / 2 + rng.normal(0, np.sqrt(strength)), seconds

    (bonafide, seconds_b), (spoof, seconds_s) = drawn(1, 4000), drawn(-1, 4000)
    shuffled = rng.permutation(4000)
    scaled_b, scaled_s = bonafide / (1 + np.log(seconds_b)), spoof / (1 + np.log(seconds_s))
    fitted = ByDuration.fit(scaled_b, scaled_s, seconds_b, seconds_s)
    assert np.all(np.diff(fitted.scales) > 0)
    plain = Platt.fit(scaled_b, scaled_s)
    with_length = cllr(fitted.apply(scaled_b, seconds_b), fitted.apply(scaled_s, seconds_s))
    assert with_length < cllr(plain.apply(scaled_b), plain.apply(scaled_s)) - 0.005
    assert with_length < cllr(fitted.apply(scaled_b, seconds_b[shuffled]), fitted.apply(scaled_s, seconds_s))


@quick
@given(bonafide=scores, spoof=scores, seed=st.integers(0, 99))
def test_by_duration_is_finite_and_increasing_whatever_the_scores(bonafide, spoof, seed):
    rng = np.random.default_rng(seed)
    seconds_b, seconds_s = (rng.choice([0.0, 1.0, 4.0, 60.0], size=x.size) for x in (bonafide, spoof))
    fitted = ByDuration.fit(bonafide, spoof, seconds_b, seconds_s)
    for seconds in (0.0, 2.0, 3600.0):
        llrs = fitted.apply(np.array([-9.0, 0.0, 9.0]), seconds)
        assert np.isfinite(llrs).all()
        assert (np.diff(llrs) > 0).all()


def test_by_duration_with_one_length_is_platt():
    fitted = ByDuration.fit(BONAFIDE, SPOOF, np.full(400, 4.0), np.full(900, 4.0))
    plain = Platt.fit(BONAFIDE, SPOOF)
    assert fitted.scales == pytest.approx([plain.scale])
    assert fitted.apply(SPOOF, 9.0) == pytest.approx(plain.apply(SPOOF))


def test_by_duration_asks_for_the_seconds():
    with pytest.raises(ConfigError, match="seconds of speech"):
        FITTED[2].apply(1.0)
    with pytest.raises(ConfigError, match="finite"):
        FITTED[2].apply(1.0, np.nan)
    with pytest.raises(CorpusError, match="bonafide seconds"):
        ByDuration.fit(BONAFIDE, SPOOF, SECONDS_S, SECONDS_S)


@pytest.mark.parametrize("fitted", FITTED, ids=lambda fitted: fitted.kind)
def test_json_round_trip_is_exact(fitted):
    again = from_json(json.loads(json.dumps(fitted.to_json())))
    assert again == fitted
    assert np.array_equal(again.apply(SPOOF, SECONDS_S), fitted.apply(SPOOF, SECONDS_S))


@pytest.mark.parametrize("fitted", FITTED, ids=lambda fitted: fitted.kind)
def test_shapes_follow_the_scores(fitted):
    assert fitted.apply(1.0, 3.0).shape == ()
    assert fitted.apply([1.0, 2.0], 3.0).shape == (2,)
    assert fitted.apply([], []).shape == (0,)


@pytest.mark.parametrize(
    ("stored", "named"),
    [
        ({"kind": "magic"}, "magic"),
        ({}, "None"),
        ([], "list"),
        ({"kind": "platt", "scale": 1.0}, "offset"),
        ({"kind": "platt", "scale": -1.0, "offset": 0.0}, "scale"),
        ({"kind": "platt", "scale": float("nan"), "offset": 0.0}, "scale"),
        ({"kind": "platt", "scale": True, "offset": 0.0}, "scale"),
        ({"kind": "isotonic", "scores": [0, 1], "llrs": [0]}, "scores"),
        ({"kind": "isotonic", "scores": [], "llrs": []}, "scores"),
        ({"kind": "isotonic", "scores": [1, 0], "llrs": [0, 1]}, "scores"),
        ({"kind": "isotonic", "scores": [0, 1], "llrs": [1, 0]}, "llrs"),
        ({"kind": "isotonic", "scores": 3, "llrs": [1]}, "scores"),
        ({"kind": "isotonic", "scores": ["a"], "llrs": [1]}, "scores"),
        ({"kind": "by_duration", "knots_s": [0, 1], "scales": [1, 1], "offsets": [0, 0]}, "knots_s"),
        ({"kind": "by_duration", "knots_s": [1], "scales": [1, 1], "offsets": [0, 0]}, "knots_s"),
        ({"kind": "by_duration", "knots_s": [1, 2], "scales": [1, 1], "offsets": [0]}, "offsets"),
    ],
)
def test_bad_json_names_the_field(stored, named):
    with pytest.raises(BundleError, match=named):
        from_json(stored)


@pytest.mark.parametrize("prior", [0.0, 1.0, -1.0])
def test_prior_is_between_0_and_1(prior):
    with pytest.raises(ConfigError, match="prior"):
        Platt.fit(BONAFIDE, SPOOF, prior_bonafide=prior)


@pytest.mark.parametrize("fit", [Platt.fit, Isotonic.fit])
def test_fits_refuse_an_empty_class(fit):
    with pytest.raises(CorpusError, match="no spoof"):
        fit(BONAFIDE, [])


def trials():
    values = np.concatenate([BONAFIDE, SPOOF])
    return values, np.repeat(["bonafide", "spoof"], [400, 900]), np.array([f"s{i % 5}" for i in range(1300)])


def test_cross_fit_never_sees_the_group_it_calibrates():
    values, labels, groups = trials()
    seen = []

    def spy(bonafide, spoof):
        seen.append({*bonafide, *spoof})
        return Platt.fit(bonafide, spoof)

    llrs = cross_fit(values, labels, groups, spy)
    assert len(seen) == 5
    for name, known in zip(np.unique(groups), seen, strict=True):
        assert known == set(values[groups != name])
        others = groups != name
        want = Platt.fit(values[others & (labels == "bonafide")], values[others & (labels == "spoof")])
        assert np.array_equal(llrs[~others], want.apply(values[~others]))
    assert calibration_loss(llrs[:400], llrs[400:]) < 0.05


def test_cross_fit_by_duration():
    values, labels, groups = trials()
    seconds = np.concatenate([SECONDS_B, SECONDS_S])
    llrs = cross_fit(values, labels == "bonafide", groups, ByDuration.fit, fact=seconds)
    assert np.isfinite(llrs).all()


def test_cross_fit_names_the_group_that_alone_holds_a_class():
    with pytest.raises(CorpusError, match="'a' there is no spoof"):
        cross_fit([0.0, 1.0, 2.0], ["spoof", "bonafide", "bonafide"], ["a", "a", "b"], Platt.fit)


def test_by_bandwidth_learns_that_a_telephone_shifts_the_score():
    rng = np.random.default_rng(4)
    hz_b, hz_s = rng.choice([3_400.0, 7_900.0], 2_000), rng.choice([3_400.0, 7_900.0], 2_000)
    bonafide = rng.normal(2, 2, 2_000) - 3 * (hz_b < 5_000)
    spoof = rng.normal(-2, 2, 2_000) - 3 * (hz_s < 5_000)
    fitted, plain = ByBandwidth.fit(bonafide, spoof, hz_b, hz_s), Platt.fit(bonafide, spoof)
    assert fitted.apply([-3.0, 0.0], [3_400.0, 7_900.0]) == pytest.approx([0, 0], abs=0.2)
    assert cllr(fitted.apply(bonafide, hz_b), fitted.apply(spoof, hz_s)) < cllr(
        plain.apply(bonafide), plain.apply(spoof)
    )
