"""EER inside each group: how well fakes are told from real speech of the same recording chain.

Pooled over sources, a detector can score well by telling sources apart. Inside one source it cannot.
Here trials come together, not by class: ``scores``, ``labels`` and ``groups`` have one item for each trial.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from glottis.errors import CorpusError
from glottis.metrics.check import bonafide_mask, checked, checked_like, numbered
from glottis.metrics.eer import Mode, eer
from glottis.metrics.intervals import Interval, bootstrap_mean

MIN_TRIALS = 7
"""How many trials of each class a group needs: with fewer, its EER is mostly chance."""


def eers_within(
    scores: ArrayLike,
    labels: ArrayLike,
    groups: ArrayLike,
    *,
    min_trials: int = MIN_TRIALS,
    mode: Mode = "challenge",
) -> dict[str, float]:
    """The EER of each group that has at least `min_trials` of each class, by name, in order of name.

    Args:
        scores: Shape ``(n,)``; higher is more bona fide.
        labels: ``bonafide`` or ``spoof`` for each trial, or whether it is bona fide; shape ``(n,)``.
        groups: The group (source, speaker) of each trial; shape ``(n,)``.
        min_trials: The least number of trials of each class, 1 or more.
        mode: Which EER; see `glottis.metrics.eer`.

    Raises:
        CorpusError: A class is empty or has scores that are not finite, an unknown label, or unequal lengths.
    """
    values = np.asarray(scores, dtype=np.float64)
    bonafide = bonafide_mask(labels, values)
    names, index = numbered(checked_like(groups, values, "groups").astype(np.str_))
    checked(values[bonafide], values[~bonafide])
    order = np.argsort(index, kind="stable")
    ends = np.cumsum(np.bincount(index))[:-1]
    found = {}
    for name, here in zip(names, np.split(order, ends), strict=True):
        real, fake = values[here[bonafide[here]]], values[here[~bonafide[here]]]
        if min(real.size, fake.size) >= max(1, min_trials):
            found[name] = eer(real, fake, mode=mode)
    return found


def mean_eer_within(
    scores: ArrayLike,
    labels: ArrayLike,
    groups: ArrayLike,
    *,
    min_trials: int = MIN_TRIALS,
    mode: Mode = "challenge",
) -> float:
    """The mean of `eers_within`, each group counting the same; arguments as there. 0 to 1, lower is better.

    Raises:
        CorpusError: As `eers_within`, and if no group has enough of both classes (``few_groups``).
    """
    return float(np.mean(_figures(eers_within(scores, labels, groups, min_trials=min_trials, mode=mode), min_trials)))


def mean_eer_within_interval(
    scores: ArrayLike,
    labels: ArrayLike,
    groups: ArrayLike,
    *,
    min_trials: int = MIN_TRIALS,
    mode: Mode = "challenge",
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """`mean_eer_within` with its interval over the draw of groups.

    Raises:
        CorpusError: As `mean_eer_within`, and with fewer than two groups.
        ConfigError: A setting out of its range.
    """
    found = eers_within(scores, labels, groups, min_trials=min_trials, mode=mode)
    figures = _figures(found, min_trials)
    return bootstrap_mean(figures, confidence=confidence, resamples=resamples, seed=seed)


def _figures(found: dict[str, float], min_trials: int) -> list[float]:
    if not found:
        raise CorpusError(
            f"no group has {min_trials} trials of each class",
            code="few_groups",
            hint="take larger groups, or lower min_trials and say so",
        )
    return list(found.values())
