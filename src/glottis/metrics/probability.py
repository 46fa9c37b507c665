"""How good llrs are as probabilities: Brier score, logarithmic loss, calibration error.

An llr becomes P(bona fide) by a prior: p = 1 / (1 + e^-(llr + ln((1 - prior_spoof) / prior_spoof))). The figures are
means over the trials as they are, so that they depend on the balance of the classes: report it. `cllr` does not.
Source: `shared/facts/metrics.md`, section 4.5; Brier 1950; Guo et al. 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glottis.errors import ConfigError
from glottis.metrics.check import Floats, checked

Of = Literal["bonafide", "top_label"]
Bins = Literal["width", "mass"]

N_BINS = 15
"""How many bins a calibration error has unless told otherwise."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """The bins of a calibration plot that hold trials, ascending; all arrays ``(n_bins,)``.

    Attributes:
        stated: The mean probability that was stated.
        found: The share of trials for which it held.
        trials: How many trials each bin holds.
    """

    stated: Floats
    found: Floats
    trials: NDArray[np.int64]


def brier(bonafide_llrs: ArrayLike, spoof_llrs: ArrayLike, *, prior_spoof: float = 0.5) -> float:
    """The mean of (p - y)^2 over all trials, with y = 1 for bona fide; 0 to 1, lower is better.

    Raises:
        CorpusError: A class is empty or has llrs that are not finite.
        ConfigError: The prior is not between 0 and 1.
    """
    log_odds, y = log_odds_of(bonafide_llrs, spoof_llrs, prior_spoof)
    return float(np.mean((sigmoid(log_odds) - y) ** 2))


def log_loss(bonafide_llrs: ArrayLike, spoof_llrs: ArrayLike, *, prior_spoof: float = 0.5) -> float:
    """The mean of -ln(probability stated for the true class) over all trials, in nats; 0 and up, lower is better.

    Raises:
        CorpusError: A class is empty or has llrs that are not finite.
        ConfigError: The prior is not between 0 and 1.
    """
    log_odds, y = log_odds_of(bonafide_llrs, spoof_llrs, prior_spoof)
    return float(np.mean(np.logaddexp(0.0, np.where(y == 1, -log_odds, log_odds))))


def ece(
    bonafide_llrs: ArrayLike,
    spoof_llrs: ArrayLike,
    *,
    of: Of = "bonafide",
    bins: Bins = "width",
    n_bins: int = N_BINS,
    prior_spoof: float = 0.5,
) -> float:
    """Expected calibration error: the sum over bins of (share of trials) |stated - found|; 0 to 1, lower is better.

    Two figures have this name. Of ``bonafide``: p against the share of bona fide. Of ``top_label``: the confidence
    max(p, 1 - p) against the share of right calls, which hides errors that cancel. See `reliability`.

    Raises:
        CorpusError: A class is empty or has llrs that are not finite.
        ConfigError: A setting out of its range.
    """
    table = reliability(bonafide_llrs, spoof_llrs, of=of, bins=bins, n_bins=n_bins, prior_spoof=prior_spoof)
    return float(table.trials @ np.abs(table.stated - table.found) / table.trials.sum())


def reliability(
    bonafide_llrs: ArrayLike,
    spoof_llrs: ArrayLike,
    *,
    of: Of = "bonafide",
    bins: Bins = "width",
    n_bins: int = N_BINS,
    prior_spoof: float = 0.5,
) -> Reliability:
    """What was stated and what was found, bin by bin.

    Args:
        bonafide_llrs: Shape ``(n_bonafide,)``, in nats.
        spoof_llrs: Shape ``(n_spoof,)``, in nats.
        of: Whose probability; see `ece`. The top label is bona fide where p >= 0.5.
        bins: ``width``: the bins (i / n, (i + 1) / n], with 0 in the first. ``mass``: as many trials in each.
        n_bins: How many bins, 1 or more; empty ones are left out.
        prior_spoof: The probability of spoof before listening, over 0 and under 1.

    Raises:
        CorpusError: A class is empty or has llrs that are not finite.
        ConfigError: A setting out of its range.
    """
    if n_bins < 1:
        raise ConfigError(f"n_bins is {n_bins}, not 1 or more", code="bad_bins")
    stated, right = statements(*log_odds_of(bonafide_llrs, spoof_llrs, prior_spoof), of)
    index = _bins(stated, bins, n_bins)
    trials = np.bincount(index, minlength=n_bins)
    full = trials > 0
    sums = (np.bincount(index, weights=values, minlength=n_bins)[full] for values in (stated, right))
    means = [total / trials[full] for total in sums]
    return Reliability(means[0], means[1], trials[full].astype(np.int64))


def log_odds_of(bonafide_llrs: ArrayLike, spoof_llrs: ArrayLike, prior_spoof: float) -> tuple[Floats, Floats]:
    """The log-odds of bona fide after listening, and 1 for bona fide and 0 for spoof: both ``(n_trials,)``.

    Raises:
        CorpusError: A class is empty or has llrs that are not finite.
        ConfigError: The prior is not between 0 and 1.
    """
    if not 0 < prior_spoof < 1:
        raise ConfigError(f"prior_spoof is {prior_spoof}, not between 0 and 1", code="bad_prior")
    bonafide, spoof = checked(bonafide_llrs, spoof_llrs)
    prior = np.log1p(-prior_spoof) - np.log(prior_spoof)
    return np.concatenate([bonafide, spoof]) + prior, np.repeat([1.0, 0.0], [bonafide.size, spoof.size])


def sigmoid(log_odds: Floats) -> Floats:
    """1 / (1 + e^-x), without overflow."""
    return np.exp(-np.logaddexp(0.0, -log_odds))


def statements(log_odds: Floats, y: Floats, of: Of) -> tuple[Floats, Floats]:
    """The stated probability of each trial and 1 where it held, both ``(n_trials,)``.

    Raises:
        ConfigError: An unknown kind of probability.
    """
    if of == "bonafide":
        return sigmoid(log_odds), y
    if of == "top_label":
        return sigmoid(np.abs(log_odds)), np.where(log_odds >= 0, y, 1 - y)
    raise ConfigError(f"unknown kind of probability {of!r}", code="bad_mode", hint="one of bonafide, top_label")


def width_bins(stated: Floats, n_bins: int) -> NDArray[np.intp]:
    """The bin of each probability among (i / n, (i + 1) / n], with 0 in the first; ``(n_trials,)``."""
    return np.searchsorted(np.arange(1, n_bins) / n_bins, stated, side="left")


def _bins(stated: Floats, bins: Bins, n_bins: int) -> NDArray[np.intp]:
    if bins == "width":
        return width_bins(stated, n_bins)
    if bins == "mass":
        index = np.empty(stated.size, dtype=np.intp)
        for i, part in enumerate(np.array_split(np.argsort(stated, kind="stable"), n_bins)):
            index[part] = i
        return index
    raise ConfigError(f"unknown kind of bins {bins!r}", code="bad_mode", hint="one of width, mass")
