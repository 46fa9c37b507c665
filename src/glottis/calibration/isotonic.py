"""Monotone calibration by pooled adjacent violators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from glottis.calibration.checks import check_knots
from glottis.calibration.regression import Floats
from glottis.errors import BundleError
from glottis.metrics import Blocks, checked, pool, tied


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Monotone calibration by pooled adjacent violators: lines between knots, level outside them.

    Attributes:
        scores: The knots, strictly increasing.
        llrs: The llr at each, in nats, non-decreasing.
    """

    kind: ClassVar[str] = "isotonic"
    needs: ClassVar[str | None] = None
    scores: tuple[float, ...]
    llrs: tuple[float, ...]

    def __post_init__(self) -> None:
        check_knots("isotonic", "scores", self.scores, self.llrs)
        if np.any(np.diff(self.llrs) < 0):
            raise BundleError("isotonic calibration: llrs must not fall", code="bad_calibration")

    def apply(self, scores: ArrayLike, fact: ArrayLike | None = None) -> Floats:  # noqa: ARG002 - Calibrator
        """The llr of each score, in nats, same shape; `fact` is not used."""
        return np.asarray(np.interp(np.asarray(scores, dtype=np.float64), self.scores, self.llrs), dtype=np.float64)

    @classmethod
    def fit(cls, bonafide_scores: ArrayLike, spoof_scores: ArrayLike) -> Self:
        """Isotonic regression of the label, with one trial of each class added at either end.

        Those four trials (the rule of BOSARIS) keep the llrs of the ends finite: at most about ln(trials).

        Raises:
            CorpusError: A class is empty or has scores that are not finite.
        """
        bonafide, spoof = checked(bonafide_scores, spoof_scores)
        blocks = pool(_with_ends(tied(bonafide, spoof)))
        share_b, share_s = blocks.bonafide / (bonafide.size + 2), blocks.spoof / (spoof.size + 2)
        llr = np.maximum.accumulate(np.log(share_b) - np.log(share_s))
        low = np.maximum(blocks.low, min(bonafide.min(), spoof.min()))
        high = np.minimum(blocks.high, max(bonafide.max(), spoof.max()))
        knots: dict[float, float] = {}
        for first, last, value in zip(low.tolist(), high.tolist(), llr.tolist(), strict=True):
            if first <= last:
                knots[first] = value
                knots[last] = value
        return cls(tuple(knots), tuple(knots.values()))

    def to_json(self) -> dict[str, Any]:
        """``{"kind": "isotonic", "scores": [...], "llrs": [...]}``."""
        return {"kind": self.kind, "scores": list(self.scores), "llrs": list(self.llrs)}


def _with_ends(blocks: Blocks) -> Blocks:
    return Blocks(
        np.concatenate([[-np.inf], blocks.low, [np.inf]]),
        np.concatenate([[-np.inf], blocks.high, [np.inf]]),
        np.concatenate([[1], blocks.bonafide, [1]]),
        np.concatenate([[1], blocks.spoof, [1]]),
    )
