from __future__ import annotations

import csv
import io
import json

import pytest

from glottis.cli.lines import CSV_HEADER, Csv, JsonLines
from glottis.verdict import Failed, Notice, Segment


def row_of(result):
    text = Csv().head() + Csv().line(result)
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    return row


def test_the_header_only_ever_grows():
    assert ",".join(CSV_HEADER).startswith(
        "source,channel,verdict,score,llr,p_spoof,prior_spoof,threshold_spoof,threshold_bonafide,reasons,warnings,"
        "complete,duration_s,analysed_s,speech_s,sample_rate_hz,codec,bandwidth_hz,spoof_segments,bundle,"
        "bundle_version,bundle_sha256,glottis,elapsed_s,error_code,error_message,error_hint"
    )


def test_numbers_are_written_as_they_are(detector):
    row = row_of(detector.verdict_of("a.wav", "spoof", score=-4.7))
    assert (row["score"], row["llr"], row["threshold_spoof"]) == ("-4.7", "-3.0", "-1.0")


def test_what_is_not_there_is_empty(detector):
    row = row_of(detector.verdict_of("a.wav", "no_speech", thresholds=None, codec=None))
    assert [row[name] for name in ("score", "llr", "p_spoof", "threshold_spoof", "codec", "channel")] == [""] * 6


def test_lists_are_flat(detector):
    verdict = detector.verdict_of(
        "a.wav",
        "spoof",
        channel=0,
        complete=False,
        reasons=(Notice("short", "only 2 s"), Notice("narrow_band", "dull")),
        warnings=(Notice("truncated", "cut"),),
        spoof_segments=(Segment(0.0, 2.0, -3.0), Segment(61.25, 70.0, -2.0)),
    )
    row = row_of(verdict)
    assert (row["channel"], row["complete"]) == ("0", "false")
    assert (row["reasons"], row["warnings"]) == ("short narrow_band", "truncated")
    assert row["spoof_segments"] == "0.00-2.00 61.25-70.00"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_is_a_formula(start):
    row = row_of(Failed(f"{start}a", "missing", f"{start}a: no such file", f"{start}check"))
    assert row["source"] == f"'{start}a"
    assert row["error_message"] == f"'{start}a: no such file"
    assert row["error_hint"] == f"'{start}check"


@pytest.mark.parametrize("name", ["plain", 'a "b", c', "two\nlines", "caf\u00e9", "\u2028"])
def test_json_is_one_line_with_the_contract(name, detector):
    verdict = detector.verdict_of(name, "bonafide")
    text = JsonLines().head() + JsonLines().line(verdict)
    assert text.count("\n") == 1
    have = json.loads(text)
    assert list(have)[:5] == ["schema", "source", "channel", "verdict", "score"]
    assert (have["source"], have["verdict"]) == (name, "bonafide")


def test_a_failure_in_json():
    have = json.loads(JsonLines().line(Failed("a", "missing", "a: no such file", "check the path")))
    assert have == {
        "schema": 1,
        "source": "a",
        "error": {"code": "missing", "message": "a: no such file", "hint": "check the path"},
    }
