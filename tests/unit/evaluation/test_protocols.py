"""Protocols: the layout is told by its columns; labels are written in many ways, and unknown ones refused."""

import pytest

from glottis.errors import CorpusError
from glottis.evaluation import read_protocol, write_protocol

LAYOUTS = {
    "2019 LA": ("S1 T1 - - bonafide\nS1 T2 - A07 spoof\n", {"speaker": "S1", "attack": "A07"}),
    "2019 PA": ("S1 T1 aaa - bonafide\nS1 T2 aab AA spoof\n", {"environment": "aab", "attack": "AA"}),
    "2021 LA": (
        "S1 T1 none - bonafide bonafide only_speech hidden\nS1 T2 alaw ita_tx A07 spoof notrim eval\n",
        {"codec": "alaw", "transmission": "ita_tx", "attack": "A07", "trim": "notrim", "subset": "eval"},
    ),
    "2021 PA": (
        "S1 T1 R3 M3 D4 - - - - bonafide notrim eval\nS1 T2 R3 M3 d4 r1 m1 s4 c4 spoof notrim eval\n",
        {"room": "R3", "distance": "d4", "device": "s4", "subset": "eval"},
    ),
    "2021 DF": (
        (
            "S1 T1 nocodec vcc2020 bonafide bonafide notrim eval bonafide - - FF E\n"
            "S1 T2 low_m4a vcc2020 Task1-team20 spoof notrim eval neural_vocoder_autoregressive Task1 team20 FF E\n"
        ),
        {"compression": "low_m4a", "vocoder": "neural_vocoder_autoregressive", "gender": "FF", "language": "E"},
    ),
    "ASVspoof 5": (
        "S1 T1 M - 0 - - bonafide bonafide -\nS1 T2 F C01 3 - AC1 A14 spoof -\n",
        {"gender": "F", "codec": "C01", "codec_quality": "3", "attack": "A14"},
    ),
    "2019 scores": ("T1 - bonafide 1\nT2 A07 spoof 2\n", {"attack": "A07"}),
    "ADD": ("T1 genuine\nT2 fake\n", {}),
    "Codecfake": ("T1 real 0\nT2 fake 1\n", {}),
    "arena": ("file_name,label\nT1,bonafide\nT2,spoof\n", {}),
    "In-the-Wild": ("file,speaker,label\nT1,Alec Guinness,bona-fide\nT2,Ayn Rand,spoof\n", {"speaker": "Ayn Rand"}),
    "SpoofCeleb": ("file,speaker,attack\nT1,id1,a00\nT2,id2,a11\n", {"speaker": "id2", "attack": "a11"}),
    "Glottis": ("file,split,label,source\nT1,dev,bonafide,s\nT2,dev,spoof,t\n", {"split": "dev", "source": "t"}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout(tmp_path, layout):
    text, facts = LAYOUTS[layout]
    path = tmp_path / "protocol.txt"
    path.write_text(text)
    protocol = read_protocol(path)
    assert protocol.trials.tolist() == ["T1", "T2"]
    assert protocol.bonafide.tolist() == [True, False]
    for name, value in facts.items():
        assert protocol.columns[name][1] == value
    assert protocol.columns.get("attack", [""])[0] in {"", "a00"}


def test_only_the_trials_that_are_wanted(tmp_path):
    path = tmp_path / "p.txt"
    path.write_text(LAYOUTS["2021 LA"][0])
    protocol = read_protocol(path)
    assert protocol.where("subset", "eval").trials.tolist() == ["T2"]
    with pytest.raises(CorpusError, match=r"no trial whose subset is 'progress'") as caught:
        protocol.where("subset", "progress")
    assert "eval, hidden" in caught.value.hint
    with pytest.raises(CorpusError, match="no column 'phase'"):
        protocol.where("phase", "eval")


@pytest.mark.parametrize("layout", ["2019 LA", "2019 PA"])
def test_what_was_written_is_read_back(tmp_path, layout):
    (tmp_path / "a.txt").write_text(LAYOUTS[layout][0])
    first = read_protocol(tmp_path / "a.txt")
    write_protocol(tmp_path / "b.txt", first)
    assert (tmp_path / "b.txt").read_text() == LAYOUTS[layout][0]


def test_a_name_with_a_space_cannot_be_written(tmp_path):
    (tmp_path / "a.csv").write_text("file,label\na b.wav,spoof\n")
    with pytest.raises(CorpusError, match=r"a b\.wav"):
        write_protocol(tmp_path / "b.txt", read_protocol(tmp_path / "a.csv"))


BAD = {
    "unknown_label": ("T1 bonafide\nT2 perhaps\n", r"line 2: unknown label 'perhaps'"),
    "doubled_trials": ("T1 genuine\nT2 fake\nT2 fake\n", r"1 trials stand more than once, first 'T2' \(line 2\)"),
    "unknown_layout": ("a b c d e f\n", "6 columns without a header fit no layout"),
    "missing_column": ("name,label\nT1,spoof\n", "no column for the trial"),
    "empty": ("file_name,label\n", "a header and no row"),
}


@pytest.mark.parametrize("code", BAD)
def test_what_does_not_fit_is_refused(tmp_path, code):
    text, said = BAD[code]
    path = tmp_path / "p.txt"
    path.write_text(text)
    with pytest.raises(CorpusError, match=said) as caught:
        read_protocol(path)
    assert caught.value.code == code


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CorpusError, match="nowhere"):
        read_protocol(tmp_path / "nowhere.txt")
