"""Every trial under every condition, once; EER and its change on the trials that have a score."""

import json

import numpy as np
import pytest

from glottis.audio import PCM
from glottis.corpora import pick, read_trials
from glottis.detector import Detector
from glottis.errors import ConfigError
from glottis.evaluation.conditions import all_conditions, chosen
from glottis.evaluation.robustness import measure, to_dict
from glottis.evaluation.robustness_picture import robustness_picture
from glottis.testing import tiny_bundle, tiny_corpus
from glottis.verdict import Failed

SOME = chosen(all_conditions(), "white noise,level,processed")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    table = tiny_corpus(tmp_path_factory.mktemp("corpus"), clips=4, duration_s=2.0)
    return table.parent, read_trials(table, split="dev")


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    pytest.importorskip("onnx")
    return Detector(tiny_bundle(tmp_path_factory.mktemp("bundle") / "b"))


def run(detector, corpus, output, conditions=SOME, scan_many=None, **more):
    root, trials = corpus
    return measure(
        scan_many or detector.scan_many,
        trials,
        root,
        output,
        conditions,
        bundle_sha256=detector.bundle.sha256,
        sample_rate_hz=16_000,
        **more,
    )


@pytest.fixture(scope="module")
def results(detector, corpus, tmp_path_factory):
    return run(detector, corpus, tmp_path_factory.mktemp("out"))


def test_the_clean_one_is_what_a_scan_of_the_files_gives(detector, corpus, results):
    root, trials = corpus
    calls = [detector.scan(trial.path(root)).verdict for trial in trials if trial.label == "spoof"]
    assert results[0].family == "clean"
    assert results[0].change is None
    assert results[0].spoof_called_bonafide == calls.count("bonafide") / len(calls)


def test_what_a_condition_does_is_told_against_the_same_trials_when_clean(results):
    by_name = {f"{one.family} {one.strength}": one for one in results}
    hard = by_name["processed denoised hard"]
    assert hard.change.value == hard.eer.value - results[0].eer.value > 0
    assert hard.change.unit == "group"
    assert hard.n_bonafide == hard.n_spoof == 8


def test_where_no_speech_is_left_there_is_no_rate_but_a_count(results):
    drowned = next(one for one in results if (one.family, one.strength) == ("white noise", "0 dB"))
    assert (drowned.eer, drowned.change, drowned.without_score, drowned.undecided) == (None, None, 16, 1.0)


def test_a_run_that_was_cut_goes_on(detector, corpus, tmp_path, results):
    heard = []

    def cut(recordings):
        for recording in recordings:
            if len(heard) == 20:
                raise KeyboardInterrupt
            heard.append(recording)
            yield detector.scan(recording)

    with pytest.raises(KeyboardInterrupt):
        run(detector, corpus, tmp_path, scan_many=cut)
    scanned, seen = [], []

    def counted(recordings):
        for recording in recordings:
            scanned.append(recording)
            yield detector.scan(recording)

    again = run(detector, corpus, tmp_path, scan_many=counted, progress=lambda *at: seen.append(at))
    assert len(scanned) == len(SOME) * 16 - 20
    assert seen[-1] == (len(SOME) * 16, len(SOME) * 16, SOME[-1].name)
    assert again == results
    assert all(isinstance(one, PCM) for one in scanned)


def test_a_file_that_is_gone_counts_as_undecided_and_ends_nothing(detector, corpus, tmp_path):
    root, trials = corpus

    def some_fail(recordings):
        for number, recording in enumerate(recordings):
            yield Failed("x", "missing", "gone", "") if number == 0 else detector.scan(recording)

    found = run(detector, (root, trials), tmp_path, conditions=SOME[:2], scan_many=some_fail)
    assert [one.without_score for one in found] == [1, 1]
    assert found[0].undecided >= 1 / 16
    missing = [trials[0].__class__(**{**{f: getattr(trials[0], f) for f in trials[0].__slots__}, "file": "gone.wav"})]
    result = run(detector, (root, [*missing, *trials[1:]]), tmp_path / "2", conditions=SOME[:1])
    del result
    line = json.loads((tmp_path / "2" / "clean.jsonl").read_text().splitlines()[0])
    assert line["error"]["code"] == "missing"


def test_an_output_that_is_a_file_is_refused(detector, corpus, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file: "):
        run(detector, corpus, tmp_path / "file")


def test_a_few_trials_are_spread_over_sources_and_labels(corpus):
    _, trials = corpus
    few = pick(trials, 4)
    assert len({(trial.source, trial.label) for trial in few}) == 4
    assert few == pick(trials, 4)
    assert set(few) <= set(pick(trials, 8))
    assert pick(trials, None) == pick(trials, 99) == trials


def test_it_is_ready_for_json_and_drawn(results):
    found = json.loads(json.dumps(to_dict(results, {"name": "tiny"})))
    assert [one["family"] for one in found["conditions"]] == [one.family for one in SOME]
    assert np.isfinite(found["conditions"][1]["eer"]["value"])
    pytest.importorskip("matplotlib")
    picture = robustness_picture(results)
    assert picture.startswith("<svg")
    assert all(text in picture for text in ("white noise", "processed", "denoised hard", "-40 dB"))
