"""Several systems to one llr."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from glottis.calibration.regression import Floats, RegressionTrials, fit_rising
from glottis.errors import BundleError
from glottis.metrics import bonafide_mask, checked

_PULL = 1e-4


@dataclass(frozen=True, slots=True)
class Fusion:
    """The scores of several systems to one llr: the sum of weight times score, plus the offset; never falling in any.

    Attributes:
        systems: Their names, in order.
        weights: Nats for one unit of each system's score, 0 or more.
        offset: The llr of scores that are all 0, in nats.
    """

    kind: ClassVar[str] = "fusion"
    systems: tuple[str, ...]
    weights: tuple[float, ...]
    offset: float

    def __post_init__(self) -> None:
        numbers = (*self.weights, self.offset)
        if len(self.systems) != len(self.weights) or not self.weights or not np.isfinite(numbers).all():
            raise BundleError("fusion: one finite weight for each system", code="bad_calibration")
        if min(self.weights) < 0:
            raise BundleError("fusion: weights must be 0 or more", code="bad_calibration")

    def apply(self, scores: ArrayLike) -> Floats:
        """The llr of each trial ``(n,)`` in nats, from scores ``(n, systems)``."""
        return np.asarray(np.asarray(scores, dtype=np.float64) @ np.array(self.weights) + self.offset, np.float64)

    @classmethod
    def fit(
        cls, scores: ArrayLike, bonafide: ArrayLike, systems: tuple[str, ...], *, prior_bonafide: float = 0.5
    ) -> Self:
        """Logistic regression, as `Platt.fit`, with weights of 0 or more. Source: the BOSARIS toolkit.

        Args:
            scores: Shape ``(n, systems)``.
            bonafide: Whether each trial is bona fide, ``(n,)``.
            systems: Their names.
            prior_bonafide: The weight of the bona fide class, between 0 and 1.

        Raises:
            CorpusError: A class is empty or a score is not finite.
            ConfigError: The prior is not between 0 and 1.
        """
        values = np.asarray(scores, dtype=np.float64)
        mask = bonafide_mask(bonafide, values[:, 0])
        for column in values.T:
            checked(column[mask], column[~mask])
        order = np.argsort(~mask, kind="stable")
        mean, spread = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-12)
        features = np.column_stack([((values - mean) / spread)[order], np.ones(len(values))])
        trials = RegressionTrials.of(features[: mask.sum(), 0], features[mask.sum() :, 0], prior_bonafide)
        pull = np.diag([_PULL] * len(systems) + [0.0])
        theta = fit_rising(trials, features, pull, slopes=len(systems), least=0.0)
        weights = theta[:-1] / spread
        return cls(systems, tuple(weights.tolist()), float(theta[-1] - weights @ mean))

    def to_json(self) -> dict[str, Any]:
        """``{"kind": "fusion", "systems": [...], "weights": [...], "offset"}``."""
        return {"kind": self.kind, "systems": list(self.systems), "weights": list(self.weights), "offset": self.offset}
