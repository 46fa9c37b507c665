"""An ensemble judges by the fusion of what its members say alone, whatever their windows."""

from __future__ import annotations

import threading
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from glottis import BundleError, Detector
from glottis.audio import PCM
from glottis.bundle import open_bundle, write_ensemble
from glottis.detector.model import Model
from glottis.detector.pipeline import Pipeline
from glottis.testing import tiny_bundle, voice

WEIGHTS, OFFSET = (0.5, 2.0), -1.0
IDENTITY = {"kind": "platt", "scale": 1.0, "offset": 0.0}
CALIBRATION = {"recording": {"kind": "platt", "scale": 2.0, "offset": 3.0}, "window": IDENTITY}


@pytest.fixture(scope="module")
def join(tmp_path_factory):
    """Write an ensemble of bundles, and give its path."""

    def write(paths, weights=WEIGHTS, offset=OFFSET, **changes):
        bundles = [open_bundle(path) for path in paths]
        decision = bundles[0].manifest.to_dict()["decision"]
        fields = {"name": "both", "version": "1", "calibration": CALIBRATION, "decision": decision, **changes}
        return write_ensemble(tmp_path_factory.mktemp("ensemble"), bundles, weights, offset, fields)

    return write


@pytest.fixture(scope="module")
def members(tmp_path_factory, bundle_of):
    """Of three kinds of windows; the second hears the level, not the treble; the third takes the first window alone."""
    folder = tmp_path_factory.mktemp("members")
    tiny = tiny_bundle(folder / "tiny", window_samples=9_000, hop_samples=7_001, calibrated=False)
    level = bundle_of({"score": (-20, 3)})
    first = tiny_bundle(folder / "first", window_samples=20_000, aggregate={"kind": "first"}, min_speech_s=0)
    return tiny, level, first


def alike(bundle_of, *outputs):
    return [bundle_of(one) for one in outputs]


@pytest.mark.parametrize("seconds", [0.9, 1.0, 2.77, 7.5])
@pytest.mark.parametrize("which", [(0, 1), (1, 0), (1, 2), (2, 0)])
def test_its_score_is_the_fusion_of_its_members_scores(join, members, which, seconds):
    paths = [members[i] for i in which]
    recording = PCM(voice(seconds, seed=5), 16_000)
    alone = [Detector(path).scan(recording) for path in paths]
    verdict = Detector(join(paths)).scan(recording)
    scores = [one.score for one in alone]
    assert None not in scores
    assert verdict.score == pytest.approx(WEIGHTS[0] * scores[0] + WEIGHTS[1] * scores[1] + OFFSET)
    assert verdict.llr == pytest.approx(2 * verdict.score + 3)
    assert verdict.speech_s == alone[0].speech_s
    assert [(w.start_s, w.end_s, w.speech) for w in verdict.windows] == [
        (w.start_s, w.end_s, w.speech) for w in alone[0].windows
    ]


def test_where_members_cut_alike_a_windows_score_is_the_fusion_of_theirs(join, bundle_of, talk):
    paths = alike(bundle_of, {"score": (-20, 3)}, {"score": (30, 1)})
    one, other, both = (Detector(path).scan(PCM(talk, 16_000)).windows for path in (*paths, join(paths)))
    for first, second, fused in zip(one, other, both, strict=True):
        wanted = None if first.score is None else WEIGHTS[0] * first.score + WEIGHTS[1] * second.score + OFFSET
        assert fused.score == (wanted if wanted is None else pytest.approx(wanted))
        assert fused.llr == fused.score


def test_elsewhere_a_member_adds_its_window_nearest_in_time(join, members, talk):
    lead, other, both = (
        Detector(path).scan(PCM(talk, 16_000)).windows for path in (members[0], members[2], join(members[::2]))
    )
    assert len(lead) > len(other) > 2
    for first, fused in zip(lead, both, strict=True):
        middle = (first.start_s + first.end_s) / 2
        near = min(other, key=lambda one: abs((one.start_s + one.end_s) / 2 - middle))
        if first.score is None:
            assert fused.score is None
        else:
            assert fused.score == pytest.approx(WEIGHTS[0] * first.score + WEIGHTS[1] * near.score + OFFSET)


def test_a_window_is_given_as_soon_as_no_nearer_one_can_come(join, members, talk):
    """The first of 9,000 samples has its middle before that of the other member's first, of 20,000."""
    pipeline = Pipeline(Model(open_bundle(join(members[::2]))))
    assert pipeline.push(talk[:19_999]) == []
    assert [window.end_s for window in pipeline.push(talk[19_999:20_000])] == [9_000 / 16_000]


