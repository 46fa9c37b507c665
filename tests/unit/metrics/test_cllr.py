import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from glottis.metrics import calibration_loss, cllr, min_cllr, pav


@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_pav_and_min_cllr_agree_with_scikit_learn(decimals):
    rng = np.random.default_rng(decimals)
    bonafide, spoof = np.round(rng.normal(1, 1, 150), decimals), np.round(rng.normal(0, 1, 90), decimals)
    scores = np.concatenate([bonafide, spoof])
    labels = np.repeat([1.0, 0.0], [150, 90])
    share = IsotonicRegression().fit(scores, labels).predict(scores)
    blocks = pav(bonafide, spoof)
    ours = (blocks.bonafide / (blocks.bonafide + blocks.spoof))[np.searchsorted(blocks.high, scores)]
    assert ours == pytest.approx(share, abs=1e-12)
    share = np.clip(share, 1e-300, 1 - 1e-16)
    llrs = np.log(share / (1 - share)) - np.log(150 / 90)
    assert min_cllr(bonafide, spoof) == pytest.approx(cllr(llrs[:150], llrs[150:]), abs=1e-12)


def test_blocks_cover_all_trials_and_increase():
    rng = np.random.default_rng(0)
    blocks = pav(rng.normal(1, 1, 40), rng.normal(0, 1, 60))
    assert (blocks.bonafide.sum(), blocks.spoof.sum()) == (40, 60)
    assert np.all(blocks.low <= blocks.high)
    assert np.all(blocks.low[1:] > blocks.high[:-1])
    assert np.all(np.diff(blocks.bonafide / (blocks.bonafide + blocks.spoof)) > 0)


def test_llrs_that_say_nothing_cost_one_bit():
    assert cllr([0.0, 0.0], [0.0]) == 1.0


def test_perfect_calibration_loses_nothing():
    # In each block the llr is what the counts say: ln(3 / 1) and ln(1 / 3).
    high, low = np.log(3), -np.log(3)
    assert calibration_loss([high, high, high, low], [low, low, low, high]) == pytest.approx(0, abs=1e-15)
