"""`glottis evaluate`: what it prints, writes, refuses."""

from __future__ import annotations

import json

import pytest

from glottis.testing import tiny_bundle, tiny_corpus

PROTOCOL = "S1 T1 - - bonafide\nS1 T2 - - bonafide\nS2 T3 - A07 spoof\nS2 T4 - A08 spoof\n"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "protocol.txt").write_text(PROTOCOL)
    (tmp_path / "good.txt").write_text("T1 2\nT2 1\nT3 -1\nT4 -2\n")
    (tmp_path / "bad.txt").write_text("T1 2\nT2 -1\nT3 1\nT4 -2\n")
    (tmp_path / "asv.txt").write_text(
        "- target 2\n- target 3\n- nontarget -2\n- nontarget -3\nA07 spoof 1\nA08 spoof 3\n"
    )


@pytest.mark.usefixtures("files")
def test_figures_go_to_stdout(run):
    result = run("evaluate", "good.txt", "--protocol", "protocol.txt", "--by", "attack", "--resamples", "10")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    assert "good on protocol: 2 bona fide, 2 spoof" in result.stdout
    assert "EER, challenge mode, %" in result.stdout
    assert "A07" in result.stdout


@pytest.mark.usefixtures("files")
def test_two_systems_side_by_side_as_json_and_page(run, tmp_path):
    result = run(
        *("evaluate", "good.txt", "bad.txt", "--protocol", "protocol.txt", "--asv", "asv.txt", "--resamples", "10"),
        *("--json", "all.json", "--html", "all.html"),
    )
    assert result.exit_code == 0, result.stderr
    found = json.loads((tmp_path / "all.json").read_text())
    assert found["schema"] == 1
    assert [one["system"] for one in found["systems"]] == ["good", "bad"]
    assert found["systems"][0]["figures"]["eer"]["value"] == 0
    assert found["systems"][1]["figures"]["eer"]["value"] == 0.5
    assert found["comparisons"][0]["eer_difference"]["value"] == -0.5
    assert (tmp_path / "all.html").read_text().startswith("<!doctype html>")


@pytest.mark.usefixtures("files")
def test_too_few_scores_are_exit_code_5(run, tmp_path):
    (tmp_path / "few.txt").write_text("T1 2\nT3 -1\n")
    result = run("evaluate", "few.txt", "--protocol", "protocol.txt")
    assert result.exit_code == 5
    assert "2 of 4 trials have no score, first 'T2', 'T4'" in result.stderr
    result = run("evaluate", "few.txt", "--protocol", "protocol.txt", "--coverage", "0.5", "--resamples", "10")
    assert result.exit_code == 0
    assert "2 of 4 trials have no score" in result.stderr


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["good.txt"], "no protocol was given"),
        ([], "give a score file"),
        (["nowhere.txt", "--protocol", "protocol.txt"], "nowhere.txt"),
        (["good.txt", "--protocol", "protocol.txt", "--by", "codec"], "no column 'codec'"),
        (["good.txt", "--protocol", "protocol.txt", "--where", "attack"], "no COLUMN=VALUE"),
        (["good.txt", "--protocol", "protocol.txt", "--json", "no/folder/x.json"], "no/folder/x.json"),
        (["a.jsonl", "b.jsonl", "--corpus", "t.csv"], "one SCORES"),
    ],
)
def test_wrong_use_is_exit_code_2(run, args, said):
    result = run("evaluate", *args)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.usefixtures("files")
def test_only_some_trials(run):
    result = run("evaluate", "good.txt", "--protocol", "protocol.txt", "--where", "speaker=S9")
    assert result.exit_code == 2
    assert "no trial whose speaker is 'S9'" in result.stderr


def test_a_table_of_both_systems_needs_no_protocol(run, tmp_path):
    (tmp_path / "sasv.csv").write_text("asv_score,cm_score,sasv_label\n3,2,1\n4,3,1\n-3,2,2\n-4,1,2\n2,-2,0\n3,-3,0\n")
    result = run("evaluate", "sasv.csv", "--json", "s.json")
    assert result.exit_code == 0, result.stderr
    assert "a_dcf" in result.stdout
    assert json.loads((tmp_path / "s.json").read_text())["systems"][0]["figures"]["eer"] == 0


@pytest.fixture
def real_run(monkeypatch, tmp_path):
    """The command with the real detector."""
    from click.testing import CliRunner

    from glottis.cli import program

    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(program, list(args))


def test_a_bundle_scores_a_corpus_first_and_once(real_run, tmp_path):
    table = tiny_corpus(tmp_path / "corpus")
    bundle = tiny_bundle(tmp_path / "bundle", min_speech_s=0.0, changes={"outputs": ["score"]})
    args = ("evaluate", "s.jsonl", "--model", str(bundle), "--corpus", str(table), "--split", "dev")
    first = real_run(*args, "--coverage", "0", "--resamples", "10")
    assert first.exit_code == 0, first.stderr
    lines = (tmp_path / "s.jsonl").read_text()
    again = real_run(*args, "--coverage", "0", "--resamples", "10")
    assert again.stdout == first.stdout
    assert (tmp_path / "s.jsonl").read_text() == lines


def test_a_scan_becomes_a_submission(run, tmp_path):
    lines = [{"source": "a.wav", "llr": 1.25}, {"source": "b.wav", "llr": -3.5}, {"source": "c.wav", "llr": None}]
    (tmp_path / "scan.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = run("evaluate", "scan.jsonl", "--submission", "mine.csv", "--form", "arena")
    assert result.exit_code == 0
    assert "1 trials have no score and are left out, first 'c.wav'" in result.stderr
    assert (tmp_path / "mine.csv").read_text() == "file_name,score\na.wav,1.25\nb.wav,-3.5\n"
    assert run("evaluate", "scan.jsonl", "--submission", "no/such/folder").exit_code == 2
