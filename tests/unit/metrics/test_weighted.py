"""Many resamples at once give what the metric gives on trials repeated one by one."""

from functools import partial

import numpy as np
import pytest

from glottis.metrics import METRICS, eer
from glottis.metrics.weighted import weighted
from score_inputs import INPUTS

PLAIN = {"ece_mass"}
"""Registered metrics that are computed once for each resample."""

KINDS = ["random", "tied", "few ties", "constant", "one each, right", "separated", "inverted"]


def drawn(bonafide, spoof, rows=12):
    rng = np.random.default_rng(0)
    weights = [rng.multinomial(size, np.full(size, 1 / size), rows) for size in (bonafide.size, spoof.size)]
    weights.append(rng.poisson(0.7, (rows, bonafide.size)) + (np.arange(bonafide.size) == 0))
    weights.append(rng.poisson(0.7, (rows, spoof.size)) + (np.arange(spoof.size) == 0))
    return [(weights[0], weights[1]), (weights[2], weights[3])]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_agrees_with_repeated_trials(metric, kind):
    bonafide, spoof = INPUTS[kind]
    quick = weighted(metric.function, bonafide, spoof)
    if metric.name in PLAIN:
        assert quick is None
        return
    for weights_b, weights_s in drawn(bonafide, spoof):
        want = [
            metric.function(np.repeat(bonafide, row_b), np.repeat(spoof, row_s))
            for row_b, row_s in zip(weights_b, weights_s, strict=True)
        ]
        assert quick(weights_b, weights_s) == pytest.approx(want, abs=1e-12)


@pytest.mark.parametrize("mode", ["challenge", "distinct", "interpolated", "rocch"])
def test_an_eer_by_its_mode(mode):
    bonafide, spoof = INPUTS["few ties"]
    quick = weighted(partial(eer, mode=mode), bonafide, spoof)
    weights_b, weights_s = drawn(bonafide, spoof)[0]
    want = eer(np.repeat(bonafide, weights_b[0]), np.repeat(spoof, weights_s[0]), mode=mode)
    assert quick(weights_b, weights_s)[0] == pytest.approx(want, abs=1e-12)


def test_other_functions_are_left_to_the_caller():
    assert weighted(lambda bonafide, spoof: float(bonafide.mean() - spoof.mean()), *INPUTS["random"]) is None
    assert weighted(partial(eer, INPUTS["random"][0]), *INPUTS["random"]) is None
