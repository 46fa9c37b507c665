from __future__ import annotations

import json
import sys

import pytest

from glottis.cli.holes import HOLES, holes_of, release_of

pytest.importorskip("onnx")


@pytest.fixture
def default(tmp_path, monkeypatch):
    from glottis.testing import tiny_bundle

    folder = tiny_bundle(tmp_path / "default")
    monkeypatch.setattr("glottis.bundle.store.DEFAULT", folder)
    for name in ("GLOTTIS_THRAEDS", "GLOTTIS_THREADS"):
        monkeypatch.delenv(name, raising=False)
    return folder


def checks_of(result):
    return {check["name"]: check for check in json.loads(result.stdout)["checks"]}


@pytest.mark.usefixtures("default")
def test_all_is_well(run):
    result = run("doctor", "--format", "json")
    checks = checks_of(result)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["ok"] is True
    assert {"glottis", "python", "cores", "numpy", "onnxruntime", "av", "ffmpeg", "bundle", "[train]"} <= set(checks)
    assert checks["bundle"]["value"].startswith("tiny 1 is whole")
    assert "CPUExecutionProvider" in checks["onnxruntime"]["value"]
    assert "libavcodec" in checks["ffmpeg"]["value"]


def test_a_damaged_bundle(run, default):
    (default / "model.onnx").write_bytes(b"other")
    result = run("doctor")
    assert result.exit_code == 2
    assert any(line.startswith("broken   bundle") for line in result.stdout.splitlines())


@pytest.mark.usefixtures("default")
def test_a_package_that_does_not_load(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    result = run("doctor", "--format", "json")
    assert result.exit_code == 2
    assert checks_of(result)["onnxruntime"]["state"] == "broken"


@pytest.mark.usefixtures("default")
def test_a_misspelt_variable_is_a_warning(run, monkeypatch):
    monkeypatch.setenv("GLOTTIS_THRAEDS", "2")
    result = run("doctor", "--format", "json")
    assert result.exit_code == 0
    assert checks_of(result)["settings"]["state"] == "warning"


@pytest.mark.usefixtures("default")
def test_a_wrong_setting_is_broken(run, monkeypatch):
    monkeypatch.setenv("GLOTTIS_THREADS", "-2")
    assert run("doctor").exit_code == 2


@pytest.mark.usefixtures("default")
def test_an_old_ffmpeg_is_named(run, monkeypatch):
    import av

    monkeypatch.setattr(av, "ffmpeg_version_info", "7.1.1", raising=False)
    result = run("doctor")
    assert result.exit_code == 0
    assert "CVE-2026-40962" in result.stdout
    assert "CVE-2024-7272" not in result.stdout


def test_holes_close_at_their_first_fixed_release():
    for hole in HOLES:
        assert hole not in holes_of(hole.fixed)
        assert hole in holes_of((*hole.fixed[:-1], hole.fixed[-1] - 1, 99))


@pytest.mark.parametrize(
    ("text", "avformat", "release"),
    [
        ("8.1.2", (62, 12, 102), (8, 1, 2)),
        ("n7.1-3-g0123abc", (61, 7, 100), (7, 1)),
        ("6.1.1-3ubuntu5", (60, 16, 100), (6, 1, 1)),
        ("git-2025-01-01-abc", (61, 9, 100), (7, 1)),
        (None, (62, 3, 100), (8, 0)),
        ("N-123-gabc", (58, 76, 100), None),
        (None, (), None),
    ],
)
def test_release_of(text, avformat, release):
    assert release_of(text, avformat) == release
