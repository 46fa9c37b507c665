import numpy as np
import pytest

from glottis.errors import ConfigError
from glottis.metrics import METRICS, OTHER_METRICS, metric
from glottis.metrics.check import numbered
from score_inputs import INPUTS


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_in_its_range_on_every_kind_of_scores(name, kind):
    entry = METRICS[name]
    value = entry.function(*INPUTS[kind])
    assert entry.low - 1e-12 <= value <= entry.high + 1e-12
    assert np.isfinite(value)


def test_a_metric_by_its_name():
    assert metric("auc") is METRICS["auc"]
    with pytest.raises(ConfigError, match="unknown metric 'aux'") as caught:
        metric("aux")
    assert "auc" in caught.value.hint


def test_settings_are_said():
    assert METRICS["apcer_at_bpcer_5"].settings == "level 0.05"
    assert METRICS["min_tdcf_2019"].settings.startswith("form 2019")
    assert OTHER_METRICS["range_f1"].settings == "frames of 1 s, threshold 0"


def test_names_are_numbered_in_their_order():
    names, index = numbered(np.array(["b", "a", "b", "c"]))
    assert names == ["a", "b", "c"]
    assert index.tolist() == [1, 0, 1, 2]
    assert numbered(np.array([7, 3, 7]))[0] == [3, 7]
