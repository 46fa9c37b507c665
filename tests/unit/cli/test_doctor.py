from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner

from glottis.cli.holes import HOLES, KNOWN_UNTIL, holes_of, release_of

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
def test_the_device_of_the_settings_is_tried(monkeypatch):
    from glottis.cli import program

    monkeypatch.setenv("GLOTTIS_DEVICE", "tensorrt")
    result = CliRunner().invoke(program, ["doctor", "--format", "json"])
    assert result.exit_code == 2
    assert checks_of(result)["GLOTTIS_DEVICE"]["state"] == "broken"
    monkeypatch.setenv("GLOTTIS_DEVICE", "auto")
    assert CliRunner().invoke(program, ["doctor"]).exit_code == 0


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
    assert "fixed in FFmpeg 8.1 and 7.1.4" in result.stdout
    assert "CVE-2024-36617" not in result.stdout


@pytest.mark.usefixtures("default")
def test_no_known_hole_is_not_called_safe(run, monkeypatch):
    import av

    monkeypatch.setattr(av, "ffmpeg_version_info", "9.0", raising=False)
    (ffmpeg,) = (c for c in json.loads(run("doctor", "--format", "json").stdout)["checks"] if c["name"] == "ffmpeg")
    assert ffmpeg["state"] == "ok"
    assert KNOWN_UNTIL in ffmpeg["hint"]


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.cve)
def test_holes_close_at_the_first_fixed_release_of_each_branch(hole):
    assert list(hole.fixed) == sorted(hole.fixed, reverse=True)
    for fixed in hole.fixed:
        assert hole not in holes_of(fixed)
        before = (*fixed[:-1], fixed[-1] - 1) if fixed[-1] else (fixed[0] - 1, 99)
        assert hole in holes_of(before)


@pytest.mark.parametrize(
    ("release", "cves"),
    [
        ((8, 1, 2), []),
        ((8, 0, 1), ["CVE-2026-40962"]),
        ((7, 1, 4), []),
        ((7, 1, 3), ["CVE-2026-40962"]),
        ((7, 0, 3), ["CVE-2026-40962"]),
        ((6, 0, 9), ["CVE-2026-40962", "CVE-2024-36617"]),
    ],
)
def test_a_fix_on_one_branch_is_none_on_another(release, cves):
    assert [hole.cve for hole in holes_of(release)] == cves


@pytest.mark.usefixtures("default")
def test_the_bundle_of_the_settings_is_looked_at_too(run, tmp_path, monkeypatch):
    monkeypatch.setenv("GLOTTIS_MODEL", str(tmp_path / "none"))
    result = run("doctor", "--format", "json")
    assert result.exit_code == 2
    assert checks_of(result)["bundle"]["state"] == "ok"
    assert checks_of(result)["GLOTTIS_MODEL"]["state"] == "broken"


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
