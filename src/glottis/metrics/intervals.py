"""Percentile bootstrap: how far a figure would move with other trials, or with other sources or speakers.

Trials of one source (or speaker) resemble each other, so an interval over trials is too narrow when the question is
how the detector does elsewhere: then whole groups are drawn, with all their trials of both classes.
Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glottis.errors import ConfigError, CorpusError
from glottis.metrics.cells import Cells, in_cells
from glottis.metrics.check import Floats, checked, checked_like, numbered
from glottis.metrics.weighted import weighted
from glottis.metrics.weighted_points import Counts, OnWeights

MetricFunction = Callable[[Floats, Floats], float]
Unit = Literal["trial", "group"]
Weights = tuple[Counts, Counts]

MANY = 100_000
"""From how many trials on they are drawn and pooled otherwise; see `bootstrap`."""

_AT_ONCE = 500_000
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
    unit: Unit
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

    The metrics of the registry, and partials of them with keywords, are computed for many resamples at once
    (`glottis.metrics.weighted` lists which); other functions once for each resample.
    From 100,000 trials on, each is drawn a Poisson number of times with mean 1, and the scores of a ten thousandth of
    all trials count as one (`glottis.metrics.cells`). That is quick; the size of a resample varies by its root, and an
    end of the interval may move by as much as a ten thousandth of the trials does. The figure itself is exact.

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
    return bootstrap_each(
        {"": metric},
        bonafide_scores,
        spoof_scores,
        bonafide_groups=bonafide_groups,
        spoof_groups=spoof_groups,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )[""]


def bootstrap_each(
    metrics: Mapping[str, MetricFunction],
    bonafide_scores: ArrayLike,
    spoof_scores: ArrayLike,
    *,
    bonafide_groups: ArrayLike | None = None,
    spoof_groups: ArrayLike | None = None,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Interval]:
    """The intervals of several metrics by name on the same draws, which are made once; as `bootstrap` of each.

    Raises:
        CorpusError: As `bootstrap`.
        ConfigError: As `bootstrap`.
    """
    check_settings(confidence, resamples)
    bonafide, spoof = checked(bonafide_scores, spoof_scores)
    rng = np.random.default_rng(seed)
    unit: Unit = "trial"
    if bonafide_groups is None and spoof_groups is None:
        bonafide, spoof = np.sort(bonafide), np.sort(spoof)
        drawn = by_trial(rng, bonafide.size, spoof.size, resamples)
    elif bonafide_groups is None or spoof_groups is None:
        raise ConfigError("groups were given for one class only", code="bad_groups", hint="give both or neither")
    else:
        order_b, order_s = np.argsort(bonafide, kind="stable"), np.argsort(spoof, kind="stable")
        groups_b = checked_like(bonafide_groups, bonafide, "bonafide groups")[order_b]
        groups_s = checked_like(spoof_groups, spoof, "spoof groups")[order_s]
        bonafide, spoof = bonafide[order_b], spoof[order_s]
        drawn, unit = by_group(rng, groups_b, groups_s, resamples), "group"
    sides = bonafide, spoof
    if bonafide.size + spoof.size >= MANY:
        cells = in_cells(bonafide, spoof)
        drawn = by_cell(rng, *cells, resamples) if unit == "trial" else pooled(drawn, *cells)
        sides = cells[0].values, cells[1].values
    figures = {name: on_weights(metric, *sides) for name, metric in metrics.items()}
    parts: dict[str, list[Floats]] = {name: [] for name in metrics}
    for weights in drawn:
        for name, figure in figures.items():
            parts[name].append(figure(*weights))
    return {
        name: interval(
            float(metric(bonafide, spoof)), check_enough(parts[name], resamples), confidence=confidence, unit=unit
        )
        for name, metric in metrics.items()
    }


def bootstrap_any(
    metric: Callable[..., float],
    classes: Sequence[Sequence[Any] | NDArray[Any]],
    *,
    groups: Sequence[ArrayLike] | None = None,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """The percentile interval of a figure of any shape, computed once for each resample.

    Such as ``a_dcf`` of three classes of scores, `apcer` of one, or `range_eer` of a list of recordings. For trials
    with several facts each, draw their numbers: ``bootstrap_any(lambda i: mcnemar(a[i], b[i]).p_value, [numbers])``.

    Args:
        metric: A function of as many arguments as there are classes.
        classes: The items of each class: arrays, or lists of anything. Each is drawn from on its own.
        groups: The group of each item, one array for each class; with it, groups are drawn, for all classes at once.
        confidence: The share of resamples between the ends, over 0 and under 1.
        resamples: How many are drawn. One that lost a class is left out.
        seed: The same seed gives the same interval.

    Raises:
        CorpusError: What `metric` raises on all items; groups of another length, fewer than two groups, or under half
            of the resamples with all classes (``few_groups``).
        ConfigError: A setting out of its range, or another number of groups than of classes.
    """
    check_settings(confidence, resamples)
    value = float(metric(*classes))
    if groups is not None and len(groups) != len(classes):
        raise ConfigError(
            f"groups for {len(groups)} of {len(classes)} classes", code="bad_groups", hint="give one each"
        )
    rng = np.random.default_rng(seed)
    sizes = [len(items) for items in classes]
    drawn = (
        _picks_of_trials(rng, sizes, resamples) if groups is None else _picks_of_groups(rng, sizes, groups, resamples)
    )
    values = []
    for picks in drawn:
        try:
            values.append(float(metric(*map(_take, classes, picks))))
        except CorpusError as error:
            if error.code not in {"empty_class", "few_groups"}:
                raise
    unit: Unit = "trial" if groups is None else "group"
    return interval(value, check_enough([np.array(values)], resamples), confidence=confidence, unit=unit)


Picks = list[NDArray[np.intp]]


def _take(items: Sequence[Any] | NDArray[Any], picks: NDArray[np.intp]) -> Sequence[Any] | NDArray[Any]:
    return items[picks] if isinstance(items, np.ndarray) else [items[i] for i in picks]


def _picks_of_trials(rng: np.random.Generator, sizes: list[int], resamples: int) -> Iterator[Picks]:
    for _ in range(resamples):
        yield [np.sort(rng.integers(size, size=size)) for size in sizes]


def _picks_of_groups(
    rng: np.random.Generator, sizes: list[int], groups: Sequence[ArrayLike], resamples: int
) -> Iterator[Picks]:
    given = [np.asarray(one) for one in groups]
    for one, size in zip(given, sizes, strict=True):
        checked_like(one, np.empty(size), "groups")
    names, index = numbered(np.concatenate(given))
    _check_groups(len(names))
    parts = np.split(index, np.cumsum(sizes)[:-1])
    for _ in range(resamples):
        counts = _counts(rng, 1, len(names))[0]
        yield [np.repeat(np.arange(part.size), counts[part]) for part in parts]


def on_weights(metric: MetricFunction, bonafide: Floats, spoof: Floats) -> OnWeights:
    """The metric as a function of how often each trial counts: for many resamples at once, else one by one."""
    quick = weighted(metric, bonafide, spoof)
    if quick is not None:
        return quick

    def one_by_one(weights_b: Counts, weights_s: Counts) -> Floats:
        rows = zip(weights_b, weights_s, strict=True)
        return np.array([metric(np.repeat(bonafide, row_b), np.repeat(spoof, row_s)) for row_b, row_s in rows])

    return one_by_one


def check_enough(parts: list[Floats], resamples: int) -> Floats:
    """The values of all resamples, ``(n,)``.

    Raises:
        CorpusError: Under half of the resamples have both classes (``few_groups``).
    """
    values = np.concatenate(parts)
    if 2 * values.size < resamples:
        raise CorpusError(
            f"only {values.size} of {resamples} resamples of groups have both classes",
            code="few_groups",
            hint="too few groups hold a class; resample by trial, or report no interval",
        )
    return values


def interval(value: float, resampled: Floats, *, confidence: float, unit: Unit) -> Interval:
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
    check_settings(confidence, resamples)
    figures = np.asarray(values, dtype=np.float64)
    _check_groups(figures.size)
    picked = np.random.default_rng(seed).integers(figures.size, size=(resamples, figures.size))
    means = figures[picked].mean(axis=1)
    return interval(float(figures.mean()), means, confidence=confidence, unit="group")


def check_settings(confidence: float, resamples: int) -> None:
    """Let pass settings that can be used.

    Raises:
        ConfigError: A setting out of its range.
    """
    if not 0 < confidence < 1:
        raise ConfigError(f"confidence is {confidence}, not between 0 and 1", code="bad_confidence")
    if resamples < 1:
        raise ConfigError(f"resamples is {resamples}, not 1 or more", code="bad_resamples")


def _check_groups(n_groups: int) -> None:
    if n_groups < _MIN_GROUPS:
        raise CorpusError(
            f"{n_groups} group cannot be resampled", code="few_groups", hint="resample by trial, or add groups"
        )


def by_trial(rng: np.random.Generator, n_bonafide: int, n_spoof: int, resamples: int) -> Iterator[Weights]:
    """How often each trial is drawn when as many are drawn of each class, some rows of resamples at a time."""
    for rows in _rows(resamples, n_bonafide + n_spoof):
        yield _counts(rng, rows, n_bonafide), _counts(rng, rows, n_spoof)


def by_cell(rng: np.random.Generator, bonafide: Cells, spoof: Cells, resamples: int) -> Iterator[Weights]:
    """How often each cell counts when each of its trials is drawn a Poisson number of times with mean 1."""
    for rows in _rows(resamples, bonafide.counts.size + spoof.counts.size):
        drawn = [rng.poisson(cells.counts, (rows, cells.counts.size)) for cells in (bonafide, spoof)]
        yield drawn[0], drawn[1]


def pooled(drawn: Iterator[Weights], bonafide: Cells, spoof: Cells) -> Iterator[Weights]:
    """How often each cell counts, from how often each trial does."""
    for weights_b, weights_s in drawn:
        yield bonafide.weights(weights_b), spoof.weights(weights_s)


def by_group(
    rng: np.random.Generator, bonafide: NDArray[np.generic], spoof: NDArray[np.generic], resamples: int
) -> Iterator[Weights]:
    """How often each trial is drawn when as many groups are drawn as there are; rows without a class are left out.

    Raises:
        CorpusError: Fewer than two groups.
    """
    names, index = numbered(np.concatenate([bonafide, spoof]))
    _check_groups(len(names))
    in_bonafide, in_spoof = index[: bonafide.size], index[bonafide.size :]
    for rows in _rows(resamples, index.size):
        counts = _counts(rng, rows, len(names))
        weights_b, weights_s = counts[:, in_bonafide], counts[:, in_spoof]
        both = (weights_b.sum(axis=1) > 0) & (weights_s.sum(axis=1) > 0)
        yield weights_b[both], weights_s[both]


def _rows(resamples: int, n_trials: int) -> Iterator[int]:
    step = max(1, _AT_ONCE // n_trials)
    for first in range(0, resamples, step):
        yield min(step, resamples - first)


def _counts(rng: np.random.Generator, rows: int, n: int) -> Counts:
    """How often each of n items is drawn in n draws with replacement, ``(rows, n)``."""
    if n >= MANY:
        return _POISSON[rng.integers(_LEVELS, size=(rows, n), dtype=np.uint16)]
    picked = rng.integers(n, size=(rows, n))
    if rows > 1:
        picked += n * np.arange(rows)[:, None]
    return np.bincount(picked.ravel(), minlength=rows * n).reshape(rows, n)


def _poisson_levels() -> Counts:
    """The count at each of the levels of a uniform draw: the quantiles of the Poisson distribution of mean 1."""
    cumulated, counts = 0.0, np.zeros(_LEVELS, dtype=np.int64)
    for k in range(8):
        cumulated += math.exp(-1) / math.factorial(k)
        counts[round(cumulated * _LEVELS) :] = k + 1
    return counts


_LEVELS = 2**16
_POISSON = _poisson_levels()
