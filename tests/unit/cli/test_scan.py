from __future__ import annotations

import csv
import io
import json
import os

import pytest

pytestmark = pytest.mark.usefixtures("folder")

BAD = {
    "text.wav": "not_audio",
    "empty.wav": "empty",
    "sub": "directory",
    "list.m3u8": "forbidden_format",
    "concat.wav": "forbidden_format",
    "zero.wav": "no_samples",
    "missing.wav": "missing",
}


def lines_of(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_batch_goes_on_over_bad_files(run):
    result = run("scan", "a.wav", *BAD, "cut.wav", "spoof.wav", "--format", "jsonl")
    lines = lines_of(result)
    assert result.exit_code == 3
    assert [line["source"] for line in lines] == ["a.wav", *BAD, "cut.wav", "spoof.wav"]
    assert {line["source"]: line["error"]["code"] for line in lines if "error" in line} == BAD
    assert lines[-2]["complete"] is False
    assert lines[-2]["warnings"]
    assert result.stderr.startswith("2 bonafide, 1 spoof, 7 failed in ")


def test_done(run):
    result = run("scan", "a.wav")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].split() == ["verdict", "p_spoof", "llr", "speech", "recording"]
    assert result.stdout.splitlines()[1].split() == ["bonafide", "0.047", "+3.00", "2.5", "s", "a.wav"]


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["a.wav", "--fail-on", "spoof"], 0),
        (["spoof.wav", "--fail-on", "spoof"], 4),
        (["spoof.wav", "missing.wav", "--fail-on", "spoof"], 4),
        (["a.wav", "missing.wav", "--fail-on", "spoof"], 3),
        (["spoof.wav", "--fail-on", "no_speech", "--fail-on", "inconclusive"], 0),
        (["spoof.wav", "--fail-on", "no_speech", "--fail-on", "spoof"], 4),
        (["a.wav", "--fail-on", "bonafide"], 2),
        ([], 2),
        (["a.wav", "--format", "xml"], 2),
        (["a.wav", "--threads", "0"], 2),
        (["a.wav", "--threads", "many"], 2),
        (["a.wav", "--prior", "1"], 2),
        (["a.wav", "--channel", "left"], 2),
        (["a.wav", "--model", "none"], 2),
        (["a.wav", "--timeline", "--format", "csv"], 2),
        (["-", "-"], 2),
    ],
)
def test_exit_codes(run, args, code):
    result = run("scan", *args)
    assert result.exit_code == code
    assert "Traceback" not in result.stderr
    assert (not result.stdout) == (code == 2)


