"""Figures of operating points on many resamples at once; see `glottis.metrics.weighted`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.metrics.check import Floats
from glottis.metrics.cllr import blocks_cost
from glottis.metrics.eer import crossings
from glottis.metrics.pav import Blocks, pool, pure_runs, tied

Counts = NDArray[np.int64]
OnWeights = Callable[[Counts, Counts], Floats]
"""How often each bona fide and each spoof trial counts, ``(rows, n)`` each, to a figure for each row, ``(rows,)``."""


class _Side:
    """One class, sorted once, seen from all thresholds."""

    def __init__(self, scores: Floats, thresholds: Floats) -> None:
        in_order = bool(np.all(scores[1:] >= scores[:-1]))
        self._order = None if in_order else np.argsort(scores, kind="stable")
        ordered = scores if self._order is None else scores[self._order]
        self.at = np.append(np.searchsorted(ordered, thresholds), scores.size)

    def sums(self, weights: Counts) -> Counts:
        """How much the first i trials count, ``(rows, n + 1)``; under threshold k lie the first ``at[k]``."""
        sums = np.zeros((weights.shape[0], weights.shape[1] + 1), dtype=np.int64)
        np.cumsum(weights if self._order is None else weights[:, self._order], axis=1, out=sums[:, 1:])
        return sums


Points = tuple[Counts, Counts, Counts, Counts]
"""Missed and accepted, ``(rows, n_points)`` each, and the sizes of the classes, ``(rows, 1)`` each."""


class OperatingPoints:
    """The operating points of `det_curve`, or those at some thresholds and infinity, in counts."""

    def __init__(self, bonafide: Floats, spoof: Floats, thresholds: Floats | None = None) -> None:
        self.thresholds = np.unique(np.concatenate([bonafide, spoof])) if thresholds is None else thresholds
        self._bonafide, self._spoof = _Side(bonafide, self.thresholds), _Side(spoof, self.thresholds)

    def counts(self, weights_b: Counts, weights_s: Counts) -> Points:
        """All points."""
        missed = np.take(self._bonafide.sums(weights_b), self._bonafide.at, axis=1)
        caught = np.take(self._spoof.sums(weights_s), self._spoof.at, axis=1)
        sizes_s = caught[:, -1:].copy()
        return missed, np.subtract(sizes_s, caught, out=caught), missed[:, -1:].copy(), sizes_s

    def crossing(self, weights_b: Counts, weights_s: Counts) -> Points:
        """The last point with P_miss < P_fa and the next one, ``(rows, 2)``, found by halving."""
        sums_b, sums_s = self._bonafide.sums(weights_b), self._spoof.sums(weights_s)
        sizes_b, sizes_s = sums_b[:, -1:], sums_s[:, -1:]

        def points(k: NDArray[np.intp]) -> tuple[Counts, Counts]:
            missed = np.take_along_axis(sums_b, self._bonafide.at[k], axis=1)
            return missed, sizes_s - np.take_along_axis(sums_s, self._spoof.at[k], axis=1)

        low = np.zeros((sums_b.shape[0], 1), dtype=np.intp)
        high = np.full_like(low, self.thresholds.size)
        while np.any(high - low > 1):
            middle = (low + high) // 2
            missed, accepted = points(middle)
            over = missed * sizes_s >= accepted * sizes_b
            low, high = np.where(over, low, middle), np.where(over, middle, high)
        return *points(np.concatenate([low, high], axis=1)), sizes_b, sizes_s


def on_crossing(figure: Callable[[Points], Floats]) -> Callable[..., OnWeights]:
    """A figure of the two points around P_miss = P_fa."""

    def maker(bonafide: Floats, spoof: Floats) -> OnWeights:
        points = OperatingPoints(bonafide, spoof)
        return lambda weights_b, weights_s: figure(points.crossing(weights_b, weights_s))

    return maker


def on_corners(figure: Callable[..., Floats]) -> Callable[..., OnWeights]:
    """A figure of (P_miss, P_fa) that only points at bona fide scores, and the one that rejects all, can decide.

    Between two bona fide scores P_miss stays and P_fa falls, so that the upper one is never worse.
    """

    def maker(bonafide: Floats, spoof: Floats, **settings: Any) -> OnWeights:
        points = OperatingPoints(bonafide, spoof, np.unique(bonafide))

        def on_weights(weights_b: Counts, weights_s: Counts) -> Floats:
            missed, accepted, sizes_b, sizes_s = points.counts(weights_b, weights_s)
            return figure(missed / sizes_b, accepted / sizes_s, **settings)

        return on_weights

    return maker


def _around(gap: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The rows, and in each the first point where P_miss >= P_fa; it is never point 0."""
    return np.arange(gap.shape[0]), np.argmax(gap >= 0, axis=1)


