"""Values of the official or most-used implementations, at full precision.

Provenance: `shared/facts/golden_metrics.json` (computed by the ASVspoof organisers' scripts, PYLLR and scikit-learn)
and the published RawGAT-ST score files in `shared/reference/scores`.
"""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from glottis import metrics
from glottis.calibration import Platt

SHARED = Path(__file__).resolve().parents[3] / "shared"
FACTS = SHARED / "facts" / "golden_metrics.json"
SCORES = SHARED / "reference" / "scores" / "asvspoof2019_LA"
CLOSE = {"rel": 0, "abs": 1e-13}

# bona fide, spoof, official EER, its threshold, distinct, interpolated, ROCCH, Cllr, min Cllr, AUC
TOYS = {
    "perfect": ([2, 3, 4, 5], [-3, -2, -1, 0, 1], 0, 1, 0, 0, 0, 0.39611525430639855, 0, 1),
    "inverted": ([-3, -2, -1], [1, 2, 3], 1, -1, 1, 1, 0.5, 3.1204421572212637, 1, 0),
    "constant": ([0] * 4, [0] * 6, 1, 0, 0.5, 0.5, 0.5, 1, 1, 0.5),
    "one tie": ([1, 2, 3, 4], [0, 1, -1, -2], 0.25, 1, 0.125, 0.125, 0.125, 0.5326295820582729, 0.25, 0.96875),
    "ties": ([0, 1, 1, 2], [0, 0, 1, -1], 0.25, 0, 0.25, 0.25, 0.25, 0.804197223162844, 0.6887218755408672, 0.8125),
    "overlap": (
        [0.9, 0.8, 0.7, 0.6, 0.3],
        [0.1, 0.2, 0.4, 0.65, 0.05, 0.15, 0.25, 0.35, 0.12, 0.02],
        *(0.2, 0.35, 0.2, 0.2, 0.15, 0.8942585057480341, 0.3377443751081734, 0.92),
    ),
    "one each, right": ([1], [0], 0, 0, 0, 0, 0, 0.7259705415415242, 0, 1),
    "one each, wrong": ([0], [1], 1, 0, 1, 1, 0.5, 1.4473180619860058, 1, 0),
    "one each, tied": ([0], [0], 1, 0, 0.5, 0.5, 0.5, 1, 1, 0.5),
    "three to two": (
        [0.1, 0.5, 0.9],
        [0.2, 0.6],
        *(0.5833333333333333, 0.5, 0.5833333333333333, 0.5, 0.4, 1.013028658017368, 0.8091254953788904, 0.5),
    ),
    "hard decisions": (
        [1, 1, 1, 0],
        [0, 0, 0, 0, 1],
        *(0.225, 0, 0.225, 0.23809523809523808, 0.23809523809523808, 0.8839415185533442, 0.7684072306304376, 0.775),
    ),
    "saturated": (
        [1, 1, 1, 1, 0.5],
        [0] * 7 + [1, 1, 0.4],
        *(0.2, 0.5, 0.2, 0.2, 1 / 6, 0.8544950258827139, 0.3900134529890125, 0.88),
    ),
}


@pytest.mark.parametrize("toy", TOYS.values(), ids=TOYS)
def test_toys(toy):
    bonafide, spoof, official, threshold, distinct, interpolated, rocch, cllr, min_cllr, auc = toy
    assert metrics.challenge_eer_point(bonafide, spoof) == pytest.approx((official, threshold), **CLOSE)
    assert metrics.distinct_eer(bonafide, spoof) == pytest.approx(distinct, **CLOSE)
    assert metrics.interpolated_eer(bonafide, spoof) == pytest.approx(interpolated, **CLOSE)
    assert metrics.rocch_eer(bonafide, spoof) == pytest.approx(rocch, **CLOSE)
    assert metrics.cllr(bonafide, spoof) == pytest.approx(cllr, **CLOSE)
    assert metrics.min_cllr(bonafide, spoof) == pytest.approx(min_cllr, **CLOSE)
    assert metrics.auc(bonafide, spoof) == pytest.approx(auc, **CLOSE)


def test_official_curve_of_one_tie():
    curve = metrics.challenge_curve([1, 2, 3, 4], [0, 1, -1, -2])
    assert curve.miss.tolist() == [0, 0, 0, 0, 0.25, 0.25, 0.5, 0.75, 1]
    assert curve.false_alarm.tolist() == [1, 0.75, 0.5, 0.25, 0.25, 0, 0, 0, 0]
    assert curve.thresholds.tolist() == [-2.001, -2, -1, 0, 1, 1, 2, 3, 4]


def test_cllr_does_not_overflow():
    assert metrics.cllr([-800, 5], [-5, -6]) == pytest.approx(288.544745192442, rel=1e-13)


def test_probit():
    want = [-2.3263478740408408, -1.6448536269514729, -0.8416212335729142]
    assert metrics.probit([0.01, 0.05, 0.2]) == pytest.approx(want, abs=1e-12)


