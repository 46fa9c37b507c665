"""Thresholds, probabilities, segments and arenas: values of the official or most-used implementations.

Provenance: `shared/facts/metrics.md`, sections 1.6, 4.3, 4.5 and 5 (scikit-learn, PartialSpoof's and WeDefense's code,
pyannote, the Speech Anti-Spoofing Arena's formula, a published table of ADD 2023) on RawGAT-ST "mul", 2019 LA eval.
"""

import gzip
from pathlib import Path

import numpy as np
import pytest

from glottis import metrics
from glottis.metrics import Frames, Stretch

SCORES = Path(__file__).resolve().parents[3] / "shared" / "reference" / "scores" / "asvspoof2019_LA"
FILE = SCORES / "RawGAT_ST_mul.eval.scores.txt.gz"
EER_THRESHOLD = 1.4512664079666138

needs_scores = pytest.mark.skipif(not FILE.exists(), reason="needs ../shared: reference/scores")


@pytest.fixture(scope="module")
def published():
    with gzip.open(FILE, "rt") as file:
        rows = [line.split() for line in file]
    scores = np.array([float(row[3]) for row in rows])
    bonafide = np.array([row[2] == "bonafide" for row in rows])
    attacks = np.array([row[1] for row in rows])
    return scores[bonafide], scores[~bonafide], attacks[~bonafide]


@needs_scores
def test_average_precision(published):
    bonafide, spoof, _ = published
    of_bonafide = metrics.average_precision(bonafide, spoof, positive="bonafide")
    assert of_bonafide == pytest.approx(0.9940440658463345, abs=1e-13)
    assert metrics.average_precision(bonafide, spoof) == pytest.approx(0.9998622380662685, abs=1e-13)


@needs_scores
def test_counts_at_the_eer_threshold(published):
    at = metrics.confusion_at(*published[:2], EER_THRESHOLD)
    assert (at.true_bonafide, at.false_spoof, at.false_bonafide, at.true_spoof) == (7277, 78, 678, 63204)
    have = [at.accuracy, at.balanced_accuracy, at.macro_f1]
    assert have == pytest.approx([0.9893875373752404, 0.9893908255514698, 0.9723377153375242], abs=1e-14)
    have = [at.precision_bonafide, at.recall_bonafide, at.f1_bonafide]
    assert have == pytest.approx([0.9147705845380264, 0.9893949694085656, 0.950620509470934], abs=1e-14)
    have = [at.precision_spoof, at.recall_spoof, at.f1_spoof]
    assert have == pytest.approx([0.9987674220157391, 0.989386681694374, 0.9940549212041144], abs=1e-14)


@needs_scores
def test_counts_at_0(published):
    at = metrics.confusion_at(*published[:2], 0.0)
    assert (at.true_bonafide, at.false_spoof, at.false_bonafide, at.true_spoof) == (7319, 36, 1715, 62167)
    have = [at.accuracy, at.f1_bonafide, at.f1_spoof]
    assert have == pytest.approx([0.9754200766455634, 0.893160046372567, 0.9861125431256691], abs=1e-14)
    assert metrics.METRICS["f1_spoof"].function(*published[:2]) == at.f1_spoof


@needs_scores
def test_brier_and_log_loss(published):
    assert metrics.brier(*published[:2]) == pytest.approx(0.01821590835795301, abs=1e-14)
    assert metrics.log_loss(*published[:2]) == pytest.approx(0.063985757131528, abs=1e-14)


@needs_scores
@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ({"n_bins": 10}, 0.03526221295041933),
        ({"n_bins": 15}, 0.035262212950419314),
        ({"n_bins": 15, "bins": "mass"}, 0.035446012048818226),
        ({"n_bins": 10, "of": "top_label"}, 0.004391308885125024),
        ({"n_bins": 15, "of": "top_label"}, 0.0050751597264166795),
    ],
)
def test_calibration_errors(published, settings, value):
    assert metrics.ece(*published[:2], **settings) == pytest.approx(value, abs=1e-14)


@needs_scores
@pytest.mark.parametrize(
    ("threshold", "percent"),
    [(0.0, 2.6846373000219192), (EER_THRESHOLD, 1.0613318305625952), (1.4515122987882043, 1.0597664443818267)],
)
def test_spoof_only_sets(published, threshold, percent):
    assert 100 * metrics.srr_complement(published[1], threshold) == pytest.approx(percent, abs=1e-12)


def test_vector_of_the_arena():
    assert metrics.srr_complement([-1, -1, 1, 1], 0.0) == 0.5


@needs_scores
def test_worst_attack(published):
    by_attack = metrics.apcer_by_attack(*published[1:], EER_THRESHOLD)
    assert list(by_attack) == [f"A{n:02d}" for n in range(7, 20)]
    # 4,914 trials each: their mean is the pooled rate.
    assert np.mean(list(by_attack.values())) == pytest.approx(678 / 63882, abs=1e-15)
    assert metrics.worst_apcer(*published[1:], EER_THRESHOLD) == ("A18", by_attack["A18"])


def test_add_2023_winner():
    assert metrics.add_track2_score(0.8223, 0.6066) == pytest.approx(0.67131, abs=1e-12)


def stretches(*ends):
    """Alternating stretches from 0, each with its end and whether it is bona fide."""
    starts = [0.0, *(end for end, _ in ends)]
    return [Stretch(start, end, bonafide=real) for start, (end, real) in zip(starts, ends, strict=False)]


PARTIAL = [
    Frames([2.0, 1.5, 1.0, 0.2, -1.0, -0.5, 1.2, 1.8, 2.2], stretches((0.5, True), (0.83, False), (1.3, True)), 1.3),
    Frames([-1.5, -0.2, 0.1, 1.1, 1.6, 0.6, 2.5], stretches((0.27, False), (1.0, True)), 1.0),
    Frames([1.9, 0.4, 1.3, 0.9, -0.1], stretches((0.75, True)), 0.75),
]


def test_range_eer():
    assert metrics.range_eer(PARTIAL, 0.16) == pytest.approx(0.20850340136054424, abs=1e-14)


@pytest.mark.parametrize(
    ("threshold", "miss", "false_alarm"),
    [
        (-0.1, 0.1183673469387755, 0.7 / 3),
        (0.1, 0.18367346938775508, 0.7 / 3),
        (0.2, 0.19183673469387752, 0.0),
        (0.4, 0.2571428571428571, 0.0),
    ],
)
def test_range_rates(threshold, miss, false_alarm):
    # The reference calls score > t bona fide: just over t, where Glottis accepts score >= t.
    have = metrics.range_rates(PARTIAL, 0.16, np.nextafter(threshold, 9))
    assert have == pytest.approx((miss, false_alarm), abs=1e-14)


@pytest.mark.parametrize(
    ("grid_s", "value"), [(None, 0.21323529411764708), (0.16, 0.21323529411764708), (0.01, 0.1959183673469388)]
)
def test_segment_eer(grid_s, value):
    assert metrics.segment_eer(PARTIAL, 0.16, grid_s=grid_s) == pytest.approx(value, abs=1e-14)
