import numpy as np
import pytest

from glottis.errors import ConfigError
from glottis.metrics import confusion_at, error_at_share, risk_coverage, risk_coverage_area
from score_inputs import INPUTS

every = pytest.mark.parametrize(("bonafide", "spoof"), INPUTS.values(), ids=INPUTS)


def textbook(bonafide, spoof, threshold):
    """(margin, wrong) of each trial, the surest first; the errors of ties are spread evenly."""
    trials = [(abs(x - threshold), float(x < threshold)) for x in bonafide]
    trials += [(abs(x - threshold), float(x >= threshold)) for x in spoof]
    spread = [(margin, np.mean([wrong for other, wrong in trials if other == margin])) for margin, _ in trials]
    return sorted(spread, reverse=True)


@every
@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_agrees_with_a_slow_textbook(bonafide, spoof, threshold):
    trials = textbook(bonafide, spoof, threshold)
    risks = [sum(wrong for _, wrong in trials[: i + 1]) / (i + 1) for i in range(len(trials))]
    assert risk_coverage_area(bonafide, spoof, threshold) == pytest.approx(np.mean(risks), abs=1e-12)
    curve = risk_coverage(bonafide, spoof, threshold)
    ends = [i for i in range(len(trials)) if i + 1 == len(trials) or trials[i + 1][0] < trials[i][0]]
    assert curve.coverage == pytest.approx([(i + 1) / len(trials) for i in ends])
    assert curve.risk == pytest.approx([risks[i] for i in ends], abs=1e-12)
    assert curve.margin.tolist() == [trials[i][0] for i in ends]


@every
def test_all_trials_have_the_error_of_the_confusion(bonafide, spoof):
    error = 1 - confusion_at(bonafide, spoof, 0.0).accuracy
    assert error_at_share(bonafide, spoof, 1.0) == pytest.approx(error, abs=1e-12)
    assert risk_coverage(bonafide, spoof).risk[-1] == pytest.approx(error, abs=1e-12)


def test_abstaining_on_the_unsure_helps():
    bonafide, spoof = [3.0, 2.0, -0.5], [-3.0, -2.0, 0.4]
    assert error_at_share(bonafide, spoof, 4 / 6) == 0.0
    assert error_at_share(bonafide, spoof, 5 / 6) == 1 / 5
    assert error_at_share(bonafide, spoof, 1.0) == 2 / 6


def test_refusals():
    for share in (0.0, 1.1, np.nan):
        with pytest.raises(ConfigError, match="share"):
            error_at_share([1.0], [0.0], share)
    for threshold in (np.nan, np.inf):
        with pytest.raises(ConfigError, match="threshold"):
            risk_coverage([1.0], [0.0], threshold)
