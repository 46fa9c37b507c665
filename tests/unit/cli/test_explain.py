"""`glottis explain`: what it prints, writes, refuses."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from glottis.cli import program
from glottis.testing import noise, tiny_bundle, tone, voice, write_wav

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return str(tiny_bundle(tmp_path_factory.mktemp("bundle") / "b", window_samples=32_000, hop_samples=32_000))


@pytest.fixture
def run(bundle, monkeypatch, tmp_path):
    """The command with a real detector, in a folder with a voice that beeps at 0.8 s, and one with noise."""
    samples = voice(2.0, seed=5)
    samples[round(0.8 * RATE_HZ) : round(1.2 * RATE_HZ)] += tone(5500, 0.4, level=0.6)
    write_wav(tmp_path / "beep.wav", samples)
    write_wav(tmp_path / "noise.wav", noise(3.0))
    monkeypatch.chdir(tmp_path)
    for name in ("GLOTTIS_MODEL", "GLOTTIS_THREADS", "GLOTTIS_CHANNEL", "GLOTTIS_PRIOR_SPOOF"):
        monkeypatch.delenv(name, raising=False)
    return lambda *args: CliRunner().invoke(program, ["explain", *args, "--model", bundle])


def test_it_tells_in_plain_words_what_decides(run):
    result = run("beep.wav", "--cells", "3")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].startswith("beep.wav: ")
    assert lines[1].startswith("window 0.0 to 2.0 s (the only one that was scored), llr ")
    assert lines[2].startswith("  0.8 to 1.2 s, 5.0 to 6.0 kHz: speaks for spoof, ")
    assert len(lines) == 6
    assert lines[5].startswith("  check: deleting ")


def test_json_and_picture_are_written_beside(run, tmp_path):
    pytest.importorskip("matplotlib")
    result = run("beep.wav", "--json", "e.json", "--picture", "e.png", "--bands", "4", "--step", "0.5", "--draws", "3")
    assert result.exit_code == 0, result.stderr
    found = json.loads((tmp_path / "e.json").read_text())
    assert found["schema"] == 1
    assert found["source"] == "beep.wav"
    assert len(found["windows"][0]["cells"]) == 16
    assert len(found["windows"][0]["check"]["random_moves"]) == 3
    assert (tmp_path / "e.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["noise.wav"], 3, "no verdict to explain"),
        (["missing.wav"], 3, "missing.wav"),
        (["-"], 2, "read twice"),
        (["beep.wav", "--method", "gradients"], 2, "holds no trainable net"),
        (["beep.wav", "--windows", "0"], 2, "windows must be 1 to 16"),
        (["beep.wav", "--step", "0"], 2, "at least 0.05 s"),
        (["beep.wav", "--bands", "100"], 2, "bands must be 1 to 64"),
        (["beep.wav", "--fill", "zero"], 2, "--fill"),
        (["beep.wav", "--picture", "e.gif"], 2, "ends in .png or .svg"),
        (["beep.wav", "--json", "no/folder.json"], 2, "no/folder.json"),
        (["beep.wav", "--channel", "7"], 3, "channel"),
    ],
)
def test_mistakes_are_told_without_a_traceback(run, args, code, said):
    result = run(*args)
    assert result.exit_code == code, result.stderr
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_why_a_verdict_is_weak_goes_to_stderr(run, tmp_path):
    write_wav(tmp_path / "short.wav", voice(1.3, seed=5))
    result = run("short.wav")
    assert result.exit_code == 0, result.stderr
    assert "short.wav: only" in result.stderr
