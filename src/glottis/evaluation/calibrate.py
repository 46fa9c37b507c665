"""Calibrations of a system, compared on trials that each saw nothing of, and the costs behind wanted thresholds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.bundle import Costs
from glottis.calibration import ByBandwidth, ByDuration, Calibrator, Fusion, Isotonic, Platt, cross_fit
from glottis.errors import ConfigError, CorpusError
from glottis.evaluation.evaluate import column_of
from glottis.evaluation.join import Trials
from glottis.evaluation.tables import Texts, is_number
from glottis.metrics import (
    Interval,
    act_dcf,
    bootstrap,
    calibration_loss,
    challenge_eer,
    cllr,
    min_cllr,
    paired_difference,
)

Floats = NDArray[np.float64]

HELD_OUT = frozenset({"eval", "evaluation", "test", "testing", "hidden", "hidden1", "hidden2", "progress", "prog"})
"""Splits and subsets that judge: nothing is fitted on them."""

ASVSPOOF5_PRIOR = 1.9 / 2.9
"""The weight of bona fide at which a fit minds most of all the operating point of ASVspoof 5."""

RESAMPLES = 1000
_SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_MOST_FOLDS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One kind of calibration.

    Attributes:
        name: Its name.
        calibrator: Fitted on all trials.
        llrs: Of each trial, by a calibrator that saw nothing of its group, ``(n,)``.
        cllr: Of these, with its interval by group.
        loss: Their calibration loss, in bits.
        act_dcf: Their actual DCF (ASVspoof 5).
    """

    name: str
    calibrator: Calibrator
    llrs: Floats
    cllr: Interval
    loss: float
    act_dcf: float


def check_fit_split(protocol: str, columns: Mapping[str, Texts]) -> None:
    """Refuse trials of a split that judges.

    Raises:
        CorpusError: A trial's split or subset is one of `HELD_OUT` (``held_out``).
    """
    for name in ("split", "subset"):
        found = sorted(set(np.char.lower(columns.get(name, np.array(["dev"]))).tolist()) & HELD_OUT)
        if found:
            raise CorpusError(
                f"{protocol}: trials of the {name} {found[0]!r}: nothing is fitted on data that judge",
                code="held_out",
                hint="fit on a development split: --where split=dev",
            )


def numbers_of(trials: Trials, *names: str) -> Floats | None:
    """The first of these columns whose every value is a number; None where there is none."""
    for name in names:
        column = trials.columns.get(name)
        if column is not None and all(map(is_number, column.tolist())):
            return column.astype(np.float64)
    return None


def candidates(trials: Trials, *, groups: str | None = None, resamples: int = 500) -> list[Candidate]:
    """All kinds, the best first: the least Cllr on trials that the calibrator saw nothing of.

    Args:
        trials: Of a development split.
        groups: A column whose values are held out together (source, speaker); by default trials are, in fifths.
        resamples: Draws for the intervals.

    Raises:
        CorpusError: The split judges (``held_out``), a class is missing, or one is without a group (``empty_class``).
    """
    check_fit_split(trials.protocol, trials.columns)
    folds = _folds(trials, groups)
    fits: dict[str, tuple[Callable[..., Calibrator], Floats | None]] = {
        "platt": (Platt.fit, None),
        "platt, ASVspoof 5's prior": (partial(Platt.fit, prior_bonafide=ASVSPOOF5_PRIOR), None),
        "isotonic": (Isotonic.fit, None),
    }
    facts = {
        "speech_s": numbers_of(trials, "speech_s", "duration_s"),
        "bandwidth_hz": numbers_of(trials, "bandwidth_hz"),
    }
    for kind in (ByDuration, ByBandwidth):
        if facts[kind.needs] is not None:
            fits[kind.kind] = (kind.fit, facts[kind.needs])
    found = [_candidate(name, trials, folds, how, resamples=resamples) for name, how in fits.items()]
    return sorted(found, key=lambda one: one.cllr.value)


def _folds(trials: Trials, groups: str | None) -> Texts:
    if groups is None:
        rng = np.random.default_rng(0)
        return rng.integers(5, size=trials.scores.size).astype(np.str_)
    names = column_of(trials, groups)
    distinct, index = np.unique(names, return_inverse=True)
    return names if distinct.size <= _MOST_FOLDS else (index % _MOST_FOLDS).astype(np.str_)


def _candidate(
    name: str, trials: Trials, folds: Texts, how: tuple[Callable[..., Calibrator], Floats | None], *, resamples: int
) -> Candidate:
    fit, fact = how
    real, fake = trials.bonafide, ~trials.bonafide
    llrs = cross_fit(trials.scores, real, folds, fit, fact=fact)
    extra = () if fact is None else (fact[real], fact[fake])
    figure = bootstrap(
        cllr, llrs[real], llrs[fake], bonafide_groups=folds[real], spoof_groups=folds[fake], resamples=resamples
    )
    return Candidate(
        name,
        fit(trials.scores[real], trials.scores[fake], *extra),
        llrs,
        figure,
        calibration_loss(llrs[real], llrs[fake]),
        act_dcf(llrs[real], llrs[fake]),
    )


