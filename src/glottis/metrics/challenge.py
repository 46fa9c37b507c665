"""Figures of challenges and arenas that stand on other figures. Rates are fractions, 0 to 1.

Source: `shared/facts/metrics.md`, sections 5.2 (ADD 2022 and 2023) and 5.3 (Speech Anti-Spoofing Arena). The weights
of ADD's rounds are known from memory of the organisers' text only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from glottis.errors import ConfigError, CorpusError
from glottis.metrics.check import checked_class
from glottis.metrics.iso30107 import apcer, check_share
from glottis.metrics.threshold import check_threshold

ADD_ROUNDS = (0.4, 0.6)
"""The weights of the two rounds of ADD 2023, track 1.2."""

_SENTENCE, _SEGMENT = 0.3, 0.7


def weighted_eer(eers: Sequence[float], weights: Sequence[float] = ADD_ROUNDS) -> float:
    """ADD's weighted EER over its rounds: the sum of weight times EER; lower is better.

    Raises:
        ConfigError: An EER is not between 0 and 1, the weights do not add up to 1 or their number differs
            (``bad_weights``).
    """
    if len(eers) != len(weights) or min(weights, default=-1) < 0 or not np.isclose(sum(weights), 1):
        raise ConfigError(
            f"weights {tuple(weights)} for {len(eers)} EERs",
            code="bad_weights",
            hint="give one weight for each round; they add up to 1",
        )
    for one in eers:
        check_share(one, "an EER")
    return float(np.dot(eers, weights))


def srr_complement(spoof_scores: ArrayLike, threshold: float) -> float:
    """1 - SRR for sets of spoof alone: the share of spoof that a threshold fixed elsewhere accepts; lower is better.

    The threshold is the detector's EER threshold on a calibration set, and stands in the submission. The arena prints
    percent. It equals `apcer`; its mirror for sets of bona fide alone is `bpcer`.

    Raises:
        CorpusError: There is no spoof score, or one is not finite.
        ConfigError: The threshold is not finite (``bad_threshold``).
    """
    if not np.isfinite(threshold):
        raise ConfigError(f"the threshold is {threshold}", code="bad_threshold", hint="give the calibration threshold")
    return apcer(spoof_scores, threshold)


def add_track2_score(sentence_accuracy: float, segment_f1: float) -> float:
    """ADD 2023, track 2: 0.3 times the accuracy over sentences and 0.7 times the F1 over segments; higher is better.

    Raises:
        ConfigError: A figure is not between 0 and 1.
    """
    check_share(sentence_accuracy, "sentence_accuracy")
    check_share(segment_f1, "segment_f1")
    return _SENTENCE * sentence_accuracy + _SEGMENT * segment_f1


def dsr(spoof_scores: Sequence[ArrayLike], thresholds: Sequence[float]) -> float:
    """ADD 2022, track 3.1: the deception success rate of generated speech, the share of wrong calls of all detectors.

    Args:
        spoof_scores: For each detector the scores of the generated utterances, shape ``(n_spoof,)``, as many for each.
        thresholds: The EER threshold of each detector; score >= threshold is a wrong call.

    Raises:
        CorpusError: No detector, scores as in `checked`, or another number of utterances (``unequal_lengths``).
        ConfigError: A threshold is not a number, or their number differs.
    """
    if len(spoof_scores) != len(thresholds):
        raise ConfigError(f"{len(thresholds)} thresholds for {len(spoof_scores)} detectors", code="bad_threshold")
    rows = [checked_class(scores, "spoof") for scores in spoof_scores]
    if not rows:
        raise CorpusError("there is no detector", code="empty_class", hint="give the scores of one or more")
    if len({row.size for row in rows}) > 1:
        sizes = ", ".join(str(row.size) for row in rows)
        raise CorpusError(f"the detectors scored {sizes} utterances", code="unequal_lengths", hint="score all by all")
    for threshold in thresholds:
        check_threshold(threshold)
    return float(np.mean([row >= threshold for row, threshold in zip(rows, thresholds, strict=True)]))
