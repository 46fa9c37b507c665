"""A recording in, an explanation out, with a bundle to which treble is spoof."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from glottis.audio import PCM
from glottis.bundle import open_bundle, write_ensemble
from glottis.detector import Detector
from glottis.errors import ConfigError, InputError
from glottis.explain import Settings, explain
from glottis.testing import noise, tiny_bundle, voice, write_wav
from tolerances import CLOSED_FORM

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    return Detector(tiny_bundle(tmp_path_factory.mktemp("bundle") / "b", window_samples=32_000, hop_samples=32_000))


@pytest.fixture(scope="module")
def found(detector, with_beep):
    return explain(PCM(with_beep, RATE_HZ), detector, settings=Settings(windows=2))


def test_the_beep_is_found_in_its_window(found):
    window = found.windows[1]
    strongest = min(window.cells, key=lambda cell: cell.effect)
    assert (strongest.start_s, strongest.low_hz, strongest.high_hz) == (2.4, 5000, 6000)
    assert strongest.end_s == pytest.approx(2.8)
    assert strongest.marked
    assert strongest.effect_llr < -0.3


def test_an_identity_calibration_gives_llrs_that_are_scores(found):
    for cell in found.windows[0].cells:
        assert cell.effect_llr == pytest.approx(cell.effect_score, abs=CLOSED_FORM)


def test_cells_stand_by_band_and_then_by_time(found):
    window = found.windows[1]
    assert window.shape == (8, 5)
    assert len(window.cells) == 40
    assert [cell.start_s for cell in window.cells[:5]] == pytest.approx([2.0, 2.4, 2.8, 3.2, 3.6])
    assert {cell.low_hz for cell in window.cells[:5]} == {0}
    assert sum(cell.marked for cell in window.cells) == window.check.cells == 4


def test_the_json_has_what_is_promised(found):
    have = json.loads(found.to_json())
    assert have["schema"] == 1
    assert have["method"] == "occlusion"
    assert have["fill"] == "background"
    assert have["verdict"]["windows"][0]["score"] == found.verdict.windows[0].score
    first = have["windows"][0]
    assert set(first["cells"][0]) == {
        *("start_s", "end_s", "low_hz", "high_hz", "effect_score", "effect_llr", "marked"),
    }
    assert first["bands"] * first["columns"] == len(first["cells"])
    assert first["check"]["random_mean"] == pytest.approx(np.mean(first["check"]["random_moves"]))
    assert "samples" not in first


def test_files_and_samples_and_threads_say_the_same(detector, with_beep, tmp_path):
    path = write_wav(tmp_path / "beep.wav", with_beep / 2)
    from_path, from_bytes = explain(path, detector), explain(path.read_bytes(), detector)
    threaded = explain(str(path), Detector(detector.bundle.path, threads=2))
    assert from_path.windows == from_bytes.windows == threaded.windows


def test_without_a_calibration_effects_are_scores(tmp_path, with_beep):
    bundle = tiny_bundle(tmp_path / "b", window_samples=32_000, hop_samples=32_000, calibrated=False)
    window = explain(PCM(with_beep, RATE_HZ), Detector(bundle)).windows[0]
    assert window.llr is None
    assert window.cells[0].effect_llr is None
    assert window.check.unit == "score"
    assert min(window.cells, key=lambda cell: cell.effect).low_hz == 5000


def test_progress_counts_every_cell(detector, with_beep):
    seen = []
    explain(PCM(with_beep, RATE_HZ), detector, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(i, 40) for i in range(1, 41)]


def test_where_nobody_speaks_there_is_nothing_to_explain(detector):
    with pytest.raises(InputError, match="no verdict to explain") as caught:
        explain(PCM(noise(3.0), RATE_HZ), detector)
    assert caught.value.code == "no_speech"


def test_a_stream_is_refused(detector):
    with pytest.raises(InputError, match="reads a recording twice"):
        explain(io.BytesIO(b""), detector)


def test_a_short_recording_has_short_columns(detector):
    window = explain(PCM(voice(1.3, seed=5), RATE_HZ), detector).windows[0]
    assert (window.start_s, window.end_s) == (0, pytest.approx(1.3))
    assert window.shape == (8, 3)
    assert window.cells[-1].end_s == pytest.approx(1.3)


@pytest.mark.parametrize("wrong", [{"method": "guess"}, {"windows": 0}, {"windows": 17}, {"draws": 0}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        Settings(**wrong)


@pytest.mark.parametrize("other_window", [32_000, 32_300, 9_000])
def test_of_an_ensemble_every_member_is_asked(detector, with_beep, tmp_path, other_window):
    """A member of another window hears the stretch alone, repeated or cut; effects add up as the scores do."""
    other = tiny_bundle(tmp_path / "other", window_samples=other_window, hop_samples=other_window)
    fields = detector.bundle.manifest.to_dict()
    own = {"name": "both", "version": "1", "calibration": fields["calibration"], "decision": fields["decision"]}
    bundles = [detector.bundle, open_bundle(other)]
    both = Detector(write_ensemble(tmp_path / "both", bundles, [0.5, 2.0], 1.0, own), threads=2)
    settings = Settings(windows=2, draws=3)
    found = explain(PCM(with_beep, RATE_HZ), both, settings=settings)
    window = found.windows[1]
    strongest = min(window.cells, key=lambda cell: cell.effect)
    assert (strongest.start_s, strongest.low_hz, strongest.high_hz) == (2.4, 5000, 6000)
    alone = [explain(PCM(window.samples, RATE_HZ), Detector(one.path)).verdict.score for one in bundles]
    assert window.score == pytest.approx(0.5 * alone[0] + 2.0 * alone[1] + 1.0)
    if other_window == 32_000:
        assert window.score == pytest.approx(found.verdict.windows[1].score, rel=1e-6)
