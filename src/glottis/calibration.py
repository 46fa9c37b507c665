"""Calibration: from a net's score to an llr that can be trusted as one.

An llr is ln p(x | bona fide) / p(x | spoof), in nats; each calibrator is non-decreasing in the score. Fits weigh the
two classes by a prior, so that the class balance of the trials does not leak into the llr.
Sources: Platt 1999; Brümmer and de Villiers, "The BOSARIS toolkit", 2011.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glottis.errors import BundleError, ConfigError, CorpusError
from glottis.metrics import Blocks, bonafide_mask, checked, checked_like, pool, tied

Floats = NDArray[np.float64]

MIN_SLOPE = 1e-3
"""The least slope, in nats for one standard deviation of the scores: scores that do not tell the classes apart, or
tell them the wrong way round, get llrs close to 0."""

_MAX_STEPS = 100
_KNOT_PERCENTILES = (5.0, 35.0, 65.0, 95.0)
_SMOOTHNESS = 1e-3
_FUSION_PULL = 1e-4
_MIN_SPEECH_S = 1e-3


class Calibrator(Protocol):
    """Scores in, llrs out."""

    def apply(self, scores: ArrayLike, speech_s: ArrayLike | None = None) -> Floats:
        """The llr of each score, in nats, same shape as `scores`; `speech_s` is the seconds of speech behind each."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The calibrator as JSON; `from_json` reads it back."""
        ...


