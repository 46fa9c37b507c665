"""Two systems on the same trials: what differs between them, and whether that is more than chance.

The trials are drawn once for both systems, so that what makes a trial hard for both cancels. McNemar's test looks only
at the trials on which one system is right and the other wrong.
Sources: Efron and Tibshirani 1993; McNemar 1947; Fagerland et al., "The McNemar test for binary matched-pairs data:
mid-p and asymptotic are better than exact conditional", 2013.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glottis.errors import CorpusError
from glottis.metrics import intervals
from glottis.metrics.cells import in_cells
from glottis.metrics.check import Floats, bonafide_mask, checked, checked_class, checked_like
from glottis.metrics.intervals import (
    Interval,
    MetricFunction,
    Unit,
    by_group,
    by_trial,
    check_enough,
    check_settings,
    interval,
    on_weights,
)
from glottis.metrics.weighted_points import OnWeights


@dataclass(frozen=True, slots=True)
class McNemar:
    """Two systems' right and wrong calls, compared.

    Attributes:
        only_a: On how many trials the first is right and the second wrong.
        only_b: The reverse.
        p_value: Of the exact two-sided binomial test: how likely a split at least as uneven is if neither is better.
            Never under the nominal level, and often far over it.
        mid_p: The same with half the probability of the split that was met: nearer to the nominal level.
    """

    only_a: int
    only_b: int
    p_value: float
    mid_p: float


def paired_difference(
    metric: MetricFunction,
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    bonafide: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """The figure of the first system minus that of the second, with its percentile interval.

    An interval without 0 says that they differ. Metrics are computed as in `bootstrap`.

    Args:
        metric: A function of (bona fide scores, spoof scores).
        scores_a: The scores of the first system, shape ``(n,)``.
        scores_b: Those of the second on the same trials, in the same order.
        bonafide: Which trials are bona fide: flags or words, shape ``(n,)``.
        groups: The group (source, speaker) of each trial, shape ``(n,)``; with it, groups are drawn.
        confidence: The share of resamples between the ends, over 0 and under 1.
        resamples: How many are drawn. One that lost a class (groups only) is left out.
        seed: The same seed gives the same interval.

    Raises:
        CorpusError: Scores as in `checked`; unequal lengths; groups as in `bootstrap`.
        ConfigError: A setting out of its range.
    """
    check_settings(confidence, resamples)
    first, second = checked_class(scores_a, "first system"), checked_class(scores_b, "second system")
    checked_like(second, first, "scores of the second system")
    mask = bonafide_mask(bonafide, first)
    sides = [checked(scores[mask], scores[~mask]) for scores in (first, second)]
    figures = [_on_trials(metric, *side) for side in sides]
    rng = np.random.default_rng(seed)
    unit: Unit = "trial"
    if groups is None:
        drawn = by_trial(rng, int(mask.sum()), int((~mask).sum()), resamples)
    else:
        names = checked_like(groups, first, "groups")
        drawn, unit = by_group(rng, names[mask], names[~mask], resamples), "group"
    parts: list[Floats] = [figures[0](*weights) - figures[1](*weights) for weights in drawn]
    value = float(metric(*sides[0])) - float(metric(*sides[1]))
    return interval(value, check_enough(parts, resamples), confidence=confidence, unit=unit)


def _on_trials(metric: MetricFunction, bonafide: Floats, spoof: Floats) -> OnWeights:
    """The metric as a function of how often each trial counts; very many trials are pooled."""
    if bonafide.size + spoof.size < intervals.MANY:
        return on_weights(metric, bonafide, spoof)
    cells = in_cells(bonafide, spoof)
    figure = on_weights(metric, cells[0].values, cells[1].values)
    return lambda weights_b, weights_s: figure(cells[0].weights(weights_b), cells[1].weights(weights_s))


def mcnemar(correct_a: ArrayLike, correct_b: ArrayLike) -> McNemar:
    """Whether one of two systems is right more often on the same trials.

    Args:
        correct_a: Whether the first system was right, booleans of shape ``(n,)``.
        correct_b: The same of the second, in the same order.

    Raises:
        CorpusError: No trial, unequal lengths, or flags that are no booleans.
    """
    first, second = _flags(correct_a, "first"), _flags(correct_b, "second")
    if first.size != second.size:
        raise CorpusError(
            f"{first.size} calls of the first system, {second.size} of the second",
            code="unequal_lengths",
            hint="give both systems' calls on the same trials",
        )
    only_a, only_b = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    tail, at = _binomial_tail(min(only_a, only_b), only_a + only_b)
    return McNemar(only_a, only_b, min(1.0, 2 * tail), min(1.0, 2 * tail - at))


def _binomial_tail(k: int, n: int) -> tuple[float, float]:
    """P(X <= k) and P(X = k) of n tosses of a fair coin, by logarithms: n may be millions."""
    steps = np.arange(1, k + 1, dtype=np.float64)
    log_p = np.append(0.0, np.cumsum(np.log((n - steps + 1) / steps))) - n * np.log(2.0)
    p = np.exp(log_p)
    return float(p[::-1].sum()), float(p[-1])


def _flags(correct: ArrayLike, which: str) -> NDArray[np.bool_]:
    given = np.asarray(correct)
    if given.size == 0:
        raise CorpusError(f"there is no call of the {which} system", code="empty_class", hint="give one for each trial")
    if given.dtype != np.bool_ or given.ndim != 1:
        raise CorpusError(
            f"the calls of the {which} system are {given.dtype} of shape {given.shape}, not booleans of shape (n,)",
            code="not_flags",
            hint="True where the system was right",
        )
    return given.astype(np.bool_)
