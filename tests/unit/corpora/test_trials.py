from pathlib import Path

import pytest

from glottis.corpora import read_trials
from glottis.errors import CorpusError
from glottis.verdict import Label

COLUMNS = "file,split,label,system,kind,speaker,language,utterance,origin,source,duration_s,original_codec"
HUMAN = "a/1.flac,train,bonafide,human,human,ann,en,s1,vctk,a,3.5,mp3"
FAKE = 'a/2.flac,dev,spoof,"fast, pitch",tts,,,,,a,2,flac'
SHARED = Path(__file__).parents[4] / "shared" / "corpus" / "trials.csv"


@pytest.fixture
def table(tmp_path):
    def write(*lines):
        path = tmp_path / "trials.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


def refused(path, code, **arguments):
    with pytest.raises(CorpusError) as caught:
        read_trials(path, **arguments)
    assert caught.value.code == code
    assert str(path) in caught.value.message
    assert caught.value.hint
    return caught.value.message


def test_a_row_becomes_a_trial(table):
    human, fake = read_trials(table(COLUMNS, HUMAN, FAKE))
    assert human.label is Label.BONAFIDE
    assert (human.file, human.source, human.speaker, human.utterance, human.origin) == (
        "a/1.flac",
        "a",
        "ann",
        "s1",
        "vctk",
    )
    assert human.duration_s == 3.5
    assert human.extra == {"original_codec": "mp3"}
    assert fake.label is Label.SPOOF
    assert (fake.system, fake.speaker) == ("fast, pitch", "")
    assert human.path("/root") == Path("/root/a/1.flac")


def test_a_trial_can_be_a_key(table):
    assert len(set(read_trials(table(COLUMNS, HUMAN, FAKE)))) == 2


def test_a_split_is_chosen(table):
    path = table(COLUMNS, HUMAN, FAKE)
    assert [trial.file for trial in read_trials(path, split="dev")] == ["a/2.flac"]
    assert "'eval'" in refused(path, "empty", split="eval")


def test_order_of_columns_and_a_byte_order_mark_do_not_matter(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("\ufefflabel,file,source,system,kind,duration_s\nspoof,x.wav,s,y,tts,1\n", encoding="utf-8")
    (trial,) = read_trials(path)
    assert (trial.file, trial.speaker, trial.split) == ("x.wav", "", "")


@pytest.mark.parametrize("column", ["file", "label", "source", "system", "kind", "duration_s"])
def test_a_missing_column_is_named(table, column):
    header = ",".join(name for name in COLUMNS.split(",") if name != column)
    assert column in refused(table(header, HUMAN), "missing_column")


def test_a_split_needs_its_column(table):
    path = table(COLUMNS.replace(",split", ",part"), HUMAN)
    assert "split" in refused(path, "missing_column", split="train")


@pytest.mark.parametrize("label", ["real", "fake", "bona-fide", "BONAFIDE", "0", ""])
def test_an_unknown_label_is_named_with_its_line(table, label):
    message = refused(table(COLUMNS, FAKE, HUMAN.replace("bonafide", label)), "unknown_label")
    assert repr(label) in message
    assert "line 3" in message


@pytest.mark.parametrize("again", ["a/1.flac", "a//1.flac", "./a/1.flac"])
def test_a_doubled_file_is_refused(table, again):
    message = refused(table(COLUMNS, HUMAN, HUMAN.replace("a/1.flac", again)), "doubled_file")
    assert "line 2" in message
    assert "line 3" in message


@pytest.mark.parametrize("file", ["/etc/passwd", "../b.wav", "a/../../b.wav", ""])
def test_a_file_outside_of_the_corpus_is_refused(table, file):
    refused(table(COLUMNS, HUMAN.replace("a/1.flac", file)), "outside")


@pytest.mark.parametrize("duration", ["", "long", "-1", "0", "nan", "inf"])
def test_a_duration_must_be_seconds(table, duration):
    refused(table(COLUMNS, HUMAN.replace("3.5", duration)), "bad_row")


@pytest.mark.parametrize("row", ["a/1.flac,train,spoof", HUMAN + ",more"])
def test_a_row_of_another_length_is_refused(table, row):
    refused(table(COLUMNS, row), "bad_row")


def test_no_rows_and_no_header_are_refused(table, tmp_path):
    refused(table(COLUMNS), "empty")
    empty = tmp_path / "empty.csv"
    empty.touch()
    refused(empty, "missing_column")


def test_what_cannot_be_read_is_refused(tmp_path):
    refused(tmp_path / "nowhere.csv", "unreadable")
    refused(tmp_path, "unreadable")
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"fLaC\xff\xfe\x00")
    refused(binary, "unreadable")


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared: the corpus")
def test_the_corpus_is_read_whole():
    trials = read_trials(SHARED)
    assert len(trials) == 9_605
    assert sum(trial.label is Label.BONAFIDE for trial in trials) == 3_277
    assert len(read_trials(SHARED, split="dev")) == 1_224
