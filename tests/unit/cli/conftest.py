from __future__ import annotations

import importlib.util
import io
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

STAND_IN = Path(__file__).with_name("stand_in.py")


def wav_bytes(seconds=0.5, channels=1):
    rng = np.random.default_rng(0)
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(rng.integers(-9000, 9000, (int(seconds * 16_000), channels), np.int16).tobytes())
    return file.getvalue()


@pytest.fixture(scope="session")
def wav():
    return wav_bytes()


@pytest.fixture(scope="session")
def make_wav():
    return wav_bytes


@pytest.fixture
def detector(monkeypatch):
    """The stand-in detector in the place of the real one."""
    spec = importlib.util.spec_from_file_location("stand_in", STAND_IN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "glottis.detector", module)
    return module


@pytest.fixture
def run(detector, monkeypatch, tmp_path):
    """Run a command in an empty folder and give its result: exit_code, stdout, stderr."""
    from glottis.cli import program

    monkeypatch.chdir(tmp_path)
    for name in (
        "GLOTTIS_MODEL",
        "GLOTTIS_THREADS",
        "GLOTTIS_CHANNEL",
        "GLOTTIS_PRIOR_SPOOF",
        "GLOTTIS_DEVICE",
        "NO_COLOR",
    ):
        monkeypatch.delenv(name, raising=False)

    def call(*args, **extra):
        return CliRunner().invoke(program, [str(a) if isinstance(a, Path) else a for a in args], **extra)

    call.detector = detector
    return call


@pytest.fixture
def folder(tmp_path, wav):
    """Two good recordings and every kind of bad one."""
    (tmp_path / "a.wav").write_bytes(wav)
    (tmp_path / "spoof.wav").write_bytes(wav)
    (tmp_path / "text.wav").write_text("this is text\n" * 50)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\na.wav\n")
    (tmp_path / "concat.wav").write_text("ffconcat version 1.0\nfile a.wav\n")
    at = wav.index(b"data") + 4
    (tmp_path / "zero.wav").write_bytes(wav[:at] + bytes(4))
    (tmp_path / "cut.wav").write_bytes(wav[: len(wav) // 2])
    return tmp_path