def test_a_bug_is_told_without_a_traceback(run, detector, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("\x1b[31moops")

    monkeypatch.setattr(detector.Detector, "scan_many", broken)
    result = run("scan", "a.wav")
    assert result.exit_code == 1
    assert "a bug of Glottis: RuntimeError: \\x1b[31moops" in result.stderr


def test_interrupted_keeps_what_was_finished(run, detector, monkeypatch):
    def cut(_self, recordings, **_):
        yield detector.verdict_of(next(iter(recordings)), "spoof")
        raise KeyboardInterrupt

    monkeypatch.setattr(detector.Detector, "scan_many", cut)
    result = run("scan", "a.wav", "spoof.wav", "--format", "jsonl")
    assert result.exit_code == 130
    assert [line["source"] for line in lines_of(result)] == ["a.wav"]
    assert "1 spoof in " in result.stderr
    assert "interrupted" in result.stderr


def test_flags_reach_the_detector(run, detector):
    named = ("--threads", "3", "--channel", "1", "--prior", "0.01", "--model", "other", "--device", "auto")
    run("scan", "a.wav", *named)
    given = {"model": "other", "threads": 3, "channel": 1, "prior_spoof": 0.01, "device": "auto"}
    assert given == detector.CALLS


def test_variables_and_the_file_reach_the_detector(run, folder, detector, monkeypatch):
    (folder / "glottis.toml").write_text("threads = 2\nchannel = 'mix'\n")
    monkeypatch.setenv("GLOTTIS_THREADS", "5")
    run("scan", "a.wav")
    assert (detector.CALLS["threads"], detector.CALLS["channel"]) == (5, "mix")


def test_stdin(run, wav):
    result = run("scan", "-", "--format", "jsonl", input=wav)
    assert result.exit_code == 0
    assert lines_of(result)[0]["duration_s"] == 4.0
    assert run("scan", "-", input=b"").exit_code == 3


def test_a_glob_that_the_shell_left(run):
    result = run("scan", "*oo*.wav", "[a].wav", "no*ne.wav", "--format", "jsonl")
    assert [line["source"] for line in lines_of(result)] == ["spoof.wav", "a.wav", "no*ne.wav"]
    assert result.exit_code == 3


def test_a_name_that_looks_like_a_glob(run, folder, wav):
    (folder / "take[1].wav").write_bytes(wav)
    assert run("scan", "take[1].wav").exit_code == 0


def test_csv(run):
    result = run("scan", "a.wav", "spoof.wav", "missing.wav", "--format", "csv")
    assert result.stdout_bytes.count(b"\r\n") == 4
    from glottis.cli.lines import CSV_HEADER

    rows = list(csv.DictReader(io.StringIO(result.stdout_bytes.decode(), newline="")))
    assert tuple(rows[0]) == CSV_HEADER
    assert rows[0]["llr"] == "3.0"
    assert rows[1]["reasons"] == "short"
    assert rows[1]["spoof_segments"] == "0.00-2.00"
    assert rows[1]["threshold_spoof"] == "-1.0"
    assert rows[1]["complete"] == "true"
    assert (rows[2]["verdict"], rows[2]["error_code"]) == ("", "missing")


@pytest.mark.parametrize("name", ["=1+1.wav", "+a.wav", "@a.wav", "\ta.wav"])
def test_csv_has_no_formula(run, folder, wav, name):
    (folder / name).write_bytes(wav)
    (row,) = csv.DictReader(io.StringIO(run("scan", name, "--format", "csv").stdout_bytes.decode(), newline=""))
    assert row["source"] == f"'{name}"


def test_csv_keeps_quotes_commas_and_newlines(run, folder, wav):
    name = 'a "b", c\nd.wav'
    (folder / name).write_bytes(wav)
    (row,) = csv.DictReader(io.StringIO(run("scan", name, "--format", "csv").stdout_bytes.decode(), newline=""))
    assert row["source"] == name


def test_a_name_with_a_newline(run, folder, wav):
    name = "two\nlines\x1b[31m\u202e.wav"
    (folder / name).write_bytes(wav)
    assert lines_of(run("scan", name, "--format", "jsonl"))[0]["source"] == name
    table = run("scan", name).stdout
    assert len(table.splitlines()) == 2
    assert "two\\nlines\\x1b[31m\\u202e.wav" in table


@pytest.mark.parametrize("form", ["table", "jsonl", "csv"])
def test_a_name_in_another_encoding(run, folder, wav, form):
    name = os.fsdecode(b"caf\xe9.wav")
    try:
        (folder / name).write_bytes(wav)
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    result = run("scan", name, "--format", form)
    assert result.exit_code == 0
    assert b"caf\\" in result.stdout_bytes
    assert run("scan", os.fsdecode(b"\xff.wav"), "--format", form).exit_code == 3


def test_each_channel_has_its_row(run, folder, make_wav):
    (folder / "call.wav").write_bytes(make_wav(3.0, channels=2))
    result = run("scan", "call.wav", "--format", "jsonl")
    assert [line["channel"] for line in lines_of(result)] == [0, 1]
    assert "call.wav [channel 1]" in run("scan", "call.wav").stdout


def test_recursive(run, folder, wav):
    (folder / "sub" / "deep").mkdir()
    (folder / "sub" / "deep" / "B.WAV").write_bytes(wav)
    (folder / "sub" / "a.flac").write_bytes(wav)
    (folder / "sub" / "notes.txt").write_text("no recording")
    result = run("scan", "-r", "sub", "a.wav", "--format", "jsonl")
    assert result.exit_code == 0
    assert [line["source"] for line in lines_of(result)] == ["sub/a.flac", "sub/deep/B.WAV", "a.wav"]


def test_a_folder_without_recordings_is_no_success(run):
    result = run("scan", "-r", "sub", "--format", "jsonl")
    assert result.exit_code == 3
    assert lines_of(result)[0]["error"]["code"] == "no_recordings"


def test_config_errors_come_before_any_output(run, folder):
    (folder / "glottis.toml").write_text("treads = 2\n")
    result = run("scan", "a.wav")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean threads?" in result.stderr
