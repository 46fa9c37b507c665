"""`glottis calibrate`: a table, a copy of a bundle that gives other llrs, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from glottis.cli import program
from glottis.testing import tiny_bundle, voice, write_wav


@pytest.fixture
def run(monkeypatch, tmp_path):
    """In a folder with two systems' scores of 120 trials of six speakers."""
    rng = np.random.default_rng(0)
    labels = ["bonafide" if k % 2 else "spoof" for k in range(120)]
    rows = "".join(f"T{k},{label},S{k // 4 % 6},dev\n" for k, label in enumerate(labels))
    (tmp_path / "trials.csv").write_text("file,label,speaker,split\n" + rows)
    for name in ("one", "two"):
        scores = rng.normal([3.0 if label == "bonafide" else 1.0 for label in labels], 1.0)
        (tmp_path / f"{name}.txt").write_text("".join(f"T{k} {score}\n" for k, score in enumerate(scores)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOTTIS_MODEL", raising=False)
    return lambda *args: CliRunner().invoke(program, ["calibrate", *args, "--protocol", "trials.csv"])


def test_calibrations_are_compared(run, tmp_path):
    result = run("one.txt", "--groups", "speaker", "--json", "all.json")
    assert result.exit_code == 0, result.stderr
    assert "platt" in result.stdout
    assert "error among decided" in result.stdout
    found = json.loads((tmp_path / "all.json").read_text())
    assert found["chosen"] == found["candidates"][0]["name"]
    assert found["thresholds"]["spoof"] < found["thresholds"]["bonafide"]


def test_without_groups_it_says_that_the_figures_flatter(run):
    assert "the figures flatter" in run("one.txt").stderr


def test_the_copy_of_a_bundle_gives_other_llrs(run, tmp_path):
    bundle = tiny_bundle(tmp_path / "bundle", calibrated=False)
    result = run("one.txt", "--groups", "speaker", "--kind", "platt", "--model", str(bundle), "--output", "new")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "new"
    write_wav(tmp_path / "a.wav", voice(3.0, seed=5))
    before, after = (
        json.loads(CliRunner().invoke(program, ["scan", "a.wav", "--model", m, "--format", "jsonl"]).stdout)
        for m in (str(bundle), "new")
    )
    assert before["llr"] is None
    stored = json.loads((tmp_path / "new" / "bundle.json").read_text())["calibration"]["recording"]
    assert after["score"] == before["score"]
    assert after["llr"] == pytest.approx(stored["scale"] * after["score"] + stored["offset"])
    assert json.loads((tmp_path / "bundle" / "bundle.json").read_text())["calibration"] is None


def test_thresholds_for_a_wanted_false_alarm_rate(run, tmp_path):
    result = run("one.txt", "--groups", "speaker", "--bpcer", "0.05", "--json", "all.json")
    assert result.exit_code == 0, result.stderr
    assert json.loads((tmp_path / "all.json").read_text())["figures"]["bonafide_called_spoof"] <= 0.05


def test_several_systems_are_fused(run, tmp_path):
    result = run("one.txt", "two.txt", "--groups", "speaker", "--json", "f.json")
    assert result.exit_code == 0, result.stderr
    told = json.loads((tmp_path / "f.json").read_text())
    assert told["fusion"]["systems"] == ["one", "two"]
    assert f"fused - {told['best_alone']}: EER {100 * told['eer_change']['value']:+.3f} points" in result.stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["one.txt", "--kind", "magic"], "unknown kind 'magic'"),
        (["one.txt", "--cost-inconclusive", "2"], "--cost-inconclusive 2"),
        (["one.txt", "--bpcer", "7"], "--bpcer"),
        (["one.txt", "two.txt", "--output", "x"], "--output with 2 SCORES takes 2 --model, got 0"),
        (["one.txt", "--groups", "room"], "no column 'room'"),
    ],
)
def test_wrong_use_is_exit_code_2(run, args, said):
    result = run(*args)
    assert result.exit_code == 2
    assert said in result.stderr


def test_an_evaluation_split_is_refused(run, tmp_path):
    text = (tmp_path / "trials.csv").read_text()
    (tmp_path / "trials.csv").write_text(text.replace(",dev", ",eval"))
    result = run("one.txt")
    assert result.exit_code == 2
    assert "nothing is fitted on data that judge" in result.stderr