@dataclass(frozen=True, slots=True)
class Platt:
    """Linear calibration: llr = scale * score + offset.

    Attributes:
        scale: Nats for one unit of score, over 0.
        offset: The llr of score 0, in nats.
    """

    kind: ClassVar[str] = "platt"
    scale: float
    offset: float

    def __post_init__(self) -> None:
        _check_linear("platt", [self.scale], [self.offset])

    def apply(self, scores: ArrayLike, speech_s: ArrayLike | None = None) -> Floats:  # noqa: ARG002 - Calibrator
        """The llr of each score, in nats, same shape; the seconds of speech are not used."""
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
        trials = _Trials.of(bonafide, spoof, prior_bonafide)
        mean, spread = trials.standard()
        basis = np.ones((trials.scores.size, 1))
        (slope,), (level,) = _fit_linear(trials, (trials.scores - mean) / spread, basis, smoothness=0.0)
        return cls(float(slope / spread), float(level - slope * mean / spread))

    def to_json(self) -> dict[str, Any]:
        """``{"kind": "platt", "scale", "offset"}``."""
        return {"kind": self.kind, "scale": self.scale, "offset": self.offset}


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Monotone calibration by pooled adjacent violators: lines between knots, level outside them.

    Attributes:
        scores: The knots, strictly increasing.
        llrs: The llr at each, in nats, non-decreasing.
    """

    kind: ClassVar[str] = "isotonic"
    scores: tuple[float, ...]
    llrs: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_knots("isotonic", "scores", self.scores, self.llrs)
        if np.any(np.diff(self.llrs) < 0):
            raise BundleError("isotonic calibration: llrs must not fall", code="bad_calibration")

    def apply(self, scores: ArrayLike, speech_s: ArrayLike | None = None) -> Floats:  # noqa: ARG002 - Calibrator
        """The llr of each score, in nats, same shape; the seconds of speech are not used."""
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


@dataclass(frozen=True, slots=True)
class ByDuration:
    """Linear calibration that knows how much was said: llr = scale(d) * score + offset(d).

    Between knots scale and offset are linear in the logarithm of the seconds of speech d, and level outside them. All
    scales are over 0, so that for any d the llr increases with the score.

    Attributes:
        knots_s: Seconds of speech, over 0, strictly increasing.
        scales: Nats for one unit of score at each knot, over 0.
        offsets: The llr of score 0 at each knot, in nats.
    """

    kind: ClassVar[str] = "by_duration"
    knots_s: tuple[float, ...]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_linear("by_duration", self.scales, self.offsets)
        _check_knots("by_duration", "knots_s", self.knots_s, self.scales)
        if self.knots_s[0] <= 0:
            raise BundleError(f"by_duration calibration: knots_s starts at {self.knots_s[0]}", code="bad_calibration")

    def apply(self, scores: ArrayLike, speech_s: ArrayLike | None = None) -> Floats:
        """The llr of each score, in nats, same shape as `scores`.

        Raises:
            ConfigError: `speech_s` is missing (``no_speech_s``).
        """
        if speech_s is None:
            raise ConfigError(
                "this calibration needs the seconds of speech", code="no_speech_s", hint="give speech_s, one a score"
            )
        log_s, log_knots = _log_seconds(speech_s), np.log(self.knots_s)
        scale, offset = np.interp(log_s, log_knots, self.scales), np.interp(log_s, log_knots, self.offsets)
        return np.asarray(scale * np.asarray(scores, dtype=np.float64) + offset, dtype=np.float64)

    @classmethod
    def fit(
        cls,
        bonafide_scores: ArrayLike,
        spoof_scores: ArrayLike,
        bonafide_speech_s: ArrayLike,
        spoof_speech_s: ArrayLike,
        *,
        knots_s: tuple[float, ...] | None = None,
        prior_bonafide: float = 0.5,
    ) -> Self:
        """As `Platt.fit`, with a light pull of neighbouring knots towards each other.

        Args:
            bonafide_scores: Shape ``(n_bonafide,)``.
            spoof_scores: Shape ``(n_spoof,)``.
            bonafide_speech_s: Seconds of speech of each bona fide trial.
            spoof_speech_s: Seconds of speech of each spoof trial.
            knots_s: Where scale and offset may bend; by default four percentiles of the seconds.
            prior_bonafide: The weight of the bona fide class, between 0 and 1.

        Raises:
            CorpusError: A class is empty, has scores that are not finite, or seconds of another length.
            ConfigError: The prior is not between 0 and 1.
        """
        bonafide, spoof = checked(bonafide_scores, spoof_scores)
        trials = _Trials.of(bonafide, spoof, prior_bonafide)
        mean, spread = trials.standard()
        seconds_b = checked_like(bonafide_speech_s, bonafide, "bonafide seconds of speech")
        seconds_s = checked_like(spoof_speech_s, spoof, "spoof seconds of speech")
        log_s = np.concatenate([_log_seconds(seconds_b), _log_seconds(seconds_s)])
        log_knots = np.unique(np.percentile(log_s, _KNOT_PERCENTILES) if knots_s is None else _log_seconds(knots_s))
        basis = np.stack([np.interp(log_s, log_knots, hat) for hat in np.eye(log_knots.size)], axis=1)
        slopes, levels = _fit_linear(trials, (trials.scores - mean) / spread, basis, smoothness=_SMOOTHNESS)
        scales, offsets = slopes / spread, levels - slopes * mean / spread
        return cls(tuple(np.exp(log_knots).tolist()), tuple(scales.tolist()), tuple(offsets.tolist()))

    def to_json(self) -> dict[str, Any]:
        """``{"kind": "by_duration", "knots_s": [...], "scales": [...], "offsets": [...]}``."""
        return {
            "kind": self.kind,
            "knots_s": list(self.knots_s),
            "scales": list(self.scales),
            "offsets": list(self.offsets),
        }


def _log_seconds(speech_s: ArrayLike) -> Floats:
    seconds = np.asarray(speech_s, dtype=np.float64)
    if not np.isfinite(seconds).all():
        raise ConfigError("seconds of speech are not finite", code="no_speech_s", hint="0 where nobody speaks")
    return np.log(np.maximum(seconds, _MIN_SPEECH_S))


@dataclass(frozen=True, eq=False, slots=True)
class _Trials:
    """Scores with what the regression needs of each; all arrays ``(n,)``."""

    scores: Floats
    targets: Floats
    weights: Floats
    prior_logit: float

    @classmethod
    def of(cls, bonafide: Floats, spoof: Floats, prior: float) -> Self:
        if not 0 < prior < 1:
            raise ConfigError(f"prior_bonafide is {prior}, not between 0 and 1", code="bad_prior")
        n_bonafide, n_spoof = bonafide.size, spoof.size
        separated = bonafide.min() >= spoof.max() or bonafide.max() <= spoof.min()
        doubt = 1 / (min(n_bonafide, n_spoof) + 2) if separated else 0.0
        return cls(
            np.concatenate([bonafide, spoof]),
            np.repeat([1 - doubt, doubt], [n_bonafide, n_spoof]),
            np.repeat([prior / n_bonafide, (1 - prior) / n_spoof], [n_bonafide, n_spoof]),
            float(np.log(prior) - np.log1p(-prior)),
        )

    def standard(self) -> tuple[float, float]:
        """The weighted mean and standard deviation of the scores; 1 in place of a deviation that is rounding alone."""
        mean = float(self.weights @ self.scores)
        spread = float(np.sqrt(self.weights @ (self.scores - mean) ** 2))
        return mean, spread if spread > 1e-12 * max(1.0, abs(mean)) else 1.0


def _fit_linear(trials: _Trials, scores: Floats, basis: Floats, *, smoothness: float) -> tuple[Floats, Floats]:
    """Slopes and levels at each of the k functions of `basis` ``(n, k)``; slopes of at least `MIN_SLOPE`."""
    k = basis.shape[1]
    features = np.concatenate([basis * scores[:, None], basis], axis=1)
    steps = np.diff(np.eye(k), axis=0)
    pull = np.asarray(np.kron(np.eye(2), smoothness * steps.T @ steps), dtype=np.float64)
    theta = _fit_rising(trials, features, pull, slopes=k, least=MIN_SLOPE)
    return theta[:k], theta[k:]


def _fit_rising(trials: _Trials, features: Floats, pull: Floats, *, slopes: int, least: float) -> Floats:
    """The weights of `features` ``(n, d)``; the first `slopes` of them are at least `least`."""
    free = np.ones(features.shape[1], dtype=np.bool_)
    theta = np.zeros(free.size)
    while True:
        theta[free] = 0.0
        theta = _newton(trials, features, pull, theta, free)
        low = free & (np.arange(free.size) < slopes) & (theta < least)
        if not low.any():
            return theta
        theta[low] = least
        free &= ~low


def _newton(trials: _Trials, features: Floats, pull: Floats, theta: Floats, free: NDArray[np.bool_]) -> Floats:
    """Minimise the weighted cross-entropy plus theta' pull theta / 2 over the free coordinates, halving long steps."""

    def loss(at: Floats) -> float:
        logits = features @ at + trials.prior_logit
        return float(trials.weights @ (np.logaddexp(0.0, logits) - trials.targets * logits) + at @ pull @ at / 2)

    here = loss(theta)
    for _ in range(_MAX_STEPS):
        logits = features @ theta + trials.prior_logit
        p = np.exp(-np.logaddexp(0.0, -logits))
        gradient = (features.T @ (trials.weights * (p - trials.targets)) + pull @ theta)[free]
        curved = features[:, free]
        hessian = curved.T @ ((trials.weights * p * (1 - p))[:, None] * curved) + pull[np.ix_(free, free)]
        step = np.zeros_like(theta)
        step[free] = -np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        length = 1.0
        while (there := loss(theta + length * step)) > here and length > 1e-9:  # noqa: PLR2004 - next to nothing
            length /= 2
        if there > here:
            break
        theta, here = theta + length * step, there
        if np.abs(step).max() < 1e-12:  # noqa: PLR2004 - converged
            break
    return theta


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
        trials = _Trials.of(features[: mask.sum(), 0], features[mask.sum() :, 0], prior_bonafide)
        pull = np.diag([_FUSION_PULL] * len(systems) + [0.0])
        theta = _fit_rising(trials, features, pull, slopes=len(systems), least=0.0)
        weights = theta[:-1] / spread
        return cls(systems, tuple(weights.tolist()), float(theta[-1] - weights @ mean))

    def to_json(self) -> dict[str, Any]:
        """``{"kind": "fusion", "systems": [...], "weights": [...], "offset"}``."""
        return {"kind": self.kind, "systems": list(self.systems), "weights": list(self.weights), "offset": self.offset}


