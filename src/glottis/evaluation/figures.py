"""The pictures of a report on scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glottis.evaluation.drawing import COLOURS, new_picture, svg_of
from glottis.evaluation.evaluate import Evaluation, column_of
from glottis.metrics import det_curve, probit, reliability

BONAFIDE, SPOOF = COLOURS[0], COLOURS[1]
_POINTS = 300
_LEVELS = 400
_DRAWS = 200
_TICKS = (0.0001, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
_CLIP = 5e-5
_HIGHEST = 0.5


def det_picture(evaluations: Sequence[Evaluation]) -> str:
    """DET curves with their 95 % bands, on probit axes."""
    pyplot, figure, axes = new_picture(5.2, 4.4)
    lowest = min(1 / (2 * min(group.size for group in one.trials.by_class)) for one in evaluations)
    low = max(_CLIP, min(lowest, 0.01))
    ends = probit([low, _HIGHEST]).tolist()
    for one, colour in zip(evaluations, _cycle(len(evaluations)), strict=True):
        grid = np.linspace(ends[0], ends[1], _POINTS)
        bottom, top = _band(one, grid)
        axes.fill_between(grid, bottom, top, color=colour, alpha=0.16, linewidth=0)
        curve = det_curve(*one.trials.by_class)
        line = np.interp(-grid, -probit(curve.false_alarm, clip=_CLIP), probit(curve.miss, clip=_CLIP))
        eer = one.figures["eer"].value
        axes.plot(grid, line, color=colour, linewidth=1.6, label=f"{one.name} (EER {100 * eer:.2f} %)")
    ticks = [tick for tick in _TICKS if tick >= low]
    labels = [f"{100 * tick:g}" for tick in ticks]
    axes.plot(ends, ends, color="#999999", linewidth=0.7, linestyle=":")
    axes.set(
        xlim=ends,
        ylim=ends,
        xlabel="spoof trials accepted, %",
        ylabel="bona fide trials rejected, %",
    )
    axes.set_xticks(probit(ticks), labels)
    axes.set_yticks(probit(ticks), labels)
    axes.legend(loc="upper right")
    return svg_of(pyplot, figure, "DET curves")


def histogram_picture(one: Evaluation) -> str:
    """How the scores of both classes are spread."""
    pyplot, figure, axes = new_picture(5.2, 3.1)
    real, fake = one.trials.by_class
    low, high = np.quantile(np.concatenate([real, fake]), [0.0005, 0.9995])
    edges = np.linspace(low, high if high > low else low + 1, 61)
    for scores, colour, label in ((real, BONAFIDE, "bona fide"), (fake, SPOOF, "spoof")):
        share = np.histogram(np.clip(scores, edges[0], edges[-1]), edges)[0] / scores.size
        axes.stairs(100 * share, edges, fill=True, color=colour, alpha=0.35)
        axes.stairs(100 * share, edges, color=colour, linewidth=1.2, label=f"{label} ({scores.size:,})")
    axes.axvline(one.thresholds[0].threshold, color="#333333", linewidth=0.9, linestyle="--", label="EER threshold")
    axes.set(xlabel="score (higher is more bona fide)", ylabel="share of its class, %", xlim=(edges[0], edges[-1]))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=3)
    return svg_of(pyplot, figure, "score histogram")


def reliability_picture(evaluations: Sequence[Evaluation]) -> str:
    """The stated probability of bona fide, at even odds, against the share that is; scores are read as llrs."""
    pyplot, figure, axes = new_picture(5.2, 4.4)
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.7, linestyle=":")
    for one, colour in zip(evaluations, _cycle(len(evaluations)), strict=True):
        real, fake = one.trials.by_class
        table = reliability(real, fake, n_bins=15)
        weight = table.found / np.maximum(1e-12, table.found + (1 - table.found) * real.size / fake.size)
        axes.plot(table.stated, weight, color=colour, marker="o", markersize=3.5, linewidth=1.2, label=one.name)
    axes.set(xlabel="stated probability of bona fide", ylabel="share of bona fide, classes balanced")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.legend(loc="upper left")
    return svg_of(pyplot, figure, "calibration plot")


def tippett_picture(one: Evaluation) -> str:
    """The share of each class whose llr exceeds a value; scores are read as llrs."""
    pyplot, figure, axes = new_picture(5.2, 3.1)
    shares = np.linspace(0, 1, _POINTS)
    for scores, colour, label in zip(one.trials.by_class, (BONAFIDE, SPOOF), ("bona fide", "spoof"), strict=True):
        axes.plot(np.quantile(scores, 1 - shares), 100 * shares, color=colour, linewidth=1.5, label=label)
    axes.axvline(0, color="#999999", linewidth=0.7, linestyle=":")
    axes.set(xlabel="llr over which it lies, nats", ylabel="share of its class, %", ylim=(-2, 102))
    axes.legend(loc="lower left")
    return svg_of(pyplot, figure, "Tippett plot")


def _band(one: Evaluation, grid: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The 2.5 % and 97.5 % curve of resampled misses over the grid of probit false alarms.

    Scores are counted on 400 levels, so that a resample of a million trials costs what one of a few hundred does.
    """
    curves = []
    for real, fake in zip(*_draws(one), strict=True):
        if real.sum() and fake.sum():
            miss = np.append(0, np.cumsum(real)) / real.sum()
            accepted = 1 - np.append(0, np.cumsum(fake)) / fake.sum()
            curves.append(np.interp(-grid, -probit(accepted, clip=_CLIP), probit(miss, clip=_CLIP)))
    low, high = np.quantile(np.array(curves), [0.025, 0.975], axis=0)
    return low, high


def _draws(one: Evaluation) -> list[NDArray[np.int64]]:
    """How many bona fide, and how many spoof trials of each resample lie on each level, ``(draws, levels)`` each."""
    trials = one.trials
    edges = np.unique(np.quantile(trials.scores, np.linspace(0, 1, _LEVELS + 1)))[1:-1]
    levels = edges.size + 1
    level = np.searchsorted(edges, trials.scores, side="right")
    rng = np.random.default_rng(0)
    classes = (trials.bonafide, ~trials.bonafide)
    if one.unit == "trial":
        counts = [np.bincount(level[of], minlength=levels) for of in classes]
        return [rng.multinomial(count.sum(), count / count.sum(), size=_DRAWS) for count in counts]
    names, group = np.unique(column_of(trials, one.unit), return_inverse=True)
    tables = [
        np.bincount(group[of] * levels + level[of], minlength=names.size * levels).reshape(names.size, levels)
        for of in classes
    ]
    times = rng.multinomial(names.size, np.full(names.size, 1 / names.size), size=_DRAWS)
    return [times @ table for table in tables]


def _cycle(count: int) -> list[str]:
    return [COLOURS[k % len(COLOURS)] for k in range(count)]