def interpolated(counts: Points) -> Floats:
    """`interpolated_eer`."""
    missed, accepted, sizes_b, sizes_s = counts
    return crossings(missed / sizes_b, accepted / sizes_s)


def distinct(counts: Points) -> Floats:
    """`distinct_eer`: of the points on both sides of the crossing the nearer, the first if equally near."""
    missed, accepted, sizes_b, sizes_s = counts
    gap = missed * sizes_s - accepted * sizes_b
    row, k = _around(gap)
    k = k - (np.abs(gap[row, k - 1]) <= np.abs(gap[row, k]))
    mean: Floats = (missed[row, k] / sizes_b[:, 0] + accepted[row, k] / sizes_s[:, 0]) / 2
    return mean


def challenge(counts: Points) -> Floats:
    """`challenge_eer`: the walk inside the block of ties in which the rates cross, bona fide first, trial by trial."""
    missed, accepted, sizes_b, sizes_s = counts
    row, k = _around(missed * sizes_s - accepted * sizes_b)
    size_b, size_s = sizes_b[:, 0], sizes_s[:, 0]
    miss, accept = missed[row, k - 1], accepted[row, k - 1]
    up = missed[row, k] - miss
    gap = miss * size_s - accept * size_b
    steps_b = np.minimum(-(gap // size_s), up)
    gap_b = gap + steps_b * size_s
    steps_s = np.where(gap_b < 0, -(gap_b // size_b), 0)
    after = gap_b + steps_s * size_b
    in_spoof = steps_s > 0
    back = np.abs(after - np.where(in_spoof, size_b, size_s)) <= np.abs(after)
    miss = miss + steps_b - (back & ~in_spoof)
    accept = accept - steps_s + (back & in_spoof)
    mean: Floats = (miss / size_b + accept / size_s) / 2
    return mean


def hull_crossing(bonafide: Floats, spoof: Floats) -> OnWeights:
    """`rocch_eer`; the corners of the hull lie at bona fide scores."""
    points = OperatingPoints(bonafide, spoof, np.unique(bonafide))
    return lambda weights_b, weights_s: _hull(points.counts(weights_b, weights_s))


def _hull(counts: Points) -> Floats:
    """A chord over the diagonal is lowered until no point lies under it."""
    missed, accepted, sizes_b, sizes_s = counts
    left = np.zeros(missed.shape[0], dtype=np.intp)
    right = np.full(missed.shape[0], missed.shape[1] - 1)
    active = np.arange(missed.shape[0])
    while active.size:
        miss, accept = missed[active], accepted[active]
        row, first, last = np.arange(active.size), left[active], right[active]
        down = (accept[row, first] - accept[row, last])[:, None]
        across = (miss[row, last] - miss[row, first])[:, None]
        height = miss * down + accept * across
        low = np.argmin(height, axis=1)
        under = height[row, low] < height[row, first]
        over = miss[row, low] * sizes_s[active, 0] >= accept[row, low] * sizes_b[active, 0]
        right[active[under & over]] = low[under & over]
        left[active[under & ~over]] = low[under & ~over]
        active = active[under]
    ends = np.stack([left, right], axis=1)
    miss_ends = np.take_along_axis(missed, ends, axis=1) / sizes_b
    return crossings(miss_ends, np.take_along_axis(accepted, ends, axis=1) / sizes_s)


def area(bonafide: Floats, spoof: Floats) -> OnWeights:
    """`auc`: trapezoids between the ends of runs of one class."""
    points = OperatingPoints(bonafide, spoof, _run_starts(bonafide, spoof))

    def on_weights(weights_b: Counts, weights_s: Counts) -> Floats:
        missed, accepted, sizes_b, sizes_s = points.counts(weights_b, weights_s)
        passed = 2 * sizes_b - missed[:, :-1] - missed[:, 1:]
        twice = np.sum((accepted[:, :-1] - accepted[:, 1:]) * passed, axis=1)
        value: Floats = twice / 2 / sizes_b[:, 0] / sizes_s[:, 0]
        return value

    return on_weights


def precision(bonafide: Floats, spoof: Floats, *, positive: str) -> OnWeights:
    """`average_precision`."""
    points = OperatingPoints(bonafide, spoof)

    def on_weights(weights_b: Counts, weights_s: Counts) -> Floats:
        missed, accepted, _, _ = points.counts(weights_b, weights_s)
        hits, others = np.diff(missed, axis=1), -np.diff(accepted, axis=1)
        hits, others = (others, hits) if positive == "spoof" else (hits[:, ::-1], others[:, ::-1])
        called = np.cumsum(hits, axis=1)
        share = called / np.maximum(called + np.cumsum(others, axis=1), 1)
        value: Floats = np.sum(hits * share, axis=1) / called[:, -1]
        return value

    return on_weights


def apcer_at(miss: Floats, false_alarm: Floats, *, level: float) -> Floats:
    """`apcer_at_bpcer`: the last point whose P_miss is at most the level."""
    last = np.count_nonzero(miss <= level, axis=1) - 1
    rate: Floats = false_alarm[np.arange(last.size), last]
    return rate


def bpcer_at(miss: Floats, false_alarm: Floats, *, level: float) -> Floats:
    """`bpcer_at_apcer`: the first point whose P_fa is at most the level."""
    first = np.argmax(false_alarm <= level, axis=1)
    rate: Floats = miss[np.arange(first.size), first]
    return rate


def least(miss: Floats, false_alarm: Floats, floor: float, weight_miss: float, weight_fa: float) -> Floats:
    """The least of floor + weight_miss P_miss + weight_fa P_fa over all points."""
    least: Floats = floor + np.min(weight_miss * miss + weight_fa * false_alarm, axis=1)
    return least


def _run_starts(bonafide: Floats, spoof: Floats) -> Floats:
    blocks = tied(bonafide, spoof)
    return blocks.low[pure_runs(blocks)]


def least_cllr(bonafide: Floats, spoof: Floats) -> OnWeights:
    """`min_cllr`: runs of one class stay so in each resample, and only they are pooled anew."""
    points = OperatingPoints(bonafide, spoof, _run_starts(bonafide, spoof))

    def on_weights(weights_b: Counts, weights_s: Counts) -> Floats:
        missed, accepted, sizes_b, sizes_s = points.counts(weights_b, weights_s)
        here_b, here_s = np.diff(missed, axis=1), -np.diff(accepted, axis=1)
        costs = []
        for row_b, row_s, size_b, size_s in zip(here_b, here_s, sizes_b[:, 0], sizes_s[:, 0], strict=True):
            drawn = np.flatnonzero(row_b + row_s)
            at = points.thresholds[drawn]
            costs.append(blocks_cost(pool(Blocks(at, at, row_b[drawn], row_s[drawn])), int(size_b), int(size_s)))
        return np.array(costs)

    return on_weights
