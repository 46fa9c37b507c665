"""Figures of values for each trial on many resamples at once; see `glottis.metrics.weighted`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.metrics.check import Floats
from glottis.metrics.cllr import bonafide_cost, spoof_cost
from glottis.metrics.iso30107 import predictive_values
from glottis.metrics.probability import log_odds_of, sigmoid, statements, width_bins
from glottis.metrics.selective import margins_of
from glottis.metrics.threshold import Confusion
from glottis.metrics.weighted_points import Counts, OnWeights


def on_sides(figure: Callable[..., Floats]) -> Callable[..., OnWeights]:
    """Figures of the counts on both sides of one threshold."""

    def maker(bonafide: Floats, spoof: Floats, *, threshold: float, **settings: Any) -> OnWeights:
        low_b, low_s = (bonafide < threshold).astype(np.float64), (spoof < threshold).astype(np.float64)

        def on_weights(weights_b: Counts, weights_s: Counts) -> Floats:
            sizes = weights_b.sum(axis=1), weights_s.sum(axis=1)
            return figure(weights_b @ low_b, weights_s @ low_s, *sizes, **settings)

        return on_weights

    return maker


def of_confusion(missed: Floats, caught: Floats, size_b: Counts, size_s: Counts, *, figure: str) -> Floats:
    """A figure of `Confusion` by name."""
    counts = np.stack([caught, missed, size_b - missed, size_s - caught], axis=1).astype(np.int64).tolist()
    return np.array([getattr(Confusion(*row), figure) for row in counts], dtype=np.float64)


def predictive(which: int) -> Callable[..., OnWeights]:
    """The first (PPV) or second (NPV) of the predictive values."""

    def figure(missed: Floats, caught: Floats, size_b: Counts, size_s: Counts, *, prior_spoof: float) -> Floats:
        rates = zip(((size_s - caught) / size_s).tolist(), (missed / size_b).tolist(), strict=True)
        return np.array([predictive_values(*row, prior_spoof)[which] for row in rates], dtype=np.float64)

    return on_sides(figure)


def cllr(bonafide: Floats, spoof: Floats) -> OnWeights:
    """`glottis.metrics.cllr`."""
    cost_b, cost_s = bonafide_cost(bonafide), spoof_cost(spoof)

    def on_weights(weights_b: Counts, weights_s: Counts) -> Floats:
        of_b, of_s = weights_b @ cost_b / weights_b.sum(axis=1), weights_s @ cost_s / weights_s.sum(axis=1)
        mean: Floats = (of_b + of_s) / 2
        return mean

    return on_weights


def _mean_of(values: Floats, n_bonafide: int) -> OnWeights:
    """The mean of one value for each trial, bona fide first, over both classes as they are."""

    def on_weights(weights_b: Counts, weights_s: Counts) -> Floats:
        total = weights_b @ values[:n_bonafide] + weights_s @ values[n_bonafide:]
        mean: Floats = total / (weights_b.sum(axis=1) + weights_s.sum(axis=1))
        return mean

    return on_weights


def brier(bonafide: Floats, spoof: Floats, *, prior_spoof: float) -> OnWeights:
    """`glottis.metrics.brier`."""
    log_odds, y = log_odds_of(bonafide, spoof, prior_spoof)
    return _mean_of((sigmoid(log_odds) - y) ** 2, bonafide.size)


def log_loss(bonafide: Floats, spoof: Floats, *, prior_spoof: float) -> OnWeights:
    """`glottis.metrics.log_loss`."""
    log_odds, y = log_odds_of(bonafide, spoof, prior_spoof)
    return _mean_of(np.logaddexp(0.0, np.where(y == 1, -log_odds, log_odds)), bonafide.size)


def ece(bonafide: Floats, spoof: Floats, *, of: Any, bins: Any, n_bins: int, prior_spoof: float) -> OnWeights | None:
    """`glottis.metrics.ece` for bins of equal width: (share of trials) |stated - found| = |sum of both| / trials."""
    if bins != "width":
        return None
    stated, right = statements(*log_odds_of(bonafide, spoof, prior_spoof), of)
    index = width_bins(stated, n_bins)
    order = np.argsort(index, kind="stable")
    off = (stated - right)[order]
    starts = np.flatnonzero(np.diff(index[order], prepend=-1))

    def on_weights(weights_b: Counts, weights_s: Counts) -> Floats:
        weights = np.concatenate([weights_b, weights_s], axis=1)[:, order]
        sums = np.add.reduceat(weights * off, starts, axis=1)
        error: Floats = np.abs(sums).sum(axis=1) / weights.sum(axis=1)
        return error

    return on_weights


class _Surest:
    """Trials from the surest on, in blocks of equal margins."""

    def __init__(self, bonafide: Floats, spoof: Floats, threshold: float) -> None:
        margins, self._wrong = margins_of(bonafide, spoof, threshold)
        self._order = np.argsort(-margins, kind="stable")
        ordered = margins[self._order]
        self._ends = np.append(np.flatnonzero(ordered[1:] < ordered[:-1]), ordered.size - 1)

    def counts(self, weights_b: Counts, weights_s: Counts) -> tuple[Floats, Floats]:
        """How many trials come up to the end of each block, and how many errors, ``(rows, n_blocks)``."""
        weights = np.concatenate([weights_b, weights_s], axis=1)[:, self._order]
        errors = np.cumsum(weights * self._wrong[self._order], axis=1)
        return np.cumsum(weights, axis=1)[:, self._ends].astype(np.float64), errors[:, self._ends]


def risk_coverage_area(bonafide: Floats, spoof: Floats, *, threshold: float) -> OnWeights:
    """`glottis.metrics.risk_coverage_area`; the sum of (a + b i) / i over a block of ties has a closed form."""
    surest = _Surest(bonafide, spoof, threshold)

    def on_weights(weights_b: Counts, weights_s: Counts) -> Floats:
        ends, errors = surest.counts(weights_b, weights_s)
        most = int(ends[:, -1].max())
        harmonic = np.append(0.0, np.cumsum(1.0 / np.arange(1, most + 1)))[ends.astype(np.intp)]
        sizes, new = np.diff(ends, axis=1, prepend=0), np.diff(errors, axis=1, prepend=0)
        spread = np.divide(new, sizes, out=np.zeros_like(new), where=sizes > 0)
        before = (errors - new) - spread * (ends - sizes)
        sums = new + before * np.diff(harmonic, axis=1, prepend=0)
        area: Floats = sums.sum(axis=1) / ends[:, -1]
        return area

    return on_weights


def error_at_share(bonafide: Floats, spoof: Floats, *, share: float, threshold: float) -> OnWeights:
    """`glottis.metrics.error_at_share`."""
    surest = _Surest(bonafide, spoof, threshold)

    def on_weights(weights_b: Counts, weights_s: Counts) -> Floats:
        ends, errors = surest.counts(weights_b, weights_s)
        k = np.argmax(ends / ends[:, -1:] >= share, axis=1)
        row: NDArray[np.intp] = np.arange(k.size)
        risk: Floats = errors[row, k] / ends[row, k]
        return risk

    return on_weights
