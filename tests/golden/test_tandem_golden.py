"""Costs and tandem metrics against the ASVspoof organisers' scripts, at full precision.

Provenance: `shared/facts/metrics.md` (sections 2 and 3) and `golden_metrics.json`, computed by those scripts on the
published files in `shared/reference/scores`.
"""

import gzip
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from glottis.metrics import cost, tandem

SHARED = Path(__file__).resolve().parents[3] / "shared"
SCORES = SHARED / "reference" / "scores"
CLOSE = {"rel": 0, "abs": 1e-12}
needs_shared = pytest.mark.skipif(not SCORES.is_dir(), reason="the published scores of ../shared are not here")

TARGET = [3, 2.5, 2, 1.5, 1, 0.2, 2.2, 1.8]
NONTARGET = [-3, -2, -1, 0.5, 0, -0.5, -1.5, -2.5, 0.3, 1.2]
SPOOF = [2.4, 1.9, 0.1, -1, 1.1, 0.9, 1.6]
CM_TARGET = [2, 1.5, 3, 0.5, 2.5, 1.2, 0.9, 1.8]
CM_NONTARGET = [1.9, 2.2, 0.4, 1.1, 2.8, 1.6, 0.7, 2.1, 1.3, 3.1]
CM_SPOOF = [-1, 0.6, -2, -0.5, 1, 0.1, -1.5]
CASE_G = ([0.9, 0.8, 0.7, 0.6, 0.3], [0.1, 0.2, 0.4, 0.65, 0.05, 0.15, 0.25, 0.35, 0.12, 0.02])

# bona fide, spoof, minDCF, actDCF of ASVspoof 5
TOYS = {
    "A": ([2, 3, 4, 5], [-3, -2, -1, 0, 1], 0, 0.4),
    "B": ([-3, -2, -1], [1, 2, 3], 1, 2.9),
    "C": ([0] * 4, [0] * 6, 1, 1),
    "E": ([1, 2, 3, 4], [0, 1, -1, -2], 0.25, 0.5),
    "F": ([0, 1, 1, 2], [0, 0, 1, -1], 0.7249999999999995, 0.75),
    "G": (*CASE_G, 0.3, 1.0),
    "K": ([0.1, 0.5, 0.9], [0.2, 0.6], 1, 1),
    "L": ([1, 1, 1, 0], [0, 0, 0, 0, 1], 0.675, 1),
    "M": ([1, 1, 1, 1, 0.5], [0] * 7 + [1, 1, 0.4], 0.2, 1),
}


@pytest.mark.parametrize("toy", TOYS.values(), ids=TOYS)
def test_detection_costs_of_toys(toy):
    bonafide, spoof, least, actual = toy
    assert cost.min_dcf(bonafide, spoof) == pytest.approx(least, **CLOSE)
    assert cost.act_dcf(bonafide, spoof) == pytest.approx(actual, **CLOSE)


def test_bayes_threshold_of_asvspoof_5():
    assert cost.bayes_threshold() == pytest.approx(-0.6418538861723947, **CLOSE)


@pytest.mark.parametrize(
    ("rates", "form", "value"),
    [
        ((0.02, 0.03, 0.6), "2019", 0.3),
        ((0.02, 0.03, 0.6), "2021", 0.3638580494676098),
        ((0.1, 0.1, 0.1), "2019", 0.3),
        ((0.1, 0.1, 0.1), "2021", 0.7720612178443503),
    ],
)
def test_tandem_cost_of_a_toy_with_given_rates(rates, form, value):
    false_alarm, miss, spoof_false_alarm = rates
    asv = tandem.AsvRates(miss, false_alarm, spoof_false_alarm)
    assert tandem.min_tdcf(*CASE_G, asv, form=form) == pytest.approx(value, **CLOSE)


def test_tandem_cost_of_a_toy_with_asv_scores():
    asv = tandem.AsvRates.of(TARGET, NONTARGET, SPOOF)
    assert (asv.false_alarm, asv.miss) == (0.2, 0.125)
    assert 1 - asv.spoof_false_alarm == pytest.approx(0.2857142857142857, **CLOSE)
    assert tandem.min_tdcf(*CASE_G, asv) == pytest.approx(0.3, **CLOSE)
    assert tandem.min_tdcf(*CASE_G, asv, form="2021") == pytest.approx(0.49362510172710006, **CLOSE)


