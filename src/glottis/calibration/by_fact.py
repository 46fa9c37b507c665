"""Linear calibration that knows one fact of a recording: how much was said, or how high its energy reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from glottis.calibration.checks import check_knots, check_linear
from glottis.calibration.regression import Floats, RegressionTrials, fit_linear
from glottis.errors import BundleError, ConfigError
from glottis.metrics import checked, checked_like

_KNOT_PERCENTILES = (5.0, 35.0, 65.0, 95.0)
_SMOOTHNESS = 1e-3


@dataclass(frozen=True, slots=True)
class _ByFact:
    """llr = scale(f) * score + offset(f).

    Between knots scale and offset are linear in the logarithm of the fact f, and level outside them. All scales are
    over 0, so that for any f the llr increases with the score.
    """

    kind: ClassVar[str]
    needs: ClassVar[str]
    knots_name: ClassVar[str]
    unit: ClassVar[str]
    least: ClassVar[float]

    knots: tuple[float, ...]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]

    def __post_init__(self) -> None:
        check_linear(self.kind, self.scales, self.offsets)
        check_knots(self.kind, self.knots_name, self.knots, self.scales)
        if self.knots[0] <= 0:
            raise BundleError(
                f"{self.kind} calibration: {self.knots_name} starts at {self.knots[0]}", code="bad_calibration"
            )

    def apply(self, scores: ArrayLike, fact: ArrayLike | None = None) -> Floats:
        """The llr of each score, in nats, same shape as `scores`.

        Raises:
            ConfigError: `fact` is missing or not finite (``no_fact``).
        """
        if fact is None:
            raise ConfigError(
                f"this calibration needs the {self.unit}", code="no_fact", hint=f"give {self.needs}, one a score"
            )
        at, log_knots = self._log(fact), np.log(self.knots)
        scale, offset = np.interp(at, log_knots, self.scales), np.interp(at, log_knots, self.offsets)
        return np.asarray(scale * np.asarray(scores, dtype=np.float64) + offset, dtype=np.float64)

    @classmethod
    def fit(
        cls,
        bonafide_scores: ArrayLike,
        spoof_scores: ArrayLike,
        bonafide_fact: ArrayLike,
        spoof_fact: ArrayLike,
        *,
        knots: tuple[float, ...] | None = None,
        prior_bonafide: float = 0.5,
    ) -> Self:
        """As `Platt.fit`, with a light pull of neighbouring knots towards each other.

        Args:
            bonafide_scores: Shape ``(n_bonafide,)``.
            spoof_scores: Shape ``(n_spoof,)``.
            bonafide_fact: The fact of each bona fide trial.
            spoof_fact: The fact of each spoof trial.
            knots: Where scale and offset may bend; by default four percentiles of the fact.
            prior_bonafide: The weight of the bona fide class, between 0 and 1.

        Raises:
            CorpusError: A class is empty, has scores that are not finite, or facts of another length.
            ConfigError: The prior is not between 0 and 1, or a fact is not finite.
        """
        bonafide, spoof = checked(bonafide_scores, spoof_scores)
        trials = RegressionTrials.of(bonafide, spoof, prior_bonafide)
        mean, spread = trials.standard()
        fact_b = checked_like(bonafide_fact, bonafide, f"bonafide {cls.unit}")
        fact_s = checked_like(spoof_fact, spoof, f"spoof {cls.unit}")
        at = np.concatenate([cls._log(fact_b), cls._log(fact_s)])
        log_knots = np.unique(np.percentile(at, _KNOT_PERCENTILES) if knots is None else cls._log(knots))
        basis = np.stack([np.interp(at, log_knots, hat) for hat in np.eye(log_knots.size)], axis=1)
        slopes, levels = fit_linear(trials, (trials.scores - mean) / spread, basis, smoothness=_SMOOTHNESS)
        scales, offsets = slopes / spread, levels - slopes * mean / spread
        return cls(tuple(np.exp(log_knots).tolist()), tuple(scales.tolist()), tuple(offsets.tolist()))

    @classmethod
    def _log(cls, fact: ArrayLike) -> Floats:
        values = np.asarray(fact, dtype=np.float64)
        if not np.isfinite(values).all():
            raise ConfigError(f"{cls.unit}: not finite", code="no_fact", hint=f"give {cls.needs} of every trial")
        return np.log(np.maximum(values, cls.least))

    def to_json(self) -> dict[str, Any]:
        """``{"kind", the knots, "scales": [...], "offsets": [...]}``."""
        return {
            "kind": self.kind,
            self.knots_name: list(self.knots),
            "scales": list(self.scales),
            "offsets": list(self.offsets),
        }


class ByDuration(_ByFact):
    """`_ByFact` of the seconds of speech.

    Attributes:
        knots: Seconds of speech, over 0, strictly increasing.
        scales: Nats for one unit of score at each knot, over 0.
        offsets: The llr of score 0 at each knot, in nats.
    """

    __slots__ = ()
    kind = "by_duration"
    needs = "speech_s"
    knots_name = "knots_s"
    unit = "seconds of speech"
    least = 1e-3


class ByBandwidth(_ByFact):
    """`_ByFact` of the bandwidth, which tells a telephone from a studio.

    Attributes:
        knots: Bandwidths in Hz, over 0, strictly increasing.
        scales: Nats for one unit of score at each knot, over 0.
        offsets: The llr of score 0 at each knot, in nats.
    """

    __slots__ = ()
    kind = "by_bandwidth"
    needs = "bandwidth_hz"
    knots_name = "knots_hz"
    unit = "bandwidth in Hz"
    least = 1.0