Fit = Callable[..., Calibrator]


def cross_fit(
    scores: ArrayLike,
    labels: ArrayLike,
    groups: ArrayLike,
    fit: Fit,
    *,
    speech_s: ArrayLike | None = None,
) -> Floats:
    """The llr of each trial by a calibrator that saw none of its group, shape ``(n,)``.

    Args:
        scores: Shape ``(n,)``; higher is more bona fide.
        labels: ``bonafide`` or ``spoof`` for each trial, or whether it is bona fide.
        groups: The group (source, speaker) of each trial.
        fit: Such as `Platt.fit`: takes the bona fide and the spoof scores and, if `speech_s` is given, the seconds of
            each.
        speech_s: Seconds of speech of each trial, for `ByDuration.fit`.

    Raises:
        CorpusError: Scores that are not finite, an unknown label, unequal lengths, or a group without which a class
            is empty (``empty_class``; the message names the group).
    """
    values = np.asarray(scores, dtype=np.float64)
    bonafide = bonafide_mask(labels, values)
    checked(values[bonafide], values[~bonafide])
    names = checked_like(groups, values, "groups").astype(np.str_)
    seconds = None if speech_s is None else checked_like(speech_s, values, "speech_s").astype(np.float64)
    llrs = np.empty_like(values)
    for name in np.unique(names):
        here = names == name
        real, fake = ~here & bonafide, ~here & ~bonafide
        if not real.any() or not fake.any():
            missing = "spoof" if real.any() else "bonafide"
            raise CorpusError(f"without group {str(name)!r} there is no {missing} score", code="empty_class")
        extra = () if seconds is None else (seconds[real], seconds[fake])
        model = fit(values[real], values[fake], *extra)
        llrs[here] = model.apply(values[here], None if seconds is None else seconds[here])
    return llrs


