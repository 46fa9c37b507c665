import numpy as np
import pytest

from glottis.errors import ConfigError, CorpusError
from glottis.metrics import eers_within, mean_eer_within, mean_eer_within_interval, metric
from glottis.verdict import Label


def two_sources():
    """Source `easy` is separated, `hard` is inverted, `small` has six spoof trials, `real` none."""
    scores = np.concatenate([np.arange(14.0), np.arange(14.0), np.arange(13.0), np.arange(9.0)])
    spoof = np.concatenate([np.arange(14) < 7, np.arange(14) >= 7, np.arange(13) < 6, np.zeros(9, dtype=bool)])
    return scores, ~spoof, np.repeat(["easy", "hard", "small", "real"], [14, 14, 13, 9])


def test_groups_with_enough_of_both_count_the_same():
    scores, bonafide, sources = two_sources()
    assert eers_within(scores, bonafide, sources) == {"easy": 0.0, "hard": 1.0}
    assert mean_eer_within(scores, bonafide, sources) == 0.5
    assert list(eers_within(scores, bonafide, sources, min_trials=6)) == ["easy", "hard", "small"]
    assert mean_eer_within(scores, bonafide, sources, mode="rocch") == 0.25


def test_labels_as_words():
    scores, bonafide, sources = two_sources()
    labels = [Label.BONAFIDE if real else Label.SPOOF for real in bonafide]
    assert mean_eer_within(scores, labels, sources) == 0.5
    with pytest.raises(CorpusError, match="fake"):
        mean_eer_within(scores, np.where(bonafide, "bonafide", "fake"), sources)


def test_interval():
    scores, bonafide, sources = two_sources()
    found = mean_eer_within_interval(scores, bonafide, sources, resamples=100)
    assert (found.low, found.value, found.high, found.unit) == (0.0, 0.5, 1.0, "group")


def test_refusals():
    scores, bonafide, sources = two_sources()
    with pytest.raises(CorpusError, match="no group has 8"):
        mean_eer_within(scores, bonafide, sources, min_trials=8)
    with pytest.raises(CorpusError, match="no spoof"):
        eers_within(scores, np.ones_like(bonafide), sources)
    with pytest.raises(CorpusError, match="groups"):
        eers_within(scores, bonafide, sources[:-1])


def test_registry_by_name():
    assert metric("eer").better == "lower"
    assert metric("auc").better == "higher"
    with pytest.raises(ConfigError, match="nonsense") as caught:
        metric("nonsense")
    assert "min_cllr" in caught.value.hint