@pytest.mark.skipif(not FACTS.exists(), reason="needs ../shared: facts/golden_metrics.json")
def test_all_toys_of_the_facts():
    for name, toy in json.loads(FACTS.read_text())["toys"].items():
        bonafide, spoof = toy["bona"], toy["spoof"]
        curve = metrics.challenge_curve(bonafide, spoof)
        assert curve.miss.tolist() == toy["frr"], name
        assert curve.false_alarm.tolist() == toy["far"], name
        assert curve.thresholds.tolist() == toy["thr"], name
        have = [
            *metrics.challenge_eer_point(bonafide, spoof),
            metrics.distinct_eer(bonafide, spoof),
            metrics.interpolated_eer(bonafide, spoof),
            metrics.rocch_eer(bonafide, spoof),
            metrics.cllr(bonafide, spoof),
            metrics.min_cllr(bonafide, spoof),
            metrics.auc(bonafide, spoof),
        ]
        names = ["official_eer", "official_thr", "distinct_thr_eer", "interp_exact", "rocch", "cllr", "mincllr", "auc"]
        assert have == pytest.approx([toy[key] for key in names], **CLOSE), name


needs_scores = pytest.mark.skipif(
    not (SCORES / "RawGAT_ST_mul.eval.scores.txt.gz").exists(), reason="needs ../shared: reference/scores"
)


def published(system):
    with gzip.open(SCORES / f"RawGAT_ST_{system}.eval.scores.txt.gz", "rt") as file:
        rows = [line.split() for line in file]
    scores = np.array([float(row[3]) for row in rows])
    bonafide = np.array([row[2] == "bonafide" for row in rows])
    assert (bonafide.sum(), (~bonafide).sum()) == (7355, 63882)
    return scores[bonafide], scores[~bonafide]


@needs_scores
@pytest.mark.parametrize(
    ("system", "eer", "threshold", "cllr", "min_cllr"),
    [
        ("mul", 0.010601347517626343, 1.4512664079666138, 0.06625195005752256, 0.04652709108350265),
        ("add", 0.011585964783684807, 1.745120882987976, 0.0780801692596958, 0.05512757352802307),
        ("cat", 0.012353889397240336, 1.0857362747192383, 0.13492074610024157, 0.05688567926551883),
    ],
)
def test_published_scores(system, eer, threshold, cllr, min_cllr):
    bonafide, spoof = published(system)
    assert metrics.challenge_eer_point(bonafide, spoof) == pytest.approx((eer, threshold), **CLOSE)
    assert metrics.eer(bonafide, spoof) == metrics.challenge_eer(bonafide, spoof)
    assert metrics.cllr(bonafide, spoof) == pytest.approx(cllr, rel=1e-12)
    assert metrics.min_cllr(bonafide, spoof) == pytest.approx(min_cllr, rel=1e-12)
    assert metrics.calibration_loss(bonafide, spoof) == pytest.approx(cllr - min_cllr, abs=1e-12)


@needs_scores
@pytest.mark.parametrize(
    ("change", "official", "distinct", "interpolated", "rocch"),
    [
        (lambda x: x, 0.010601347517626343, 0.010601347517626331, 0.010605030591434398, 0.010521542264101303),
        (
            lambda x: np.round(x, 1),
            *(0.010609174448530198, 0.010609174448530174, 0.010608275190057252, 0.01060827519005727),
        ),
        (
            np.round,
            *(0.01087819420455513, 0.010549463106593248, 0.010666920999528137, 0.010666920999528144),
        ),
        (
            lambda x: (x > 0).astype(float),
            *(0.02681543667006199, 0.01587050125197907, 0.02626970712762589, 0.026269707127625854),
        ),
        (np.zeros_like, 1.0, 0.5, 0.5, 0.5),
    ],
    ids=["as published", "one decimal", "whole numbers", "hard decisions", "constant"],
)
def test_published_scores_with_ties(change, official, distinct, interpolated, rocch):
    bonafide, spoof = (change(scores) for scores in published("mul"))
    have = [metrics.eer(bonafide, spoof, mode=mode) for mode in ("challenge", "distinct", "interpolated", "rocch")]
    assert have == pytest.approx([official, distinct, interpolated, rocch], **CLOSE)


@needs_scores
def test_area_of_published_scores():
    assert metrics.auc(*published("mul")) == pytest.approx(0.9989542060372998, abs=1e-12)


@needs_scores
@pytest.mark.parametrize(
    ("system", "prior", "scale", "offset", "cllr"),
    [
        ("mul", 0.5, 1.3834994959151166, -1.5394184980764758, 0.051877162080223124),
        ("mul", 0.6551724137931034, 1.311093324388013, -1.4274490188857663, 0.05203010462978634),
        ("add", 0.5, 0.9460779845980705, -1.3742002794354693, 0.06310733971525209),
        ("cat", 0.5, 1.9190751660229668, -1.9920057921882288, 0.060322374092337386),
    ],
)
def test_linear_calibration_of_published_scores(system, prior, scale, offset, cllr):
    bonafide, spoof = published(system)
    fitted = Platt.fit(bonafide, spoof, prior_bonafide=prior)
    assert (fitted.scale, fitted.offset) == pytest.approx((scale, offset), rel=1e-10)
    assert metrics.cllr(fitted.apply(bonafide), fitted.apply(spoof)) == pytest.approx(cllr, rel=1e-12)