def test_three_class_toy():
    sums = [np.add(a, b) for a, b in ((TARGET, CM_TARGET), (NONTARGET, CM_NONTARGET), (SPOOF, CM_SPOOF))]
    assert tandem.a_dcf(*sums) == pytest.approx(0.41113445378151264, **CLOSE)
    assert tandem.a_dcf(*sums, costs=tandem.TandemCosts(0.9, 0.05, 0.05, 1, 10, 20)) == pytest.approx(
        0.3055555555555556, **CLOSE
    )
    whole = tandem.t_eer(TARGET, NONTARGET, SPOOF, [*CM_TARGET, *CM_NONTARGET], CM_SPOOF)
    assert 100 * whole == pytest.approx(20.408163265306122, **CLOSE)


def test_floors_of_the_form_of_2021():
    assert tandem.tdcf_floor(tandem.ASVSPOOF5_ASV) == pytest.approx(0.07793368376473968, **CLOSE)
    constants = tandem.TandemConstants.of(tandem.ASVSPOOF5_ASV, form="2021")
    assert constants.c0 == pytest.approx(0.019469691934153436, **CLOSE)
    assert constants.c1 == pytest.approx(0.9210303080658465, **CLOSE)
    assert constants.c2 == pytest.approx(0.23035414538023646, **CLOSE)


@cache
def golden():
    return json.loads((SHARED / "facts" / "golden_metrics.json").read_text())


@cache
def lines(name):
    with gzip.open(SCORES / name, "rt") as file:
        return [line.split() for line in file]


@cache
def asv_scores(name):
    rows = lines(name)
    kinds = np.array([row[1] for row in rows])
    attacks = np.array([row[0] for row in rows])
    values = np.array([float(row[2]) for row in rows])
    return {kind: values[kinds == kind] for kind in ("target", "nontarget", "spoof")}, attacks, kinds, values


@cache
def rawgat(kind):
    rows = lines(f"asvspoof2019_LA/RawGAT_ST_{kind}.eval.scores.txt.gz")
    bonafide = np.array([row[2] == "bonafide" for row in rows])
    values = np.array([float(row[3]) for row in rows])
    return values[bonafide], values[~bonafide], np.array([row[1] for row in rows])[~bonafide]


ASV_EVAL = "asvspoof2019_LA/ASVspoof2019.LA.asv.eval.gi.trl.scores.txt.gz"
ASV_FILES = {
    "LA.dev": "asvspoof2019_LA/ASVspoof2019.LA.asv.dev.gi.trl.scores.txt.gz",
    "LA.eval": ASV_EVAL,
    "PA.dev": "asvspoof2019_PA/ASVspoof2019.PA.asv.dev.gi.trl.scores.txt.gz",
}


@needs_shared
@pytest.mark.parametrize("name", ASV_FILES)
def test_asv_error_rates(name):
    want = golden()["asv_rates"][name]
    classes = asv_scores(ASV_FILES[name])[0]
    rates = tandem.AsvRates.of(classes["target"], classes["nontarget"], classes["spoof"])
    assert (rates.miss, rates.false_alarm, rates.spoof_false_alarm) == pytest.approx(
        (want["Pmiss"], want["Pfa"], want["Pfa_spoof"]), **CLOSE
    )
    constants = tandem.TandemConstants.of(rates, form="2021")
    assert (constants.c0, constants.c1, constants.c2) == pytest.approx((want["C0"], want["C1"], want["C2"]), **CLOSE)


