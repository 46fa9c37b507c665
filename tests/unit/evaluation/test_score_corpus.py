"""A corpus is scored once, however often the run is cut."""

import json
import sys
from pathlib import Path

import pytest

from glottis.corpora import read_trials
from glottis.errors import CorpusError
from glottis.evaluation import read_scores
from glottis.evaluation.score_corpus import score_corpus
from glottis.testing import tiny_corpus
from glottis.verdict import BundleId, Failed, Verdict

SHA = "a" * 64


def verdict(path, **changes):
    fields = {
        "source": str(path),
        "verdict": "bonafide",
        "score": float(len(path.name)),
        "llr": 1.0,
        "p_spoof": 0.1,
        "prior_spoof": 0.5,
        "thresholds": {"spoof": -1.0, "bonafide": 1.0},
        "duration_s": 1.0,
        "analysed_s": 1.0,
        "speech_s": 1.0,
        "sample_rate_hz": 16000,
        "codec": "flac",
        "bandwidth_hz": 7000.0,
        "bundle": BundleId("x", "1", SHA),
        "glottis": "0",
        "elapsed_s": 0.0,
    }
    return Verdict(**fields | changes)


@pytest.fixture
def corpus(tmp_path):
    table = tiny_corpus(tmp_path / "corpus")
    return table.parent, read_trials(table)


class Detector:
    def __init__(self, stop_after=sys.maxsize):
        self.scanned, self.stop_after = [], stop_after

    def scan_many(self, paths):
        for path in paths:
            if len(self.scanned) == self.stop_after:
                raise KeyboardInterrupt
            self.scanned.append(path)
            yield verdict(Path(path))


def test_a_run_that_was_cut_goes_on(corpus, tmp_path):
    root, trials = corpus
    output = tmp_path / "scores.jsonl"
    first, second = Detector(stop_after=3), Detector()
    with pytest.raises(KeyboardInterrupt):
        score_corpus(first.scan_many, trials, root, output, bundle_sha256=SHA)
    with output.open("a") as out:
        out.write('{"source": "half a li')
    seen = []
    score_corpus(second.scan_many, trials, root, output, bundle_sha256=SHA, progress=lambda *at: seen.append(at))
    assert seen[0] == (3, len(trials))
    assert seen[-1] == (len(trials), len(trials))
    assert len(second.scanned) == len(trials) - 3
    assert read_scores(output).trials.tolist() == [trial.file for trial in trials]


def test_the_lines_of_another_bundle_are_refused(corpus, tmp_path):
    root, trials = corpus
    output = tmp_path / "scores.jsonl"
    score_corpus(Detector().scan_many, trials[:2], root, output, bundle_sha256=SHA)
    with pytest.raises(CorpusError, match="line 1: not by this bundle"):
        score_corpus(Detector().scan_many, trials, root, output, bundle_sha256="b" * 64)
    output.write_text("a table\n")
    with pytest.raises(CorpusError, match="not by this bundle"):
        score_corpus(Detector().scan_many, trials, root, output, bundle_sha256=SHA)


def test_a_recording_that_failed_is_a_line_without_a_score(corpus, tmp_path):
    root, trials = corpus
    output = tmp_path / "scores.jsonl"
    failed = [Failed("x", "undecodable", "no audio", "") for _ in trials]
    score_corpus(lambda _paths: failed, trials, root, output, bundle_sha256=SHA)
    assert read_scores(output).unscored == tuple(trial.file for trial in trials)
    assert json.loads(output.read_text().splitlines()[0])["error"]["code"] == "undecodable"
