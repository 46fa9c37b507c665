from __future__ import annotations

import json

import pytest

pytest.importorskip("onnx")


@pytest.fixture
def home(tmp_path, monkeypatch):
    from glottis.testing import tiny_bundle

    monkeypatch.setenv("GLOTTIS_HOME", str(tmp_path))
    monkeypatch.setattr("glottis.bundle.store.DEFAULT", tmp_path / "no-default")
    tiny_bundle(tmp_path / "bundles" / "tiny", changes={"metrics": {"dev_pooled_eer": 0.1234}})
    return tmp_path


@pytest.mark.usefixtures("home")
def test_list(run):
    result = run("models")
    assert result.exit_code == 0
    head, row = result.stdout.splitlines()
    assert head.split() == ["name", "version", "rate", "size", "dev", "EER", "path"]
    assert row.split()[:8] == ["tiny", "1", "16000", "Hz", "0.00", "MiB", "12.3", "%"]


@pytest.mark.usefixtures("home")
def test_list_as_json(run):
    (row,) = json.loads(run("models", "--format", "json").stdout)
    assert (row["name"], row["sample_rate_hz"], row["dev_eer"], row["broken"]) == ("tiny", 16000, 0.1234, None)
    assert row["size_bytes"] > 500


def test_a_broken_bundle_is_listed(run, home):
    (home / "bundles" / "worse").mkdir()
    (home / "bundles" / "worse" / "bundle.json").write_text("{")
    result = run("models")
    assert result.exit_code == 2
    assert "tiny" in result.stdout
    assert "broken: " in result.stdout


@pytest.mark.usefixtures("home")
def test_one(run):
    result = run("models", "tiny")
    assert result.exit_code == 0
    assert "window_samples   16000" in result.stdout
    assert "For tests; it detects nothing." in result.stdout


def test_one_as_json(run, home):
    shown = json.loads(run("models", str(home / "bundles" / "tiny"), "--format", "json").stdout)
    assert shown["manifest"] == json.loads((home / "bundles" / "tiny" / "bundle.json").read_text())
    assert shown["card"].startswith("# tiny")


@pytest.mark.usefixtures("home")
def test_none_of_that_name(run):
    result = run("models", "tinny")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean tiny?" in result.stderr


def test_a_bundle_that_is_called_like_a_command(run, home):
    (home / "bundles" / "tiny").rename(home / "bundles" / "fetch")
    for args in (("show", "fetch"), (str(home / "bundles" / "fetch"),)):
        assert "window_samples   16000" in run("models", *args).stdout
    assert run("models", "show").stdout == run("models").stdout


@pytest.mark.usefixtures("home")
def test_options_may_stand_before_the_name(run):
    assert json.loads(run("models", "--format", "json", "tiny").stdout)["manifest"]["name"] == "tiny"
    assert "fetch" in run("models", "--help").stdout
