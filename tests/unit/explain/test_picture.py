"""The picture: it is drawn, says what it shows, and is the same each time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from glottis import _extras
from glottis.audio import PCM
from glottis.detector import Detector
from glottis.errors import ConfigError, MissingExtra
from glottis.explain import Settings, explain
from glottis.explain.picture import check_picture, draw
from glottis.testing import tiny_bundle

pytest.importorskip("matplotlib")

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def found(tmp_path_factory, with_beep):
    bundle = tiny_bundle(tmp_path_factory.mktemp("bundle") / "b", window_samples=32_000, hop_samples=32_000)
    return explain(PCM(with_beep, RATE_HZ), Detector(bundle), settings=Settings(windows=2, draws=2))


def test_an_svg_says_what_it_shows(found, tmp_path):
    text = draw(found, tmp_path / "a.svg").read_text()
    assert text.startswith("<?xml")
    for said in ("window 2.0 to 4.0 s", "check: deleting the 4 marked cells of 40", "llr by band", "for a person"):
        assert said in text


def test_a_png_is_one(found, tmp_path):
    assert draw(found, tmp_path / "a.PNG").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["$x^2$", "\u58f0.wav", "a\nb", "long" * 60])
def test_any_name_can_be_shown(found, tmp_path, name):
    named = replace(found, verdict=replace(found.verdict, source=name))
    assert draw(named, tmp_path / "a.svg").exists()


def test_without_a_calibration_scores_are_drawn(tmp_path, with_beep):
    bundle = tiny_bundle(tmp_path / "b", window_samples=32_000, hop_samples=32_000, calibrated=False)
    plain = explain(PCM(with_beep, RATE_HZ), Detector(bundle), settings=Settings(draws=1))
    assert "score by band" in draw(plain, tmp_path / "a.svg").read_text()


@pytest.mark.parametrize("name", ["a.jpg", "a", "nowhere/a.png"])
def test_paths_that_cannot_be_drawn_are_refused_before_any_work(tmp_path, name):
    with pytest.raises(ConfigError):
        check_picture(tmp_path / name)


def test_a_path_that_cannot_be_written_is_named(found, tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(ConfigError, match=r"a\.png"):
        draw(found, tmp_path / "a.png")


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    def gone(name):
        raise ModuleNotFoundError(name=name.partition(".")[0])

    monkeypatch.setattr(_extras.importlib, "import_module", gone)
    with pytest.raises(MissingExtra) as caught:
        check_picture(tmp_path / "a.png")
    assert "glottis[plots]" in caught.value.hint
