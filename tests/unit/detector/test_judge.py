from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glottis.bundle import open_bundle
from glottis.detector.judge import Facts, judge
from glottis.detector.model import Model
from glottis.detector.pipeline import Pipeline
from glottis.errors import BundleError
from glottis.testing import voice
from glottis.verdict import Decision, Notice, Segment

FACTS = Facts("call.wav", 16_000, "pcm_s16le", 8_000.0, 7.5, began=0.0)


@pytest.fixture(scope="session")
def model_of(bundle_of):
    def make(score, **changes):
        return Model(open_bundle(bundle_of({"score": (0, score)}, **changes)))

    return make


def verdict_of(model, samples, facts=FACTS, prior=None):
    pipeline = Pipeline(model)
    pipeline.push(samples)
    pipeline.finish()
    return judge(model, pipeline, facts, prior)


def codes(verdict):
    return [reason.code for reason in verdict.reasons]


@pytest.mark.parametrize(("score", "decision"), [(5, "bonafide"), (0, "inconclusive"), (-5, "spoof")])
def test_the_decision_follows_the_score(model_of, talk, score, decision):
    verdict = verdict_of(model_of(score), talk)
    assert (verdict.verdict, verdict.score, verdict.llr) == (decision, score, score)
    assert verdict.reasons == ()
    assert verdict.p_spoof == pytest.approx(1 / (1 + np.exp(score)))


def test_all_facts_are_handed_on(model_of, talk):
    warning = Notice("damaged", "a packet is broken", 1.0)
    facts = Facts("a", 8_000, "mp3", 3_400.0, 9.0, began=0.0, channel=1, complete=False, warnings=(warning,))
    verdict = verdict_of(model_of(-5), talk, facts)
    for name in ("source", "sample_rate_hz", "codec", "bandwidth_hz", "duration_s", "channel", "complete", "warnings"):
        assert getattr(verdict, name) == getattr(facts, name)
    assert verdict.elapsed_s > 0
    assert verdict.bundle.name == "formula"


def test_the_users_prior_moves_thresholds_and_probability(model_of, talk):
    usual, wary = (verdict_of(model_of(2), talk, prior=prior) for prior in (None, 0.9))
    assert (usual.prior_spoof, wary.prior_spoof) == (0.5, 0.9)
    assert (usual.verdict, wary.verdict) == (Decision.BONAFIDE, Decision.INCONCLUSIVE)
    assert wary.thresholds["spoof"] > usual.thresholds["spoof"]
    assert wary.p_spoof > usual.p_spoof


def test_too_little_speech_is_no_speech(model_of):
    verdict = verdict_of(model_of(5), np.zeros(40_000, np.float32))
    assert (verdict.verdict, verdict.score, verdict.llr, verdict.p_spoof) == (Decision.NO_SPEECH, None, None, None)
    assert codes(verdict) == ["no_speech"]
    assert verdict.analysed_s == 0


def test_speech_in_windows_but_less_than_the_bundle_wants(model_of, talk):
    verdict = verdict_of(model_of(-5, min_speech_s=60.0), talk)
    assert (verdict.verdict, verdict.score, verdict.spoof_segments) == (Decision.NO_SPEECH, None, ())
    assert verdict.reasons[0].value == pytest.approx(verdict.speech_s, abs=1e-3)


def test_not_calibrated_is_not_decided(model_of, talk):
    verdict = verdict_of(model_of(5, calibration=None), talk)
    assert (verdict.verdict, verdict.score, verdict.llr, verdict.p_spoof) == (Decision.INCONCLUSIVE, 5, None, None)
    assert verdict.thresholds is None
    assert codes(verdict) == ["uncalibrated"]
    assert verdict.spoof_segments == ()


@pytest.mark.parametrize(
    ("score", "decision"), [(5, Decision.INCONCLUSIVE), (0, Decision.INCONCLUSIVE), (-5, Decision.SPOOF)]
)
def test_what_was_not_analysed_is_never_bonafide(model_of, talk, score, decision):
    verdict = verdict_of(model_of(score), talk, replace(FACTS, complete=False))
    assert verdict.verdict is decision
    assert codes(verdict) == ["incomplete"]


