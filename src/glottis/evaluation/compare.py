"""Several systems on the trials that they share: is one better by more than chance?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.errors import CorpusError
from glottis.evaluation.evaluate import column_of, usual_resamples
from glottis.evaluation.join import Trials
from glottis.metrics import Interval, McNemar, challenge_eer, challenge_eer_point, mcnemar, paired_difference


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems on the trials that both scored.

    Attributes:
        first: The name of one.
        second: The name of the other.
        n_trials: How many trials they share.
        eer_difference: The first's challenge EER minus the second's; an interval without 0 says that they differ.
        mcnemar: Of their calls, each at its own EER threshold on these trials.
    """

    first: str
    second: str
    n_trials: int
    eer_difference: Interval
    mcnemar: McNemar

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


def compare(
    systems: Sequence[Trials], *, groups: str | None = None, resamples: int | None = None, seed: int = 0
) -> tuple[Comparison, ...]:
    """Every pair of systems.

    Args:
        systems: On one protocol.
        groups: A column whose values are resampled whole, or None to resample trials.
        resamples: Draws for the intervals, the same trials for both systems; by default `usual_resamples`.
        seed: Of the draws.

    Raises:
        CorpusError: Two systems share no trials of both classes (``no_common_trial``).
    """
    return tuple(_compared(systems, groups, resamples, seed))


def _compared(systems: Sequence[Trials], groups: str | None, resamples: int | None, seed: int) -> Iterator[Comparison]:
    for first, second in combinations(systems, 2):
        here, there = _common(first, second)
        bonafide = first.bonafide[here]
        if bonafide.all() or not bonafide.any():
            raise CorpusError(
                f"{first.name} and {second.name} share no trials of both classes",
                code="no_common_trial",
                hint="compare systems that scored one test",
            )
        a, b = first.scores[here], second.scores[there]
        difference = paired_difference(
            challenge_eer,
            a,
            b,
            bonafide,
            groups=None if groups is None else column_of(first, groups)[here],
            resamples=resamples or usual_resamples(here.size),
            seed=seed,
        )
        flags = [_right(scores, bonafide) for scores in (a, b)]
        yield Comparison(first.name, second.name, int(here.size), difference, mcnemar(*flags))


def _common(first: Trials, second: Trials) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    if first.trials.size == second.trials.size and np.array_equal(first.trials, second.trials):
        every = np.arange(first.trials.size)
        return every, every
    _, here, there = np.intersect1d(first.trials, second.trials, return_indices=True)
    return here, there


def _right(scores: NDArray[np.float64], bonafide: NDArray[np.bool_]) -> NDArray[np.bool_]:
    _, rejected = challenge_eer_point(scores[bonafide], scores[~bonafide])
    return np.asarray((scores > rejected) == bonafide, np.bool_)
