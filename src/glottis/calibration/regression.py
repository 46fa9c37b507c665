"""Prior-weighted logistic regression by Newton's method, with slopes that never fall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from glottis.errors import ConfigError

Floats = NDArray[np.float64]

MIN_SLOPE = 1e-3
"""The least slope, in nats for one standard deviation of the scores: scores that do not tell the classes apart, or
tell them the wrong way round, get llrs close to 0."""

_MAX_STEPS = 100
_NEAR = 1e-6


@dataclass(frozen=True, eq=False, slots=True)
class RegressionTrials:
    """Scores with what the regression needs of each; all arrays ``(n,)``."""

    scores: Floats
    targets: Floats
    weights: Floats
    prior_logit: float

    @classmethod
    def of(cls, bonafide: Floats, spoof: Floats, prior: float) -> Self:
        """Targets and weights of both classes; the weights of bona fide sum to the prior."""
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


def fit_linear(trials: RegressionTrials, scores: Floats, basis: Floats, *, smoothness: float) -> tuple[Floats, Floats]:
    """Slopes and levels at each of the k functions of `basis` ``(n, k)``; slopes of at least `MIN_SLOPE`."""
    k = basis.shape[1]
    features = np.concatenate([basis * scores[:, None], basis], axis=1)
    steps = np.diff(np.eye(k), axis=0)
    pull = np.asarray(np.kron(np.eye(2), smoothness * steps.T @ steps), dtype=np.float64)
    theta = fit_rising(trials, features, pull, slopes=k, least=MIN_SLOPE)
    return theta[:k], theta[k:]


def fit_rising(trials: RegressionTrials, features: Floats, pull: Floats, *, slopes: int, least: float) -> Floats:
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


def _newton(trials: RegressionTrials, features: Floats, pull: Floats, theta: Floats, free: NDArray[np.bool_]) -> Floats:
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
        if np.abs(step).max() < _NEAR:  # so near that rounding, not the step, decides which loss is less
            theta = theta + step
            here = loss(theta)
            if np.abs(step).max() < 1e-12:  # noqa: PLR2004 - converged
                break
            continue
        length = 1.0
        while (there := loss(theta + length * step)) > here and length > 1e-9:  # noqa: PLR2004 - next to nothing
            length /= 2
        if there > here:
            break
        theta, here = theta + length * step, there
    return theta