def from_json(stored: dict[str, Any]) -> Platt | Isotonic | ByDuration:
    """The calibrator that `to_json` wrote.

    Raises:
        BundleError: An unknown kind, a missing field, or values that are no calibration; the message names the field.
    """
    if not isinstance(stored, dict):
        raise BundleError(f"calibration is {type(stored).__name__}, not an object", code="bad_calibration")
    kind = stored.get("kind")
    if kind == Platt.kind:
        return Platt(_number(stored, "scale"), _number(stored, "offset"))
    if kind == Isotonic.kind:
        return Isotonic(_numbers(stored, "scores"), _numbers(stored, "llrs"))
    if kind == ByDuration.kind:
        return ByDuration(_numbers(stored, "knots_s"), _numbers(stored, "scales"), _numbers(stored, "offsets"))
    raise BundleError(
        f"unknown kind of calibration {kind!r}", code="bad_calibration", hint="platt, isotonic or by_duration"
    )


def _number(stored: dict[str, Any], name: str) -> float:
    value = stored.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BundleError(f"calibration field {name!r} is {value!r}, not a number", code="bad_calibration")
    return float(value)


def _numbers(stored: dict[str, Any], name: str) -> tuple[float, ...]:
    values = stored.get(name)
    if not isinstance(values, list):
        raise BundleError(f"calibration field {name!r} is not a list of numbers", code="bad_calibration")
    return tuple(_number({name: value}, name) for value in values)


def _check_linear(kind: str, scales: ArrayLike, offsets: ArrayLike) -> None:
    have_scales, have_offsets = np.asarray(scales, dtype=np.float64), np.asarray(offsets, dtype=np.float64)
    if have_scales.shape != have_offsets.shape:
        raise BundleError(f"{kind} calibration: unequal numbers of scales and offsets", code="bad_calibration")
    if not (np.isfinite(have_scales).all() and (have_scales > 0).all() and np.isfinite(have_offsets).all()):
        raise BundleError(f"{kind} calibration: scale must be over 0, and all finite", code="bad_calibration")


def _check_knots(kind: str, name: str, knots: tuple[float, ...], values: tuple[float, ...]) -> None:
    if len(knots) != len(values) or not knots:
        raise BundleError(f"{kind} calibration: {len(knots)} {name} for {len(values)} values", code="bad_calibration")
    if not (np.isfinite(knots).all() and np.isfinite(values).all() and (np.diff(knots) > 0).all()):
        raise BundleError(f"{kind} calibration: {name} must be finite and increase", code="bad_calibration")
