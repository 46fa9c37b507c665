"""Figures at one threshold: a trial is accepted as bona fide if and only if its score >= threshold.

Nobody agrees on the positive class: the arenas take bona fide, attack detection takes spoof. Here each figure carries
its class in its name, and the headline figures are those of spoof. Conventions: `shared/facts/metrics.md`, section 5.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from glottis.errors import ConfigError, CorpusError
from glottis.metrics.check import checked

Figure = Literal[
    "accuracy",
    "balanced_accuracy",
    "precision_spoof",
    "recall_spoof",
    "f1_spoof",
    "precision_bonafide",
    "recall_bonafide",
    "f1_bonafide",
    "macro_f1",
]


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many trials of each class were called what. All figures are fractions, 0 to 1, higher is better.

    A precision or F1 of which nothing can be said (no trial was called that class) is 0, as in scikit-learn.

    Attributes:
        true_spoof: Spoof trials that were called spoof.
        false_spoof: Bona fide trials that were called spoof.
        true_bonafide: Bona fide trials that were called bona fide.
        false_bonafide: Spoof trials that were called bona fide.

    Raises:
        CorpusError: A count is under 0 (``bad_count``), or a class has no trial (``empty_class``).
    """

    true_spoof: int
    false_spoof: int
    true_bonafide: int
    false_bonafide: int

    def __post_init__(self) -> None:
        counts = (self.true_spoof, self.false_spoof, self.true_bonafide, self.false_bonafide)
        if min(counts) < 0:
            raise CorpusError(f"a count of trials is {min(counts)}", code="bad_count", hint="counts are 0 or more")
        for label, size in (("bonafide", self.n_bonafide), ("spoof", self.n_spoof)):
            if size == 0:
                raise CorpusError(f"there is no {label} trial", code="empty_class", hint="count trials of both classes")

    @property
    def n_bonafide(self) -> int:
        """How many trials are bona fide."""
        return self.true_bonafide + self.false_spoof

    @property
    def n_spoof(self) -> int:
        """How many trials are spoof."""
        return self.true_spoof + self.false_bonafide

    @property
    def accuracy(self) -> float:
        """The share of trials that were called what they are; it depends on the balance of the classes."""
        return (self.true_spoof + self.true_bonafide) / (self.n_bonafide + self.n_spoof)

    @property
    def balanced_accuracy(self) -> float:
        """The mean of the two recalls."""
        return (self.recall_spoof + self.recall_bonafide) / 2

    @property
    def precision_spoof(self) -> float:
        """The share of spoof among the trials called spoof."""
        return _share(self.true_spoof, self.true_spoof + self.false_spoof)

    @property
    def recall_spoof(self) -> float:
        """The share of the spoof trials that were called spoof: 1 - APCER."""
        return self.true_spoof / self.n_spoof

    @property
    def f1_spoof(self) -> float:
        """The harmonic mean of precision and recall of spoof."""
        return _share(2 * self.true_spoof, 2 * self.true_spoof + self.false_spoof + self.false_bonafide)

    @property
    def precision_bonafide(self) -> float:
        """The share of bona fide among the trials called bona fide."""
        return _share(self.true_bonafide, self.true_bonafide + self.false_bonafide)

    @property
    def recall_bonafide(self) -> float:
        """The share of the bona fide trials that were called bona fide: 1 - BPCER."""
        return self.true_bonafide / self.n_bonafide

    @property
    def f1_bonafide(self) -> float:
        """The harmonic mean of precision and recall of bona fide: the F1 of the arenas."""
        return _share(2 * self.true_bonafide, 2 * self.true_bonafide + self.false_spoof + self.false_bonafide)

    @property
    def macro_f1(self) -> float:
        """The mean of the two F1."""
        return (self.f1_spoof + self.f1_bonafide) / 2


def confusion_at(bonafide_scores: ArrayLike, spoof_scores: ArrayLike, threshold: float) -> Confusion:
    """The counts at a threshold.

    The threshold of `challenge_eer_point` rejects score <= threshold; here the trial at the threshold is accepted,
    as the arenas do, so that the two differ by that trial.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
        ConfigError: The threshold is not a number.
    """
    check_threshold(threshold)
    bonafide, spoof = checked(bonafide_scores, spoof_scores)
    missed, caught = int(np.count_nonzero(bonafide < threshold)), int(np.count_nonzero(spoof < threshold))
    return Confusion(caught, missed, bonafide.size - missed, spoof.size - caught)


def figure_at(
    bonafide_scores: ArrayLike, spoof_scores: ArrayLike, threshold: float = 0.0, *, figure: Figure = "f1_spoof"
) -> float:
    """One figure of `Confusion` at a threshold, by name: what the registry holds for threshold 0 of an llr.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
        ConfigError: The threshold is not a number, or an unknown figure.
    """
    if figure not in get_args(Figure):
        names = ", ".join(get_args(Figure))
        raise ConfigError(f"unknown figure {figure!r}", code="bad_figure", hint=f"one of {names}")
    return float(getattr(confusion_at(bonafide_scores, spoof_scores, threshold), figure))


def check_threshold(threshold: float) -> None:
    """Let pass what is a number or infinite.

    Raises:
        ConfigError: The threshold is NaN (``bad_threshold``).
    """
    if np.isnan(threshold):
        raise ConfigError("the threshold is not a number", code="bad_threshold", hint="give the score of the threshold")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
