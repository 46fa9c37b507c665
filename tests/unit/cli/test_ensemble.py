"""An ensemble as a user makes it and uses it: like any other bundle, but where a single net is needed."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from glottis import Detector
from glottis.bundle import open_bundle
from glottis.cli import program
from glottis.evaluation.arena import ArenaModel
from glottis.testing import tiny_bundle, tiny_corpus, voice, write_wav

TINY = {"min_speech_s": 0.0, "calibrated": False}


def glottis(*args):
    return CliRunner().invoke(program, list(map(str, args)))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a corpus, two bundles, their scores, and an ensemble; with what the command printed."""
    folder = tmp_path_factory.mktemp("made")
    table = tiny_corpus(folder / "corpus")
    bundles = {
        "one": tiny_bundle(folder / "one", changes={"name": "one"}, **TINY),
        "two": tiny_bundle(folder / "two", window_samples=8_000, hop_samples=4_000, changes={"name": "two"}, **TINY),
    }
    for name, bundle in bundles.items():
        scored = glottis("evaluate", folder / f"{name}.jsonl", "--corpus", table, "--split", "dev", "--model", bundle)
        assert scored.exit_code == 0, scored.stderr
    files = [folder / f"{name}.jsonl" for name in bundles]
    models = [word for bundle in bundles.values() for word in ("--model", bundle)]
    more = ("--protocol", table, "--where", "split=dev", "--groups", "source")
    both, told = folder / "both", folder / "both.json"
    result = glottis("calibrate", *files, *more, *models, "--output", both, "--json", told)
    assert result.exit_code == 0, result.stderr
    return folder, result.stdout


@pytest.fixture
def both(made):
    return made[0] / "both"


def test_weights_and_calibrations_are_told_and_written(made, both):
    folder, printed = made
    told = json.loads((folder / "both.json").read_text())
    manifest = open_bundle(both).manifest
    assert manifest.name == "both"
    assert manifest.members == ("one", "two")
    assert list(manifest.fusion["weights"]) == told["fusion"]["weights"]
    assert manifest.calibration["recording"] == told["candidates"][0]["calibration"]
    assert manifest.metrics["dev_clips"] == 12
    assert manifest.metrics["dev_pooled_eer"] == told["eer"]
    assert "fused" in printed
    assert "error among decided" in printed
    assert printed.splitlines()[-1] == str(both)


def test_it_scans_by_the_fusion_of_its_members(made, both, tmp_path):
    folder, _ = made
    recording = write_wav(tmp_path / "a.wav", voice(3.0, seed=5))
    verdict = json.loads(glottis("scan", recording, "--model", both, "--format", "jsonl").stdout)
    scores = [Detector(folder / name).scan(recording).score for name in ("one", "two")]
    fusion = open_bundle(both).manifest.fusion
    wanted = sum(weight * score for weight, score in zip(fusion["weights"], scores, strict=True)) + fusion["offset"]
    assert verdict["score"] == pytest.approx(wanted)
    assert verdict["bundle"]["name"] == "both"
    assert verdict["llr"] is not None


def test_a_member_that_tells_speech_leads(made, tmp_path):
    """The shipped net does, and was given last."""
    folder, _ = made
    table = folder / "corpus" / "trials.csv"
    glottis("evaluate", tmp_path / "shipped.jsonl", "--corpus", table, "--split", "dev", "--coverage", 0)
    more = ("--protocol", table, "--coverage", 0, "--model", folder / "one", "--model", "default")
    result = glottis("calibrate", folder / "one.jsonl", tmp_path / "shipped.jsonl", *more, "--output", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert open_bundle(tmp_path / "out").manifest.members == ("glottis", "one")


def test_it_can_be_calibrated_again(made, both, tmp_path):
    table = made[0] / "corpus" / "trials.csv"
    glottis("evaluate", tmp_path / "both.jsonl", "--corpus", table, "--split", "dev", "--model", both)
    more = ("--protocol", table, "--where", "split=dev", "--kind", "platt", "--model", both, "--output", tmp_path / "x")
    result = glottis("calibrate", tmp_path / "both.jsonl", *more)
    assert result.exit_code == 0, result.stderr
    assert open_bundle(tmp_path / "x").manifest.calibration["recording"]["kind"] == "platt"
    assert open_bundle(tmp_path / "x").members[1].sha256 == open_bundle(both).members[1].sha256


def test_it_is_listed_and_shown(both):
    shown = json.loads(glottis("models", both, "--format", "json").stdout)
    assert shown["manifest"]["members"] == ["one", "two"]
    assert "| two | 1 |" in shown["card"]


def test_it_is_measured_under_conditions_without_attacks(made, both, tmp_path):
    table = made[0] / "corpus" / "trials.csv"
    more = ("--corpus", table, "--split", "dev", "--only", "clipping", "--output", tmp_path / "runs")
    result = glottis("robustness", "--model", both, *more)
    assert result.exit_code == 0, result.stderr
    assert "an ensemble of one, two has no single net" in result.stderr


def test_it_enters_an_arena(both, monkeypatch):
    monkeypatch.setenv("GLOTTIS_MODEL", str(both))
    model = ArenaModel()
    model.load()
    assert (model.name, model.expected_sample_rate) == ("both 1", 16_000)
    assert model.score_batch([voice(1.0)], [16_000]) == [Detector(both).scan(pcm(voice(1.0))).llr]


def pcm(samples):
    from glottis.audio import PCM

    return PCM(samples, 16_000)


def test_a_verdict_is_explained_by_occlusion(both, tmp_path):
    recording = write_wav(tmp_path / "a.wav", voice(1.0, seed=5))
    result = glottis("explain", recording, "--model", both, "--step", 0.5)
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("explain", "a.wav", "--method", "gradients"),
        ("compress", "--corpus", "trials.csv", "--output", "small"),
    ],
)
def test_where_one_net_is_needed_a_member_is_named(made, both, tmp_path, monkeypatch, args):
    write_wav(tmp_path / "a.wav", voice(1.0, seed=5))
    (tmp_path / "trials.csv").write_text((made[0] / "corpus" / "trials.csv").read_text())
    monkeypatch.chdir(tmp_path)
    result = glottis(*args, "--model", both)
    assert result.exit_code == 2
    assert "an ensemble of one, two has no single net" in result.stderr
    assert f"{both}/members/one" in result.stderr.replace("\n", "")


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ((), "--output with 2 SCORES takes 2 --model, got 0"),
        (("one",), "--output with 2 SCORES takes 2 --model, got 1"),
        (("two", "one"), "one.jsonl was not scored by"),
        (("one", "both"), "an ensemble of one, two has no single net"),
    ],
)
def test_models_that_do_not_fit_the_scores(made, tmp_path, models, said):
    folder, _ = made
    named = [word for name in models for word in ("--model", folder / name)]
    more = ("--protocol", folder / "corpus" / "trials.csv", "--where", "split=dev", "--output", tmp_path / "out")
    result = glottis("calibrate", folder / "one.jsonl", folder / "two.jsonl", *more, *named)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "out").exists()
