"""Linear calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from glottis.calibration.checks import check_linear
from glottis.calibration.regression import Floats, RegressionTrials, fit_linear
from glottis.metrics import checked


@dataclass(frozen=True, slots=True)
class Platt:
    """Linear calibration: llr = scale * score + offset.

    Attributes:
        scale: Nats for one unit of score, over 0.
        offset: The llr of score 0, in nats.
    """

    kind: ClassVar[str] = "platt"
    needs: ClassVar[str | None] = None
    scale: float
    offset: float

    def __post_init__(self) -> None:
        check_linear("platt", [self.scale], [self.offset])

    def apply(self, scores: ArrayLike, fact: ArrayLike | None = None) -> Floats:  # noqa: ARG002 - Calibrator
        """The llr of each score, in nats, same shape; `fact` is not used."""
        return self.scale * np.asarray(scores, dtype=np.float64) + self.offset

    @classmethod
    def fit(cls, bonafide_scores: ArrayLike, spoof_scores: ArrayLike, *, prior_bonafide: float = 0.5) -> Self:
        """Minimise the prior-weighted cross-entropy by Newton's method, without regularisation.

        With prior pi a bona fide trial weighs pi / B, a spoof trial (1 - pi) / S, and the logit is llr + logit(pi).
        If the classes are separated the optimum lies at infinity: then, after Platt, the targets are 1 - e and e with
        e = 1 / (min(B, S) + 2), so that few trials of either class give no great llrs.

        Raises:
            CorpusError: A class is empty or has scores that are not finite.
            ConfigError: The prior is not between 0 and 1.
        """
        bonafide, spoof = checked(bonafide_scores, spoof_scores)
        trials = RegressionTrials.of(bonafide, spoof, prior_bonafide)
        mean, spread = trials.standard()
        basis = np.ones((trials.scores.size, 1))
        (slope,), (level,) = fit_linear(trials, (trials.scores - mean) / spread, basis, smoothness=0.0)
        return cls(float(slope / spread), float(level - slope * mean / spread))

    def to_json(self) -> dict[str, Any]:
        """``{"kind": "platt", "scale", "offset"}``."""
        return {"kind": self.kind, "scale": self.scale, "offset": self.offset}
