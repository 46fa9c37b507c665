import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from glottis.errors import ConfigError, CorpusError
from glottis.metrics import Confusion, auc, average_precision, confusion_at, figure_at
from score_inputs import INPUTS, labelled

every = pytest.mark.parametrize(("bonafide", "spoof"), INPUTS.values(), ids=INPUTS)


@every
@pytest.mark.parametrize("threshold", [0.0, 0.5, -0.3, np.inf, -np.inf])
def test_agrees_with_scikit_learn(bonafide, spoof, threshold):
    labels, scores = labelled(bonafide, spoof)
    called = (scores >= threshold).astype(int)
    at = confusion_at(bonafide, spoof, threshold)
    assert confusion_matrix(labels, called, labels=[0, 1]).ravel().tolist() == [
        at.true_spoof,
        at.false_bonafide,
        at.false_spoof,
        at.true_bonafide,
    ]
    assert at.accuracy == pytest.approx(accuracy_score(labels, called), abs=1e-15)
    assert at.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels, called), abs=1e-15)
    for name, label in (("spoof", 0), ("bonafide", 1)):
        for figure, theirs in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
            want = theirs(labels, called, pos_label=label, zero_division=0)
            assert getattr(at, f"{figure}_{name}") == pytest.approx(want, abs=1e-15)
    assert at.macro_f1 == pytest.approx(f1_score(labels, called, average="macro", zero_division=0), abs=1e-15)


@every
def test_areas_agree_with_scikit_learn(bonafide, spoof):
    labels, scores = labelled(bonafide, spoof)
    assert auc(bonafide, spoof) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    of_bonafide = average_precision(bonafide, spoof, positive="bonafide")
    assert of_bonafide == pytest.approx(average_precision_score(labels, scores), abs=1e-12)
    assert average_precision(bonafide, spoof) == pytest.approx(average_precision_score(1 - labels, -scores), abs=1e-12)


def test_a_score_at_the_threshold_is_accepted():
    assert confusion_at([0.5], [0.5], 0.5) == Confusion(0, 0, 1, 1)


def test_a_figure_by_name():
    assert figure_at([1, 2, -1], [-1, 3], 0.0, figure="recall_bonafide") == pytest.approx(2 / 3)
    assert figure_at([1, 2, -1], [-1, 3]) == pytest.approx(0.5)
    with pytest.raises(ConfigError, match="nonsense"):
        figure_at([1], [0], figure="nonsense")


def test_refusals():
    with pytest.raises(ConfigError, match="threshold"):
        confusion_at([1], [0], np.nan)
    with pytest.raises(CorpusError, match="no spoof trial"):
        Confusion(0, 1, 2, 0)
    with pytest.raises(CorpusError, match="no bonafide trial"):
        Confusion(1, 0, 0, 0)
    with pytest.raises(CorpusError, match="-1"):
        Confusion(1, -1, 2, 0)
    with pytest.raises(ConfigError, match="real"):
        average_precision([1], [0], positive="real")
