import math

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as their_log_loss

from glottis.errors import ConfigError
from glottis.metrics import brier, ece, log_loss, reliability
from score_inputs import INPUTS, labelled

every = pytest.mark.parametrize(("bonafide", "spoof"), INPUTS.values(), ids=INPUTS)


def probability(llr, prior_spoof=0.5):
    odds = llr + math.log((1 - prior_spoof) / prior_spoof)
    return 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0


def stated(bonafide, spoof, prior_spoof=0.5):
    labels, llrs = labelled(bonafide, spoof)
    return labels, np.array([probability(llr, prior_spoof) for llr in llrs])


@every
@pytest.mark.parametrize("prior_spoof", [0.5, 0.05])
def test_brier_agrees_with_scikit_learn(bonafide, spoof, prior_spoof):
    labels, p = stated(bonafide, spoof, prior_spoof)
    assert brier(bonafide, spoof, prior_spoof=prior_spoof) == pytest.approx(brier_score_loss(labels, p), abs=1e-13)


@pytest.mark.parametrize("kind", ["random", "tied", "constant", "one each, right", "one each, wrong", "tiny"])
def test_log_loss_agrees_with_scikit_learn(kind):
    labels, p = stated(*INPUTS[kind])
    assert log_loss(*INPUTS[kind]) == pytest.approx(their_log_loss(labels, p), abs=1e-13)


def test_log_loss_does_not_overflow():
    assert log_loss([-1000.0], [-1000.0]) == pytest.approx(500.0)
    assert log_loss([1e300], [-1e300]) == 0.0


def textbook_ece(confidences, right, n_bins):
    error = 0.0
    for i in range(n_bins):
        here = [
            (p, y)
            for p, y in zip(confidences, right, strict=True)
            if i / n_bins < p <= (i + 1) / n_bins or (i == 0 and p == 0)
        ]
        if here:
            gap = sum(p for p, _ in here) / len(here) - sum(y for _, y in here) / len(here)
            error += len(here) / len(confidences) * abs(gap)
    return error


@every
@pytest.mark.parametrize("n_bins", [1, 10, 15])
def test_errors_agree_with_a_slow_textbook(bonafide, spoof, n_bins):
    labels, p = stated(bonafide, spoof)
    assert ece(bonafide, spoof, n_bins=n_bins) == pytest.approx(textbook_ece(p, labels, n_bins), abs=1e-12)
    # The sign decides, also where p is so near to 0.5 that it rounds to it.
    confidence, right = np.maximum(p, 1 - p), (labelled(bonafide, spoof)[1] >= 0) == labels
    want = textbook_ece(confidence, right, n_bins)
    assert ece(bonafide, spoof, of="top_label", n_bins=n_bins) == pytest.approx(want, abs=1e-12)


def test_bins_agree_with_scikit_learn():
    bonafide, spoof = INPUTS["random"]
    found, said = calibration_curve(*stated(bonafide, spoof), n_bins=10)
    table = reliability(bonafide, spoof, n_bins=10)
    assert table.found == pytest.approx(found)
    assert table.stated == pytest.approx(said)
    assert table.trials.sum() == bonafide.size + spoof.size


def test_bins_of_equal_mass():
    table = reliability([1, 2, 3, 4], [-1, -2, -3, -4], bins="mass", n_bins=4)
    assert table.trials.tolist() == [2, 2, 2, 2]
    assert table.found.tolist() == [0, 0, 1, 1]
    assert reliability([1], [0], bins="mass", n_bins=5).trials.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"n_bins": 0}, "n_bins"),
        ({"prior_spoof": 0.0}, "prior_spoof"),
        ({"prior_spoof": np.nan}, "prior_spoof"),
        ({"of": "spoof"}, "spoof"),
        ({"bins": "odd"}, "odd"),
    ],
)
def test_refusals(settings, said):
    with pytest.raises(ConfigError, match=said):
        ece([1.0], [0.0], **settings)
