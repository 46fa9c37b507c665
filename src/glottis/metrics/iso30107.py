"""Attack detection in the terms of ISO/IEC 30107-3.

APCER: the share of attacks (spoof trials) that are accepted. BPCER: the share of bona fide presentations that are
rejected. APNRR and BPNRR: the shares that get no answer, here an abstention. All are fractions, 0 to 1, lower is
better; a trial is accepted if and only if its score >= threshold. The standard judges a system by its worst attack.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from glottis.errors import ConfigError, CorpusError
from glottis.metrics.check import checked_class, checked_like, numbered
from glottis.metrics.det import det_curve
from glottis.metrics.threshold import check_threshold, confusion_at


def apcer(spoof_scores: ArrayLike, threshold: float) -> float:
    """The share of spoof trials that are accepted.

    Raises:
        CorpusError: There is no spoof score, or one is not finite.
        ConfigError: The threshold is not a number.
    """
    check_threshold(threshold)
    return float(np.mean(checked_class(spoof_scores, "spoof") >= threshold))


def bpcer(bonafide_scores: ArrayLike, threshold: float) -> float:
    """The share of bona fide trials that are rejected.

    Raises:
        CorpusError: There is no bona fide score, or one is not finite.
        ConfigError: The threshold is not a number.
    """
    check_threshold(threshold)
    return float(np.mean(checked_class(bonafide_scores, "bonafide") < threshold))


def apcer_by_attack(spoof_scores: ArrayLike, attacks: ArrayLike, threshold: float) -> dict[str, float]:
    """The APCER of each attack by name, in order of name.

    Args:
        spoof_scores: Shape ``(n_spoof,)``.
        attacks: The attack of each spoof trial, shape ``(n_spoof,)``.
        threshold: A trial is accepted if its score is this or more.

    Raises:
        CorpusError: As `apcer`, or unequal lengths.
        ConfigError: The threshold is not a number.
    """
    check_threshold(threshold)
    spoof = checked_class(spoof_scores, "spoof")
    names, index = numbered(checked_like(attacks, spoof, "attacks").astype(np.str_))
    shares = np.bincount(index, weights=spoof >= threshold) / np.bincount(index)
    return dict(zip(names, shares.tolist(), strict=True))


def worst_apcer(spoof_scores: ArrayLike, attacks: ArrayLike, threshold: float) -> tuple[str, float]:
    """The attack that is accepted most often (the first by name among equals) and its APCER: what the standard asks.

    Raises:
        CorpusError: As `apcer`, or unequal lengths.
        ConfigError: The threshold is not a number.
    """
    by_attack = apcer_by_attack(spoof_scores, attacks, threshold)
    name = max(by_attack, key=by_attack.__getitem__)
    return name, by_attack[name]


def apcer_at_bpcer(bonafide_scores: ArrayLike, spoof_scores: ArrayLike, level: float) -> float:
    """The least APCER of a threshold whose BPCER is at most `level`.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
        ConfigError: `level` is not between 0 and 1.
    """
    return apcer_at_bpcer_point(bonafide_scores, spoof_scores, level)[0]


def apcer_at_bpcer_point(bonafide_scores: ArrayLike, spoof_scores: ArrayLike, level: float) -> tuple[float, float]:
    """`apcer_at_bpcer` and the lowest threshold that reaches it.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
        ConfigError: `level` is not between 0 and 1.
    """
    check_share(level, "the level")
    curve = det_curve(bonafide_scores, spoof_scores)
    best = curve.false_alarm[int(np.searchsorted(curve.miss, level, side="right")) - 1]
    k = int(np.argmax(curve.false_alarm <= best))
    return float(best), float(curve.thresholds[k])


def bpcer_at_apcer(bonafide_scores: ArrayLike, spoof_scores: ArrayLike, level: float) -> float:
    """The least BPCER of a threshold whose APCER is at most `level`; the standard's BPCER20 has the level 1 / 20.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
        ConfigError: `level` is not between 0 and 1.
    """
    return bpcer_at_apcer_point(bonafide_scores, spoof_scores, level)[0]


def bpcer_at_apcer_point(bonafide_scores: ArrayLike, spoof_scores: ArrayLike, level: float) -> tuple[float, float]:
    """`bpcer_at_apcer` and the lowest threshold that reaches it, which is infinite where all must be rejected.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
        ConfigError: `level` is not between 0 and 1.
    """
    check_share(level, "the level")
    curve = det_curve(bonafide_scores, spoof_scores)
    k = int(np.argmax(curve.false_alarm <= level))
    return float(curve.miss[k]), float(curve.thresholds[k])


def apnrr(spoof_abstained: ArrayLike) -> float:
    """The share of spoof trials without an answer.

    Args:
        spoof_abstained: Whether each spoof trial got no answer, booleans of shape ``(n_spoof,)``.

    Raises:
        CorpusError: There is no spoof trial, or the flags are no booleans.
    """
    return _share_of_flags(spoof_abstained, "spoof")


def bpnrr(bonafide_abstained: ArrayLike) -> float:
    """The share of bona fide trials without an answer; argument as in `apnrr`.

    Raises:
        CorpusError: There is no bona fide trial, or the flags are no booleans.
    """
    return _share_of_flags(bonafide_abstained, "bonafide")


def predictive_values(apcer: float, bpcer: float, prior_spoof: float) -> tuple[float, float]:
    """How often a call is right where spoof has a given share: (of the calls "spoof", of the calls "bona fide").

    With prior p: PPV = p (1 - APCER) / (p (1 - APCER) + (1 - p) BPCER) and NPV = (1 - p) (1 - BPCER) /
    ((1 - p) (1 - BPCER) + p APCER). A call that never happens has the value 0.

    Raises:
        ConfigError: A rate or the prior is not between 0 and 1.
    """
    check_share(apcer, "the APCER")
    check_share(bpcer, "the BPCER")
    check_share(prior_spoof, "prior_spoof")
    caught, missed = prior_spoof * (1 - apcer), (1 - prior_spoof) * bpcer
    passed, let_in = (1 - prior_spoof) * (1 - bpcer), prior_spoof * apcer
    return _ratio(caught, missed), _ratio(passed, let_in)


def ppv(
    bonafide_scores: ArrayLike, spoof_scores: ArrayLike, threshold: float = 0.0, *, prior_spoof: float = 0.01
) -> float:
    """How often a call "spoof" at the threshold is right where spoof has the share `prior_spoof`; 0 to 1.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
        ConfigError: The threshold is not a number, or the prior not between 0 and 1.
    """
    return _predictive(bonafide_scores, spoof_scores, threshold, prior_spoof)[0]


def npv(
    bonafide_scores: ArrayLike, spoof_scores: ArrayLike, threshold: float = 0.0, *, prior_spoof: float = 0.01
) -> float:
    """How often a call "bona fide" at the threshold is right where spoof has the share `prior_spoof`; 0 to 1.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
        ConfigError: The threshold is not a number, or the prior not between 0 and 1.
    """
    return _predictive(bonafide_scores, spoof_scores, threshold, prior_spoof)[1]


def check_share(value: float, what: str) -> None:
    """Let pass what lies between 0 and 1.

    Raises:
        ConfigError: It does not (``bad_share``); the message names `what`.
    """
    if not 0 <= value <= 1:
        raise ConfigError(f"{what} is {value}, not between 0 and 1", code="bad_share", hint="rates are fractions")


def _predictive(
    bonafide_scores: ArrayLike, spoof_scores: ArrayLike, threshold: float, prior_spoof: float
) -> tuple[float, float]:
    counts = confusion_at(bonafide_scores, spoof_scores, threshold)
    return predictive_values(
        counts.false_bonafide / counts.n_spoof, counts.false_spoof / counts.n_bonafide, prior_spoof
    )


def _ratio(right: float, wrong: float) -> float:
    return right / (right + wrong) if right + wrong > 0 else 0.0


def _share_of_flags(flags: ArrayLike, label: str) -> float:
    given = np.asarray(flags)
    if given.size == 0:
        raise CorpusError(f"there is no {label} trial", code="empty_class", hint="give one flag for each trial")
    if given.dtype != np.bool_ or given.ndim != 1:
        raise CorpusError(
            f"the {label} flags are {given.dtype} of shape {given.shape}, not booleans of shape (n,)",
            code="not_flags",
            hint="True where the trial got no answer",
        )
    return float(given.mean())
