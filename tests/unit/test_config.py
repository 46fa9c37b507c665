from __future__ import annotations

from pathlib import Path

import pytest

from glottis.config import resolve, unknown_variables, usable_cores
from glottis.errors import ConfigError


def test_defaults(tmp_path):
    settings = resolve(environ={}, folder=tmp_path)
    assert (settings.model, settings.prior_spoof, settings.channel) == (None, None, "auto")
    assert settings.threads == usable_cores() >= 1
    assert set(settings.origins.values()) == {"default"}


def test_flag_over_variable_over_file_over_default(tmp_path):
    (tmp_path / "glottis.toml").write_text("threads = 2\nchannel = 'mix'\nmodel = 'file'\n")
    environ = {"GLOTTIS_THREADS": "3", "GLOTTIS_CHANNEL": "each"}
    settings = resolve({"threads": "4", "channel": None}, environ=environ, folder=tmp_path)
    assert (settings.threads, settings.channel, settings.model) == (4, "each", "file")
    assert settings.origins == {
        "model": str(tmp_path / "glottis.toml"),
        "threads": "--threads",
        "prior_spoof": "default",
        "channel": "GLOTTIS_CHANNEL",
        "device": "default",
    }


def test_an_empty_variable_says_nothing(tmp_path):
    assert resolve(environ={"GLOTTIS_THREADS": ""}, folder=tmp_path).origins["threads"] == "default"


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "1025", "9" * 5000, "\u0663", True, 0, 2.0, [1]])
def test_threads_that_cannot_be(value, tmp_path):
    with pytest.raises(ConfigError, match="--threads must be a whole number") as caught:
        resolve({"threads": value}, environ={}, folder=tmp_path)
    assert caught.value.code == "setting"


@pytest.mark.parametrize("value", ["0", "1", "nan", "inf", "-0.5", "half", True, 10**400])
def test_priors_that_cannot_be(value, tmp_path):
    with pytest.raises(ConfigError, match="over 0 and under 1"):
        resolve({"prior_spoof": value}, environ={}, folder=tmp_path)


@pytest.mark.parametrize("value", ["left", "-1", "1.0", -1, True, ""])
def test_channels_that_cannot_be(value, tmp_path):
    with pytest.raises(ConfigError, match="auto, mix, each"):
        resolve({"channel": value}, environ={}, folder=tmp_path)


@pytest.mark.parametrize(("value", "channel"), [("auto", "auto"), ("each", "each"), ("0", 0), ("12", 12), (1, 1)])
def test_channels(value, channel, tmp_path):
    assert resolve({"channel": value}, environ={}, folder=tmp_path).channel == channel


def test_devices(tmp_path):
    assert resolve(environ={}, folder=tmp_path).device == "cpu"
    assert resolve(environ={"GLOTTIS_DEVICE": "tensorrt"}, folder=tmp_path).device == "tensorrt"
    with pytest.raises(ConfigError, match="GLOTTIS_DEVICE must be auto, cpu, cuda, tensorrt, and is 'gpu'"):
        resolve(environ={"GLOTTIS_DEVICE": "gpu"}, folder=tmp_path)


def test_a_path_as_model(tmp_path):
    assert resolve({"model": Path("a") / "b"}, environ={}, folder=tmp_path).model == str(Path("a") / "b")


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("treads = 2", "unknown_setting", "did you mean threads?"),
        ("zzz = 2", "unknown_setting", "settings are model"),
        ("threads = ", "config_file", "TOML"),
        ("threads = 0", "setting", "glottis config"),
    ],
)
def test_a_file_that_cannot_be_used(text, code, hint, tmp_path):
    (tmp_path / "glottis.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        resolve(environ={}, folder=tmp_path)
    assert caught.value.code == code
    assert hint in caught.value.hint


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "glottis.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        resolve(environ={}, folder=tmp_path)


def test_unknown_variables():
    environ = {
        "GLOTTIS_THRAEDS": "2",
        "GLOTTIS_THREADS": "2",
        "GLOTTIS_HOME": "/x",
        "GLOTTIS_TRACEBACK": "1",
        "PATH": "",
    }
    assert unknown_variables(environ) == ["GLOTTIS_THRAEDS"]
