"""`glottis robustness` as a user meets it, with a real detector."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from glottis.cli import program
from glottis.testing import tiny_bundle, tiny_corpus


@pytest.fixture
def measure(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    table = tiny_corpus(tmp_path / "corpus")
    bundle = tiny_bundle(tmp_path / "bundle", min_speech_s=0.0, changes={"outputs": ["score"]})
    args = ("robustness", "--corpus", str(table), "--model", str(bundle), "--output", "runs", "--only", "mp3,speed")
    return lambda *more: CliRunner().invoke(program, [*args, *more])


def test_a_table_json_and_a_picture(measure, tmp_path):
    result = measure("--json", "all.json", "--picture", "all.svg")
    assert result.exit_code == 0, result.stderr
    families = {line.split()[0] for line in result.stdout.splitlines()[1:]}
    assert families == {"clean", "mp3", "speed"}
    found = json.loads((tmp_path / "all.json").read_text())
    assert found["schema"] == 1
    assert {one["family"] for one in found["conditions"]} == families
    assert len(found["bundle"]["verdict_sha256"]) == 64
    picture = (tmp_path / "all.svg").read_text()
    assert picture.lstrip().startswith("<svg")
    assert "mp3" in picture


def test_a_second_run_scans_nothing_again(measure, tmp_path):
    first = measure()
    kept = {path.name: path.read_bytes() for path in (tmp_path / "runs").iterdir()}
    again = measure()
    assert again.stdout == first.stdout
    assert {path.name: path.read_bytes() for path in (tmp_path / "runs").iterdir()} == kept


def test_without_a_net_the_attacks_are_left_out_and_said(measure):
    assert "no attacks on the net" in measure().stderr


def test_wrong_use(run):
    assert run("robustness").exit_code == 2
    assert "--corpus FILE and --output FOLDER" in run("robustness").stderr


def test_conditions_are_listed(run):
    names = run("robustness", "--list").stdout.splitlines()
    assert names[0] == "clean"
    assert any(name.startswith("PGD") for name in names)


def test_an_unknown_family_is_named(measure):
    result = measure("--only", "mp4")
    assert result.exit_code == 2
    assert "unknown family 'mp4'" in result.stderr
