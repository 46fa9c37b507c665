import numpy as np
import pytest

from glottis.errors import ConfigError, CorpusError
from glottis.metrics import add_track2_score, apcer, dsr, srr_complement, weighted_eer


def test_rounds_are_weighted():
    assert weighted_eer([0.1, 0.2]) == pytest.approx(0.16)
    assert weighted_eer([0.1, 0.2, 0.3], [0.5, 0.25, 0.25]) == pytest.approx(0.175)


@pytest.mark.parametrize("weights", [(0.4,), (0.5, 0.6), (-0.5, 1.5)])
def test_weights_that_do_not_fit(weights):
    with pytest.raises(ConfigError, match="weights"):
        weighted_eer([0.1, 0.2], weights)


def test_percent_is_refused():
    with pytest.raises(ConfigError, match="an EER is 5"):
        weighted_eer([5.0, 0.2])
    with pytest.raises(ConfigError, match="sentence_accuracy"):
        add_track2_score(82.23, 0.6)


def test_spoof_only_sets():
    assert srr_complement([0.0, 1.0, 2.0, -1.0], 1.0) == 0.5 == apcer([0.0, 1.0, 2.0, -1.0], 1.0)
    for threshold in (np.nan, np.inf):
        with pytest.raises(ConfigError, match="threshold"):
            srr_complement([0.0], threshold)


def test_deception_counts_all_detectors():
    assert dsr([[1, -1, 2, 0], [5, 5, 5, 1]], [0.0, 5.0]) == 6 / 8
    with pytest.raises(ConfigError, match="1 thresholds for 2"):
        dsr([[1], [2]], [0.0])
    with pytest.raises(CorpusError, match="1, 2 utterances"):
        dsr([[1], [2, 3]], [0.0, 0.0])
