"""One system on one test."""

import json
from dataclasses import replace

import numpy as np
import pytest

from glottis.errors import CorpusError
from glottis.evaluation import Trials
from glottis.evaluation.compare import compare
from glottis.evaluation.evaluate import HEADLINE, evaluate
from glottis.metrics import METRICS, challenge_eer, min_tdcf


def test_each_headline_figure_is_the_metric_of_that_name(trials):
    found = evaluate(trials, resamples=20)
    assert tuple(found.figures) == HEADLINE
    for name, figure in found.figures.items():
        assert figure.value == METRICS[name].function(*trials.by_class)
        assert figure.low <= figure.high
        assert figure.unit == "trial"


def test_the_tandem_cost_needs_asv_scores(trials, asv):
    found = evaluate(trials, asv=asv, by=["attack"], resamples=20)
    for form in ("2019", "2021"):
        want = min_tdcf(*trials.by_class, asv.rates(), form=form)
        assert found.figures[f"min_tdcf_{form}"].value == want
    bonafide, spoof = trials.by_class
    attacks = trials.columns["attack"][~trials.bonafide]
    for part in found.parts["attack"]:
        here = spoof[attacks == part.value]
        assert part.eer == challenge_eer(bonafide, here)
        assert part.min_tdcf == min_tdcf(bonafide, here, asv.rates(part.value))


def test_intervals_by_speaker_differ_from_those_by_trial(trials):
    by_trial, by_speaker = evaluate(trials, resamples=50), evaluate(trials, groups="speaker", resamples=50)
    assert by_speaker.unit == "speaker"
    assert by_speaker.figures["eer"].unit == "group"
    assert by_speaker.figures["eer"].value == by_trial.figures["eer"].value
    assert by_speaker.figures["eer"].low != by_trial.figures["eer"].low


def test_attacks_are_set_against_all_bona_fide_trials_and_speakers_against_their_own(trials):
    found = evaluate(trials, by=["attack", "speaker"], resamples=20)
    assert [(p.value, p.n_bonafide, p.n_spoof) for p in found.parts["attack"]] == [
        ("A00", 60, 20),
        ("A01", 60, 20),
        ("A02", 60, 20),
    ]
    assert [(p.value, p.n_bonafide, p.n_spoof) for p in found.parts["speaker"]] == [(f"S{k}", 10, 10) for k in range(6)]


def test_numbers_are_cut_into_fifths(trials):
    parts = evaluate(trials, by=["duration_s"], resamples=20).parts["duration_s"]
    assert len(parts) == 5
    assert sum(p.n_bonafide + p.n_spoof for p in parts) == 120
    assert all(" to " in p.value for p in parts)


def test_unknown_values_and_parts_of_one_class_are_shown_as_such():
    trials = Trials(
        "mine",
        "test",
        np.array(["a", "b", "c", "d"]),
        np.array([1.0, 0.5, -1.0, 0.7]),
        np.array([True, True, False, False]),
        {"codec": np.array(["", "mp3", "mp3", ""])},
        1.0,
    )
    unknown, mp3 = evaluate(trials, by=["codec"], resamples=20).parts["codec"]
    assert (unknown.value, unknown.eer) == ("unknown", 0.0)
    assert (mp3.value, mp3.n_bonafide, mp3.n_spoof) == ("mp3", 1, 1)
    only = evaluate(
        replace(trials, columns={"codec": np.array(["x", "y", "y", "y"])}), by=["codec"], resamples=20
    ).parts["codec"]
    assert (only[0].value, only[0].eer) == ("x", None)


def test_only_the_threshold_found_on_the_trials_is_an_oracle(trials):
    first, *others = evaluate(trials, resamples=20).thresholds
    assert first.oracle
    assert not any(one.oracle for one in others)
    real, fake = trials.by_class
    confusion = first.confusion
    assert confusion.false_spoof == int(np.sum(real < first.threshold))
    assert confusion.false_bonafide == int(np.sum(fake >= first.threshold))


def test_an_unknown_column_lists_those_that_there_are(trials):
    with pytest.raises(CorpusError, match="no column 'vocoder'") as caught:
        evaluate(trials, by=["vocoder"])
    assert "attack, speaker, duration_s" in caught.value.hint


def test_one_class_alone_is_refused(trials):
    real = trials.bonafide
    columns = {name: values[real] for name, values in trials.columns.items()}
    alone = Trials("mine", "test", trials.trials[real], trials.scores[real], real[real], columns, 1.0)
    with pytest.raises(CorpusError, match="no spoof score"):
        evaluate(alone)


def test_it_is_ready_for_json(trials, asv):
    found = json.loads(json.dumps(evaluate(trials, asv=asv, by=["attack"], resamples=20).to_dict(), allow_nan=False))
    assert found["n_bonafide"] == 60
    assert found["figures"]["eer"]["low"] <= found["figures"]["eer"]["value"]
    assert found["parts"]["attack"][0]["value"] == "A00"
    assert found["thresholds"][0]["oracle"] is True


def test_two_systems_are_compared_on_the_trials_that_they_share(trials, made):
    better = made("better", seed=0, apart=5.0)
    (pair,) = compare([better, trials], resamples=200)
    assert (pair.first, pair.second, pair.n_trials) == ("better", "mine", 120)
    assert pair.eer_difference.value == challenge_eer(*better.by_class) - challenge_eer(*trials.by_class)
    assert pair.eer_difference.high < 0
    assert pair.mcnemar.only_a > pair.mcnemar.only_b
    fewer = made("fewer", n=80)
    assert compare([fewer, trials], resamples=20)[0].n_trials == 80


def test_a_system_does_not_differ_from_itself(trials, made):
    (pair,) = compare([trials, made("again")], groups="speaker", resamples=50)
    assert (pair.eer_difference.low, pair.eer_difference.high) == (0, 0)
    assert pair.mcnemar.p_value == 1