def test_a_calibration_of_the_ensembles_own_decides(join, bundle_of, talk):
    paths = alike(bundle_of, {"score": (0, 2)}, {"score": (0, 2)})
    for offset, verdict in ((-10.0, "spoof"), (0.0, "bonafide")):
        assert Detector(join(paths, offset=offset)).scan(PCM(talk, 16_000)).verdict == verdict
    uncalibrated = Detector(join(paths, calibration=None)).scan(PCM(talk, 16_000))
    assert (uncalibrated.verdict, uncalibrated.llr) == ("inconclusive", None)


def test_a_member_that_hears_no_speech_is_heeded(join, bundle_of, talk):
    """Of two members the second tells speech, and hears none."""
    deaf, usual = alike(bundle_of, {"score": (0, 2), "speech": (0, 0.1)}, {"score": (0, 2)})
    for paths in ((deaf, usual), (usual, deaf)):
        verdict = Detector(join(paths)).scan(PCM(talk, 16_000))
        assert (verdict.verdict, verdict.score) == ("no_speech", None)
        assert verdict.analysed_s == 0
        assert verdict.spoof_segments == ()


def test_where_no_window_is_scored_by_all_there_is_no_score(join, bundle_of):
    """The first takes what is loud for music, the second what is quiet: each has its own speech, none in common."""
    loud_is_music, quiet_is_music = alike(
        bundle_of, {"score": (0, 2), "speech": (-2.5, 0.6)}, {"score": (0, 2), "speech": (2.5, 0.4)}
    )
    samples = np.concatenate([np.clip(voice(8), -0.04, 0.04), np.tanh(20 * voice(4))])
    alone = [Detector(path).scan(PCM(samples, 16_000)).windows for path in (loud_is_music, quiet_is_music)]
    assert all(any(window.score is not None for window in windows) for windows in alone)
    verdict = Detector(join([loud_is_music, quiet_is_music])).scan(PCM(samples, 16_000))
    assert (verdict.verdict, verdict.analysed_s) == ("no_speech", 0)


def test_silence_is_no_speech(join, members):
    verdict = Detector(join(members[:2])).scan(PCM(np.zeros(40_000, np.float32), 16_000))
    assert (verdict.verdict, verdict.score) == ("no_speech", None)


def test_memory_does_not_grow_with_the_recording(join, members, talk):
    """Ten minutes, 38 MB of samples; what stays are the time lines and the marks of speech."""
    pipeline = Pipeline(Model(open_bundle(join([members[1], members[2]]))))
    pipeline.push(talk)
    tracemalloc.start()
    for _ in range(80):
        pipeline.push(talk)
    pipeline.finish()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(pipeline.windows) > 600
    assert peak < 5e6


def test_members_share_the_threads(join, bundle_of, talk, monkeypatch):
    detector = Detector(join(alike(bundle_of, {"score": (-20, 3)}, {"score": (30, 1)})), threads=3)
    at_work, most, asked, lock = 0, 0, set(), threading.Lock()

    def counted(score, name):
        def count(window):
            nonlocal at_work, most
            with lock:
                at_work += 1
                most = max(most, at_work)
                asked.add(name)
            threading.Event().wait(0.003)
            with lock:
                at_work -= 1
            return score(window)

        return count

    for name, member in enumerate(detector._open().members):
        monkeypatch.setattr(member.session, "score", counted(member.session.score, name))
    detector.scan(PCM(np.tile(talk, 2), 16_000))
    assert (most, asked) == (3, {0, 1})


def test_of_a_member_that_is_broken_the_name_is_said(join, members):
    folder = join(members[:2])
    (folder / "members" / "formula" / "model.onnx").write_bytes(b"no model")
    with pytest.raises(BundleError, match=r"members/formula/model\.onnx is not the file"):
        Detector(folder)


def test_a_model_that_cannot_be_loaded_is_named(members, join, tmp_path):
    from glottis.bundle import copy_bundle

    broken = copy_bundle(open_bundle(members[1]), tmp_path / "broken", files={"model.onnx": b"no model"})
    with pytest.raises(BundleError, match=r"members/formula: the model cannot be loaded"):
        Detector(join([members[0], broken]))


def test_a_copy_keeps_its_members(join, members, tmp_path):
    from glottis.bundle import copy_bundle

    whole = open_bundle(join(members[:2]))
    copy = open_bundle(copy_bundle(whole, tmp_path / "copy", changes={"calibration": None}))
    recording = PCM(voice(2.0, seed=5), 16_000)
    before, after = (Detector(one.path).scan(recording) for one in (whole, copy))
    assert (after.score, after.llr) == (before.score, None)
    assert [replace(w, llr=None) for w in before.windows] == list(after.windows)
