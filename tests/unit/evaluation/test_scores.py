"""Score files: every form in, three out, and what is refused."""

import gzip
import json
import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from glottis.errors import ConfigError, CorpusError
from glottis.evaluation import ScoreFile, read_asv_scores, read_sasv_scores, read_scores, write_scores

FORMS = {
    "two columns": "A 1.5\nB -2\n",
    "tabs": "A\t1.5\nB\t-2\n",
    "2019, with attack and key": "A - bonafide 1.5\nB A07 spoof -2\n",
    "arena": "file_name,score\nA,1.5\nB,-2\n",
    "ASVspoof 5": "filename\tcm-score\nA\t1.5\nB\t-2\n",
    "a log of NII": "Output, A, 1, 1.5\nOutput, B, 0, -2\n",
    "further columns": "label,score,utt,x\nspoof,1.5,A,9\nspoof,-2,B,9\n",
    "Windows": "A 1.5\r\nB -2\r\n",
    "a mark at the start": "﻿A 1.5\nB -2\n",
    "glottis scan": '{"source": "A", "llr": 1.5, "score": 9}\n\n{"source": "B", "llr": null, "score": -2}\n',
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
def test_each_form_gives_the_same(tmp_path, text, zipped):
    path = tmp_path / ("mine.scores.txt" + ".gz" * zipped)
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    file = read_scores(path)
    assert file.name == "mine"
    assert (file.trials.tolist(), file.scores.tolist()) == (["A", "B"], [1.5, -2.0])


def test_recordings_without_a_score_are_named(tmp_path):
    lines = [
        {"source": "A", "llr": 1.0, "score": 2.0},
        {"source": "B", "verdict": "no_speech", "llr": None, "score": None},
        {"source": "C", "error": {"code": "undecodable"}},
    ]
    path = tmp_path / "scan.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    assert read_scores(path).unscored == ("B", "C")
    assert read_scores(path, column="score").scores.tolist() == [2.0]


def test_a_column_can_be_named(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("file,first,second\nA,1,2\n")
    assert read_scores(path, column="first").scores.tolist() == [1.0]


NAMES = st.text(st.characters(codec="ascii", exclude_categories=["C", "Z"], exclude_characters=',"|'), min_size=1)


@pytest.mark.parametrize("form", ["challenge", "arena", "asvspoof5"])
@example(scores={"SCORE": 0.0})
@given(
    scores=st.dictionaries(
        NAMES.filter(lambda n: n[0] != "{" and n != "Output"), st.floats(allow_nan=False), min_size=1
    )
)
def test_what_was_written_is_read_back(tmp_path_factory, form, scores):
    path = tmp_path_factory.mktemp("written") / "s.txt"
    file = ScoreFile("s", np.array(list(scores), np.str_), np.array(list(scores.values())))
    write_scores(path, file, form=form)
    again = read_scores(path)
    assert again.trials.tolist() == file.trials.tolist()
    assert again.scores.tolist() == file.scores.tolist()


def test_a_name_that_would_break_the_form_is_refused(tmp_path):
    file = ScoreFile("s", np.array(["a b.wav"]), np.array([1.0]))
    with pytest.raises(CorpusError, match=r"a b\.wav"):
        write_scores(tmp_path / "s.txt", file)
    write_scores(tmp_path / "s.csv", file, form="arena")
    assert read_scores(tmp_path / "s.csv").trials.tolist() == ["a b.wav"]
    with pytest.raises(ConfigError, match="unknown form"):
        write_scores(tmp_path / "s.txt", file, form="mine")


BAD = {
    "unreadable": (b"\xff\xfe\x00\x01", "cannot be read"),
    "empty": (b" \n", "is empty"),
    "bad_row": (b"A 1\nB 2 3\n", "line 2: 3 fields where others have 2"),
    "not_scores": (b"A 1\nB zwei\n", "line 2: the score 'zwei' is no number"),
}


@pytest.mark.parametrize("code", ["unreadable", "empty", "bad_row", "not_scores"])
def test_what_does_not_fit_is_refused_with_file_and_line(tmp_path, code):
    content, said = BAD[code]
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=said) as caught:
        read_scores(path)
    assert caught.value.code == code
    assert "bad.txt" in caught.value.message


def test_a_header_without_a_trial_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("name,score\nA,1\n")
    with pytest.raises(CorpusError, match="no column for the trial among name, score"):
        read_scores(path)


def test_a_broken_line_of_json_is_refused(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"source": "A", "llr": 1}\n{"llr": 1}\n')
    with pytest.raises(CorpusError, match="line 2: no verdict"):
        read_scores(path)


def test_nan_is_read_so_that_the_join_can_say_which_trial(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("A nan\nB 1\n")
    assert math.isnan(read_scores(path).scores[0])


def test_asv_scores_of_2019(tmp_path):
    path = tmp_path / "asv.txt"
    path.write_text("bonafide target 3\n- target 4\nbonafide nontarget -1\n- nontarget -2\nA07 spoof -5\nA08 spoof 5\n")
    asv = read_asv_scores(path)
    assert (asv.target.tolist(), asv.nontarget.tolist(), asv.spoof.tolist()) == ([3, 4], [-1, -2], [-5, 5])
    assert asv.attacks.tolist() == ["A07", "A08"]
    assert (asv.rates("A07").spoof_false_alarm, asv.rates("A08").spoof_false_alarm) == (0, 1)
    with pytest.raises(CorpusError, match="no spoof score"):
        asv.rates("A99")


def test_asv_scores_of_2021_need_their_keys(tmp_path):
    scores, keys = tmp_path / "score.txt", tmp_path / "trial_metadata.txt"
    scores.write_text("S1-alaw T1 3\nS1-alaw T2 -1\nS2-none T3 2\n")
    keys.write_text(
        "S2-none T3 none - A07 spoof notrim eval\n"
        "S1-alaw T2 alaw ita_tx bonafide nontarget notrim eval\n"
        "S1-alaw T1 alaw ita_tx bonafide target notrim eval\n"
    )
    asv = read_asv_scores(scores, keys=keys)
    assert (asv.target.tolist(), asv.nontarget.tolist(), asv.spoof.tolist()) == ([3], [-1], [2])
    with pytest.raises(CorpusError, match="unknown kind of ASV trial 'T1'"):
        read_asv_scores(scores)
    keys.write_text("S2-none T3 none - A07 spoof notrim eval\n")
    with pytest.raises(CorpusError, match="no key for 2 of 3 ASV trials, first S1-alaw T1"):
        read_asv_scores(scores, keys=keys)


def test_a_table_for_both_systems(tmp_path):
    path = tmp_path / "sasv.csv"
    path.write_text("asv_score,cm_score,sasv_label\n1,2,1.0\n3,4,2.0\n5,6,0.0\n")
    found = read_sasv_scores(path)
    assert found.kinds.tolist() == ["target", "nontarget", "spoof"]
    assert (found.asv.tolist(), found.cm.tolist()) == ([1, 3, 5], [2, 4, 6])
    path.write_text("asv_score,cm_score,sasv_label\n1,2,7\n")
    with pytest.raises(CorpusError, match="line 2: unknown label 7"):
        read_sasv_scores(path)
    path.write_text("A 1\n")
    assert read_sasv_scores(path) is None
