"""The real detector, with a tiny bundle, behind the real command."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

pytest.importorskip("onnx")


@pytest.fixture
def scan(tmp_path, monkeypatch):
    from glottis.cli import program
    from glottis.testing import tiny_bundle, voice, write_wav

    monkeypatch.chdir(tmp_path)
    tiny_bundle(tmp_path / "tiny")
    write_wav(tmp_path / "good.wav", voice(3.0))
    (tmp_path / "text.wav").write_text("no recording\n" * 100)

    def call(*args):
        return CliRunner().invoke(program, ["scan", "--model", "tiny", *args])

    return call


def test_the_contract(scan):
    result = scan("good.wav", "text.wav", "good.wav", "--format", "jsonl", "--threads", "2", "--prior", "0.2")
    good, bad, again = map(json.loads, result.stdout.splitlines())
    assert result.exit_code == 3
    assert bad["error"]["code"] == "not_audio"
    assert (good["source"], good["bundle"]["name"], good["prior_spoof"]) == ("good.wav", "tiny", 0.2)
    assert {**good, "elapsed_s": 0} == {**again, "elapsed_s": 0}


def test_a_device_that_is_not_there(scan, monkeypatch):
    result = scan("good.wav", "--device", "tensorrt")
    assert result.exit_code == 2
    assert "the device tensorrt is not there; this ONNX Runtime has cpu" in result.stderr
    monkeypatch.setenv("GLOTTIS_DEVICE", "cuda")
    assert scan("good.wav").exit_code == 2
    assert scan("good.wav", "--device", "cpu").exit_code == 0


def test_the_table_and_the_timeline(scan):
    result = scan("good.wav", "--timeline")
    assert result.exit_code == 0, result.stderr
    assert "good.wav" in result.stdout
    assert "0:00.0" in result.stdout


def test_not_calibrated(scan, tmp_path):
    from glottis.testing import tiny_bundle

    tiny_bundle(tmp_path / "raw", calibrated=False)
    result = scan("good.wav", "--model", "raw", "--timeline", "--fail-on", "inconclusive")
    assert result.exit_code == 4
    assert "?" in result.stdout.splitlines()[-1]


def test_a_bug_on_one_recording_is_exit_1(scan, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("oops")

    monkeypatch.setattr("glottis.detector.Detector._scan", broken)
    result = scan("good.wav", "--format", "jsonl")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "internal"