def test_little_speech_and_a_narrow_band_are_said(model_of):
    verdict = verdict_of(model_of(5), voice(1.0), replace(FACTS, bandwidth_hz=3_400.0))
    short, narrow = verdict.reasons
    assert (short.code, short.value) == ("short", pytest.approx(verdict.speech_s, abs=1e-3))
    assert (narrow.code, narrow.value, narrow.text) == ("narrow_band", 3_400.0, "nothing above 3.4 kHz")
    assert verdict.verdict is Decision.BONAFIDE


def test_calibration_knows_the_seconds_of_speech(model_of, talk):
    by_duration = {"kind": "by_duration", "knots_s": [0.5, 50.0], "scales": [1.0, 1.0], "offsets": [0.0, 10.0]}
    verdict = verdict_of(model_of(1, calibration={"recording": by_duration, "window": by_duration}), talk)
    llrs = [window.llr for window in verdict.windows if window.llr is not None]
    assert verdict.llr > max(llrs) > 1


def test_calibration_knows_the_bandwidth_of_a_recording_and_not_of_a_window(model_of, talk):
    by_bandwidth = {"kind": "by_bandwidth", "knots_hz": [3_400.0, 7_900.0], "scales": [1.0, 1.0], "offsets": [0.0, 9.0]}
    platt = {"kind": "platt", "scale": 1.0, "offset": 0.0}
    model = model_of(1, calibration={"recording": by_bandwidth, "window": platt})
    narrow, wide, unknown = (
        verdict_of(model, talk, replace(FACTS, bandwidth_hz=hz)).llr for hz in (3_400.0, 7_900.0, None)
    )
    assert (wide - narrow, unknown) == (pytest.approx(9), wide)
    with pytest.raises(BundleError, match="window needs bandwidth_hz"):
        model_of(1, calibration={"recording": by_bandwidth, "window": by_bandwidth})


def test_segments_and_analysed_seconds(model_of, talk):
    silence = np.zeros(32_000, np.float32)
    verdict = verdict_of(model_of(-5), np.concatenate([voice(2), silence, voice(2)]))
    spoken = [window for window in verdict.windows if window.score is not None]
    assert verdict.analysed_s == len(spoken)
    assert [segment.llr for segment in verdict.spoof_segments] == [-5] * len(verdict.spoof_segments)
    assert sum(segment.end_s - segment.start_s for segment in verdict.spoof_segments) == len(spoken)
    whole = verdict_of(model_of(-5), talk)
    assert whole.analysed_s <= 7.5
    assert whole.spoof_segments[-1].end_s <= 7.5


def test_overlaps_are_analysed_once(model_of):
    samples = voice(2.3)
    verdict = verdict_of(model_of(-5, hop_samples=3_000), samples)
    assert verdict.analysed_s == pytest.approx(2.3)
    assert verdict.spoof_segments == (Segment(0.0, 2.3, -5.0),)


def test_the_aggregate_is_the_bundles(bundle_of, talk):
    outputs = {"score": (-40, 4)}
    mean, first, lowest = (
        verdict_of(Model(open_bundle(bundle_of(outputs, aggregate=how))), talk)
        for how in ({"kind": "mean"}, {"kind": "first"}, {"kind": "softmin", "temperature": 1e-3})
    )
    scores = [window.score for window in mean.windows if window.score is not None]
    assert mean.score == pytest.approx(np.mean(scores))
    assert first.score == scores[0]
    assert lowest.score == pytest.approx(min(scores), abs=1e-2)


@pytest.mark.parametrize(("loud_s", "decision"), [(2, "bonafide"), (60, "no_speech")])
def test_a_little_speech_in_much_that_only_sounds_like_it_is_no_speech(bundle_of, loud_s, decision):
    """The model hears none in loud windows; the meter of frames hears speech everywhere."""
    model = Model(open_bundle(bundle_of({"score": (0, 5), "speech": (-3.9, 0.95)})))
    quiet = np.clip(voice(6), -0.04, 0.04)
    verdict = verdict_of(model, np.concatenate([quiet, np.tanh(20 * voice(loud_s))]))
    assert verdict.verdict == decision
    assert verdict.speech_s > 1
