"""A test's parts: by attack, codec, speaker, language, length, or any column.

Where a column is of spoofs alone (an attack, a system) each part is its spoofs against all bona fide trials, as the
challenges do it; else both classes are taken from the part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from glottis.evaluation.join import Trials
from glottis.evaluation.scores import AsvScores
from glottis.evaluation.tables import Texts, is_number
from glottis.metrics import bootstrap, challenge_eer, min_tdcf

RESAMPLES = 200
FEW = 12
"""A column of numbers with more distinct values is cut into fifths."""

MOST_PARTS = 80
"""Of more parts, those with the most trials are kept."""

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Part:
    """One value of a column.

    Attributes:
        value: Its name.
        n_bonafide: Bona fide trials.
        n_spoof: Spoof trials.
        eer: The challenge EER, or None where a class is missing.
        low: The lower end of its 95 % interval, resampled by trial.
        high: The upper end.
        min_tdcf: In the form of 2019, with the verifier's error rates on that attack; None without ASV scores.
    """

    value: str
    n_bonafide: int
    n_spoof: int
    eer: float | None = None
    low: float | None = None
    high: float | None = None
    min_tdcf: float | None = None


def break_down(trials: Trials, column: Texts, *, asv: AsvScores | None = None) -> tuple[Part, ...]:
    """The parts in order of name; those of numbers in order of size.

    Args:
        trials: Joined trials.
        column: One value for each, ``(n,)``.
        asv: For the t-DCF of each attack.
    """
    parts = []
    for value, real, fake in _split(trials, column):
        parts.append(_part(value, trials.scores[real], trials.scores[fake], asv))
    return tuple(parts)


def _split(trials: Trials, column: Texts) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]]:
    bonafide = trials.bonafide
    names, index = _binned(column)
    pooled = not np.intersect1d(index[bonafide], index[~bonafide]).size
    counts = np.bincount(index[~bonafide] if pooled else index, minlength=len(names))
    for k in sorted(np.argsort(-counts, kind="stable")[:MOST_PARTS].tolist()):
        inside = index == k
        if counts[k]:
            yield names[k], bonafide if pooled else inside & bonafide, inside & ~bonafide


def _binned(column: Texts) -> tuple[list[str], NDArray[np.intp]]:
    """The parts' names, and the part of each trial."""
    names, index = np.unique(column, return_inverse=True)
    known = [name for name in names.tolist() if name]
    if len(known) <= FEW or not all(map(is_number, known)):
        return [name or UNKNOWN for name in names.tolist()], index
    numbers = np.array([float(name) if name else np.nan for name in names.tolist()])[index]
    edges = np.unique(np.nanquantile(numbers, [0, 0.2, 0.4, 0.6, 0.8, 1]))
    part = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, edges.size - 2)
    labels = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges.tolist())]
    part[np.isnan(numbers)] = len(labels)
    return [*labels, UNKNOWN], part


def _part(value: str, real: NDArray[np.float64], fake: NDArray[np.float64], asv: AsvScores | None) -> Part:
    if not real.size or not fake.size:
        return Part(value, int(real.size), int(fake.size))
    found = bootstrap(challenge_eer, real, fake, resamples=RESAMPLES)
    cost = None
    if asv is not None and value in asv.attacks:
        cost = min_tdcf(real, fake, asv.rates(value))
    return Part(value, int(real.size), int(fake.size), found.value, found.low, found.high, cost)