@needs_shared
@pytest.mark.parametrize("kind", ["mul", "add", "cat"])
def test_published_rawgat_st(kind):
    want = golden()["rawgat"][f"rawgat_{kind}"]
    bonafide, spoof, _ = rawgat(kind)
    classes = asv_scores(ASV_EVAL)[0]
    asv = tandem.AsvRates.of(classes["target"], classes["nontarget"], classes["spoof"])
    value, threshold = tandem.min_tdcf_point(bonafide, spoof, asv)
    assert value == pytest.approx(want["mintdcf19"], **CLOSE)
    every = np.concatenate([bonafide, spoof])
    assert every[every < threshold].max() == want["thr19"]  # theirs is the highest score that is rejected
    assert tandem.min_tdcf(bonafide, spoof, asv, form="2021") == pytest.approx(want["mintdcf21"], **CLOSE)
    assert cost.min_dcf(bonafide, spoof) == pytest.approx(want["minDCF"], **CLOSE)
    assert cost.act_dcf(bonafide, spoof) == pytest.approx(want["actDCF"], **CLOSE)


@needs_shared
def test_published_tandem_cost_by_attack():
    """With the verifier's error rates on that attack's spoofs, and on all."""
    bonafide, spoof, attacks = rawgat("mul")
    classes, asv_attacks, kinds, values = asv_scores(ASV_EVAL)
    pooled = tandem.AsvRates.of(classes["target"], classes["nontarget"], classes["spoof"])
    for attack, (_, _, _, own, with_pooled, *_) in _by_attack().items():
        mine = values[(kinds == "spoof") & (asv_attacks == attack)]
        asv = tandem.AsvRates.of(classes["target"], classes["nontarget"], mine)
        here = spoof[attacks == attack]
        assert tandem.min_tdcf(bonafide, here, asv) == pytest.approx(own, **CLOSE)
        assert tandem.min_tdcf(bonafide, here, pooled) == pytest.approx(with_pooled, **CLOSE)


def _by_attack():
    return golden()["rawgat"]["rawgat_mul"]["per"]


@cache
def fusion_demo():
    with gzip.open(SCORES / "asvspoof5_fusion_demo" / "dev_scores_label.csv.gz", "rt") as file:
        rows = np.loadtxt(file, delimiter=",", skiprows=1)
    return rows[:, 0], rows[:, 1], rows[:, 2]


def by_class(scores, labels):
    return scores[labels == 1], scores[labels == 2], scores[labels == 0]


@needs_shared
def test_asvspoof_5_fusion_demo():
    want = golden()["asvspoof5_fusion_demo"]
    asv, cm, labels = fusion_demo()
    assert tandem.a_dcf(*by_class(asv + cm, labels)) == pytest.approx(want["adcf_sum"], **CLOSE)
    assert tandem.a_dcf(*by_class(cm, labels)) == pytest.approx(want["adcf_cm"], **CLOSE)
    assert tandem.a_dcf(*by_class(asv, labels)) == pytest.approx(want["adcf_asv"], **CLOSE)
    costs = tandem.TandemCosts(0.9, 0.05, 0.05, 1, 10, 20)
    value, threshold = tandem.a_dcf_point(*by_class(asv + cm, labels), costs=costs)
    assert value == pytest.approx(want["adcf_sum_default_costs"], **CLOSE)
    every = asv + cm
    assert every[every < threshold].max() == pytest.approx(7.841563165187836, **CLOSE)
    bonafide, spoof = cm[labels != 0], cm[labels == 0]
    assert tandem.min_tdcf(bonafide, spoof, tandem.ASVSPOOF5_ASV, form="2021") == pytest.approx(
        want["min_tdcf_default_asv"], **CLOSE
    )
    own = tandem.AsvRates.of(*by_class(asv, labels))
    assert tandem.min_tdcf(bonafide, spoof, own, form="2021") == pytest.approx(want["min_tdcf_own_asv"], **CLOSE)
    eers = tandem.sasv_eers(*by_class(asv + cm, labels))
    assert (eers.sasv, eers.sv, eers.spf) == pytest.approx((want["sasv_eer"], want["sv_eer"], want["spf_eer"]), **CLOSE)


@needs_shared
@pytest.mark.parametrize(("step", "key"), [(1, "teer_full_percent"), (10, "teer_every10th_percent")])
def test_concurrent_tandem_eer_of_the_fusion_demo(step, key):
    asv, cm, labels = (column[::step] for column in fusion_demo())
    value = 100 * tandem.t_eer(*by_class(asv, labels), np.concatenate(by_class(cm, labels)[:2]), cm[labels == 0])
    assert value == pytest.approx(golden()["asvspoof5_fusion_demo"][key], **CLOSE)