def fuse(systems: Sequence[Trials], *, groups: str | None = None) -> tuple[Fusion, Floats]:
    """The fusion fitted on all trials, and the llrs ``(n,)`` of fusions that saw nothing of each trial's group.

    Raises:
        CorpusError: The systems scored other trials (``no_common_trial``), or as `candidates`.
    """
    first = systems[0]
    check_fit_split(first.protocol, first.columns)
    for other in systems[1:]:
        if not np.array_equal(first.trials, other.trials):
            raise CorpusError(
                f"{first.name} and {other.name} scored other trials", code="no_common_trial", hint="score the same"
            )
    scores = np.column_stack([one.scores for one in systems])
    names = tuple(one.name for one in systems)
    folds = _folds(first, groups)
    llrs = np.empty(first.scores.size)
    for fold in np.unique(folds):
        here = folds == fold
        llrs[here] = Fusion.fit(scores[~here], first.bonafide[~here], names).apply(scores[here])
    return Fusion.fit(scores, first.bonafide, names), llrs


def fused_or_alone(system: Trials, llrs: Floats, *, groups: str | None = None) -> Interval:
    """The challenge EER of a fusion minus that of one of its systems alone, each held out alike.

    Args:
        system: On the fusion's trials.
        llrs: The fusion's, from `fuse`.
        groups: As for `fuse`; resampled whole.
    """
    _, alone = fuse([system], groups=groups)
    names = None if groups is None else column_of(system, groups)
    return paired_difference(challenge_eer, llrs, alone, system.bonafide, groups=names, resamples=RESAMPLES)


def costs_of(
    llrs: Floats, bonafide: NDArray[np.bool_], base: Costs, *, bpcer: float | None = None, apcer: float | None = None
) -> Costs:
    """Costs whose thresholds call at most these shares wrongly, on cross-fitted llrs.

    The threshold of ``spoof`` is the llr that the share `bpcer` of bona fide trials lies at or under; that of
    ``bonafide`` the one that the share `apcer` of spoof trials lies at or over. With the cost of rejecting a person
    held at 1 the two others follow from the formulas of `glottis.detector.decide`.

    Raises:
        ConfigError: The wanted thresholds cross, so that no band is left between them (``crossed``).
    """
    to_llr = math.log(base.prior_spoof) - math.log1p(-base.prior_spoof)
    real, fake = np.sort(llrs[bonafide]), np.sort(llrs[~bonafide])
    low = _low_of(base, to_llr) if bpcer is None else _under(real, bpcer)
    high = _high_of(base, to_llr) if apcer is None else -_under(-fake[::-1], apcer)
    if low > high:
        raise ConfigError(
            f"spoof at or under {low:.2f} and bonafide at or over {high:.2f} nats cross",
            code="crossed",
            hint="both wishes are met without a band: ask for lower error rates",
        )
    odds_low, odds_high = math.exp(low - to_llr), math.exp(high - to_llr)
    nothing = odds_low / (1 + odds_low)
    return Costs(nothing * (1 + odds_high), 1.0, nothing, base.prior_spoof)


def _under(ascending: Floats, share: float) -> float:
    """A value that at most the share of `ascending` lies at or under, and no greater share could.

    It lies halfway between two of them, so that the rounding of costs and back changes no call.
    """
    if not 0 < share < 1:
        raise ConfigError(f"a wanted error rate is {share}", code="bad_level", hint="it lies over 0 and under 1")
    k = int(np.searchsorted(ascending, ascending[int(share * ascending.size)], side="left"))
    return float(ascending[0] - 1 if k == 0 else (ascending[k - 1] + ascending[k]) / 2)


def _low_of(costs: Costs, to_llr: float) -> float:
    nothing, reject = costs.cost_inconclusive, costs.cost_bonafide_rejected
    return math.log(nothing) - math.log(reject - nothing) + to_llr


def _high_of(costs: Costs, to_llr: float) -> float:
    nothing, accept = costs.cost_inconclusive, costs.cost_spoof_accepted
    return math.log(accept - nothing) - math.log(nothing) + to_llr


def decided(llrs: Floats, bonafide: NDArray[np.bool_], thresholds: Mapping[str, float]) -> dict[str, float]:
    """What the thresholds do: shares decided, of errors among them, and of each class called the other."""
    spoof, real = llrs <= thresholds["spoof"], llrs >= thresholds["bonafide"]
    any_call = spoof | real
    wrong = (spoof & bonafide) | (real & ~spoof & ~bonafide)
    return {
        "decided": float(any_call.mean()),
        "error_among_decided": float(wrong.sum() / max(1, any_call.sum())),
        "bonafide_called_spoof": float(spoof[bonafide].mean()),
        "spoof_called_bonafide": float((real & ~spoof)[~bonafide].mean()),
    }


def error_against_decided(llrs: Floats, bonafide: NDArray[np.bool_]) -> list[dict[str, float]]:
    """The error among the surest, for some shares of all trials."""
    order = np.argsort(-np.abs(llrs), kind="stable")
    wrong = np.cumsum((llrs > 0)[order] != bonafide[order])
    counts = [max(1, round(share * llrs.size)) for share in _SHARES]
    return [{"decided": count / llrs.size, "error": float(wrong[count - 1] / count)} for count in counts]


def to_dict(found: Sequence[Candidate], trials: Trials) -> dict[str, Any]:
    """Ready for JSON; the figures are of trials that the calibrators saw nothing of."""
    real, fake = trials.by_class
    return {
        "schema": 1,
        "system": trials.name,
        "protocol": trials.protocol,
        "min_cllr_of_the_scores": min_cllr(real, fake),
        "candidates": [
            {
                "name": one.name,
                "cllr": asdict(one.cllr),
                "calibration_loss": one.loss,
                "act_dcf": one.act_dcf,
                "calibration": one.calibrator.to_json(),
            }
            for one in found
        ],
    }
