"""Percentile bootstrap: how far a figure would move with other trials, or with other sources or speakers.

Trials of one source (or speaker) resemble each other, so an interval over trials is too narrow when the question is
how the detector does elsewhere: then whole groups are drawn, with all their trials of both classes.
Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glottis.errors import ConfigError, CorpusError
from glottis.metrics.check import Floats, checked, checked_like
from glottis.metrics.cllr import bonafide_cost, cllr, spoof_cost
from glottis.metrics.eer import crossings, interpolated_eer

MetricFunction = Callable[[Floats, Floats], float]
Weighted = Callable[[Floats, Floats, Floats, Floats], Floats]

_AT_ONCE = 2_000_000
_MIN_GROUPS = 2


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its percentile interval.

    Attributes:
        value: The figure on all trials.
        low: The lower end.
        high: The upper end.
        confidence: The share of resamples between the ends, 0 to 1.
        unit: What was drawn.
        resamples: How many resamples had both classes and were used.
    """

    value: float
    low: float
    high: float
    confidence: float
    unit: Literal["trial", "group"]
    resamples: int


def bootstrap(
    metric: MetricFunction,
    bonafide_scores: ArrayLike,
    spoof_scores: ArrayLike,
    *,
    bonafide_groups: ArrayLike | None = None,
    spoof_groups: ArrayLike | None = None,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """The percentile interval of a metric, resampled by trial within each class, or by group.

    `interpolated_eer` and `cllr` are computed for many resamples at once; other metrics once for each.

    Args:
        metric: A function of (bona fide scores, spoof scores).
        bonafide_scores: Shape ``(n_bonafide,)``.
        spoof_scores: Shape ``(n_spoof,)``.
        bonafide_groups: The group of each bona fide trial; given with `spoof_groups`, groups are drawn.
        spoof_groups: The group of each spoof trial.
        confidence: The share of resamples between the ends, over 0 and under 1.
        resamples: How many are drawn. One that lost a class (groups only) is left out.
        seed: The same seed gives the same interval.

    Raises:
        CorpusError: Scores as in `checked`; groups of another length, fewer than two groups, or under half of the
            resamples with both classes (``few_groups``).
        ConfigError: A setting out of its range, or groups for one class only.
    """
    _check_settings(confidence, resamples)
    bonafide, spoof = checked(bonafide_scores, spoof_scores)
    rng = np.random.default_rng(seed)
    if bonafide_groups is None and spoof_groups is None:
        drawn, unit = _by_trial(rng, bonafide.size, spoof.size, resamples), "trial"
    elif bonafide_groups is None or spoof_groups is None:
        raise ConfigError("groups were given for one class only", code="bad_groups", hint="give both or neither")
    else:
        groups_b = checked_like(bonafide_groups, bonafide, "bonafide groups")
        groups_s = checked_like(spoof_groups, spoof, "spoof groups")
        drawn, unit = _by_group(rng, groups_b, groups_s, resamples), "group"
    values = _values(metric, bonafide, spoof, drawn)
    if 2 * values.size < resamples:
        raise CorpusError(
            f"only {values.size} of {resamples} resamples of groups have both classes",
            code="few_groups",
            hint="too few groups hold a class; resample by trial, or report no interval",
        )
    value = float(metric(bonafide, spoof))
    return interval(value, values, confidence=confidence, unit="group" if unit == "group" else "trial")


def interval(value: float, resampled: Floats, *, confidence: float, unit: Literal["trial", "group"]) -> Interval:
    """The interval from the values of the resamples, ``(n,)``."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Interval(value, float(low), float(high), confidence, unit, resampled.size)


def bootstrap_mean(values: ArrayLike, *, confidence: float = 0.95, resamples: int = 1000, seed: int = 0) -> Interval:
    """The interval of the mean of one figure for each group, ``(n_groups,)``, with groups drawn.

    Raises:
        CorpusError: Fewer than two values (``few_groups``).
        ConfigError: A setting out of its range.
    """
    _check_settings(confidence, resamples)
    figures = np.asarray(values, dtype=np.float64)
    _check_groups(figures.size)
    picked = np.random.default_rng(seed).integers(figures.size, size=(resamples, figures.size))
    means = figures[picked].mean(axis=1)
    return interval(float(figures.mean()), means, confidence=confidence, unit="group")


def _check_settings(confidence: float, resamples: int) -> None:
    if not 0 < confidence < 1:
        raise ConfigError(f"confidence is {confidence}, not between 0 and 1", code="bad_confidence")
    if resamples < 1:
        raise ConfigError(f"resamples is {resamples}, not 1 or more", code="bad_resamples")


def _check_groups(n_groups: int) -> None:
    if n_groups < _MIN_GROUPS:
        raise CorpusError(
            f"{n_groups} group cannot be resampled", code="few_groups", hint="resample by trial, or add groups"
        )


Weights = tuple[Floats, Floats]


def _rows(resamples: int, n_trials: int) -> Iterator[int]:
    step = max(1, _AT_ONCE // n_trials)
    for first in range(0, resamples, step):
        yield min(step, resamples - first)


def _counts(rng: np.random.Generator, rows: int, n: int) -> Floats:
    """How often each of n items is drawn in n draws with replacement, ``(rows, n)``."""
    picked = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
    return np.bincount(picked.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def _by_trial(rng: np.random.Generator, n_bonafide: int, n_spoof: int, resamples: int) -> Iterator[Weights]:
    for rows in _rows(resamples, n_bonafide + n_spoof):
        yield _counts(rng, rows, n_bonafide), _counts(rng, rows, n_spoof)


def _by_group(
    rng: np.random.Generator, bonafide: NDArray[np.generic], spoof: NDArray[np.generic], resamples: int
) -> Iterator[Weights]:
    names, index = np.unique(np.concatenate([bonafide, spoof]), return_inverse=True)
    _check_groups(names.size)
    in_bonafide, in_spoof = index[: bonafide.size], index[bonafide.size :]
    for rows in _rows(resamples, index.size):
        counts = _counts(rng, rows, names.size)
        weights_b, weights_s = counts[:, in_bonafide], counts[:, in_spoof]
        both = (weights_b.sum(axis=1) > 0) & (weights_s.sum(axis=1) > 0)
        yield weights_b[both], weights_s[both]


def _values(metric: MetricFunction, bonafide: Floats, spoof: Floats, drawn: Iterator[Weights]) -> Floats:
    weighted = _WEIGHTED.get(metric)
    if weighted is not None:
        return np.concatenate([weighted(bonafide, spoof, *weights) for weights in drawn])
    return np.array(
        [
            metric(np.repeat(bonafide, row_b.astype(np.intp)), np.repeat(spoof, row_s.astype(np.intp)))
            for weights_b, weights_s in drawn
            for row_b, row_s in zip(weights_b, weights_s, strict=True)
        ],
        dtype=np.float64,
    )


def _weighted_eer(bonafide: Floats, spoof: Floats, weights_b: Floats, weights_s: Floats) -> Floats:
    distinct = np.unique(np.concatenate([bonafide, spoof]))
    miss = _rejected(bonafide, weights_b, distinct)
    false_alarm = 1 - _rejected(spoof, weights_s, distinct)
    return crossings(miss, false_alarm)


def _rejected(scores: Floats, weights: Floats, thresholds: Floats) -> Floats:
    """The weighted share of scores under each threshold and under infinity, ``(rows, n_thresholds + 1)``."""
    order = np.argsort(scores, kind="stable")
    sums = np.zeros((weights.shape[0], scores.size + 1))
    np.cumsum(weights[:, order], axis=1, out=sums[:, 1:])
    at = np.append(np.searchsorted(scores[order], thresholds), scores.size)
    share: Floats = sums[:, at] / sums[:, -1:]
    return share


def _weighted_cllr(bonafide: Floats, spoof: Floats, weights_b: Floats, weights_s: Floats) -> Floats:
    cost_b = weights_b @ bonafide_cost(bonafide) / weights_b.sum(axis=1)
    cost_s = weights_s @ spoof_cost(spoof) / weights_s.sum(axis=1)
    mean: Floats = (cost_b + cost_s) / 2
    return mean


_WEIGHTED: dict[MetricFunction, Weighted] = {interpolated_eer: _weighted_eer, cllr: _weighted_cllr}
