from __future__ import annotations

import json


def test_origins(run, tmp_path, monkeypatch):
    monkeypatch.setenv("GLOTTIS_THREADS", "3")
    (tmp_path / "glottis.toml").write_text("channel = 1\n")
    rows = json.loads(run("config", "--format", "json").stdout)
    assert rows["threads"] == {"value": 3, "origin": "GLOTTIS_THREADS"}
    assert rows["channel"] == {"value": 1, "origin": "glottis.toml"}
    assert rows["model"] == {"value": None, "origin": "default"}


def test_text_and_misspelt_variables(run, monkeypatch):
    monkeypatch.setenv("GLOTTIS_MODLE", "x")
    result = run("config")
    assert result.exit_code == 0
    assert "the shipped one" in result.stdout
    assert result.stderr == "warning: GLOTTIS_MODLE is no setting of Glottis\n"


def test_a_wrong_value(run, monkeypatch):
    monkeypatch.setenv("GLOTTIS_PRIOR_SPOOF", "2")
    result = run("config")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "GLOTTIS_PRIOR_SPOOF must be a probability" in result.stderr
