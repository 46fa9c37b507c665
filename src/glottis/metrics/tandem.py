"""A countermeasure together with a speaker verifier (ASV): t-DCF, a-DCF, t-EER. Lower is better.

The two forms of the t-DCF differ in what they divide by. That of 2019 costs only what the countermeasure adds, so that
a perfect one gives 0; that of 2021 (and ASVspoof 5) counts the verifier's own errors too, so that its floor is not 0.
Sources: Kinnunen et al., "t-DCF", Odyssey 2018, and "Tandem assessment of spoofing countermeasures and automatic
speaker verification", TASLP 2020; Shim et al., "a-DCF", 2024; Kinnunen et al., "t-EER", TPAMI 2023; the organisers'
scripts (asvspoof-challenge/2021, asvspoof-challenge/asvspoof5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glottis.errors import ConfigError
from glottis.metrics.check import Floats, checked_class
from glottis.metrics.cost import check_costs, least
from glottis.metrics.det import Curve, challenge_curve, det_curve
from glottis.metrics.eer import challenge_eer, challenge_eer_point

Form = Literal["2019", "2021"]
Places = NDArray[np.intp]

_SUM_OF_PRIORS = 1e-10


@dataclass(frozen=True, slots=True)
class AsvRates:
    """The error rates of the speaker verifier, fractions.

    Attributes:
        miss: Targets that it rejects.
        false_alarm: Other speakers that it accepts.
        spoof_false_alarm: Spoofs that it accepts.
    """

    miss: float
    false_alarm: float
    spoof_false_alarm: float

    def __post_init__(self) -> None:
        for name in ("miss", "false_alarm", "spoof_false_alarm"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"ASV {name} is {getattr(self, name)}", code="bad_rate", hint="rates are 0 to 1")

    @classmethod
    def of(cls, target: ArrayLike, nontarget: ArrayLike, spoof: ArrayLike) -> Self:
        """The rates at the verifier's own challenge EER threshold; a trial is accepted if and only if score >= it.

        Raises:
            CorpusError: A class is empty or has scores that are not finite.
        """
        targets, others, spoofs = _three(target, nontarget, spoof)
        _, threshold = challenge_eer_point(targets, others)
        return cls(
            float(np.mean(targets < threshold)),
            float(np.mean(others >= threshold)),
            float(np.mean(spoofs >= threshold)),
        )


ASVSPOOF5_ASV = AsvRates(0.01880141010575793, 0.01881016557566423, 0.4607082907604729)
"""The rates that the organisers of ASVspoof 5 fixed for the t-DCF of their second track."""


@dataclass(frozen=True, slots=True)
class TandemCosts:
    """How often each kind of trial occurs and what each error costs; the defaults are those of all ASVspoof challenges.

    Attributes:
        prior_target: Of the claimed speaker.
        prior_nontarget: Of another person.
        prior_spoof: Of a spoof.
        miss: A target is rejected, by either system.
        false_alarm: A nontarget is accepted.
        spoof_false_alarm: A spoof is accepted.
    """

    prior_target: float = 0.9405
    prior_nontarget: float = 0.0095
    prior_spoof: float = 0.05
    miss: float = 1.0
    false_alarm: float = 10.0
    spoof_false_alarm: float = 10.0

    def __post_init__(self) -> None:
        priors = (self.prior_target, self.prior_nontarget, self.prior_spoof)
        if min(priors) < 0 or abs(sum(priors) - 1) > _SUM_OF_PRIORS:
            raise ConfigError(f"the priors are {priors}", code="bad_prior", hint="none is under 0, and their sum is 1")
        check_costs(miss=self.miss, false_alarm=self.false_alarm, spoof_false_alarm=self.spoof_false_alarm)


@dataclass(frozen=True, slots=True)
class TandemConstants:
    """What the t-DCF is made of: c0 + c1 P_miss + c2 P_fa. ASVspoof 2021 publishes them for each condition."""

    c0: float
    c1: float
    c2: float

    def __post_init__(self) -> None:
        if not (self.c0 >= 0 and self.c1 >= 0 and self.c2 >= 0 and self.c0 + min(self.c1, self.c2) > 0):
            raise ConfigError(
                f"the t-DCF constants are {self.c0}, {self.c1}, {self.c2}",
                code="bad_rate",
                hint="none may be under 0: does the ASV system tell speakers apart at all?",
            )

    @classmethod
    def of(cls, rates: AsvRates, *, form: Form = "2019", costs: TandemCosts | None = None) -> Self:
        """The constants from the ASV error rates.

        C0 = P_tar C_miss P_miss_asv + P_non C_fa P_fa_asv (0 in the form of 2019), C1 = P_tar C_miss - C0,
        C2 = P_spoof C_fa_spoof P_fa_spoof_asv.

        Raises:
            ConfigError: An unknown form, or a constant under 0.
        """
        if form not in ("2019", "2021"):
            raise ConfigError(f"unknown form {form!r}", code="bad_mode", hint="one of 2019, 2021")
        cost = costs or TandemCosts()
        verifier = (
            cost.prior_target * cost.miss * rates.miss + cost.prior_nontarget * cost.false_alarm * rates.false_alarm
        )
        c1 = cost.prior_target * cost.miss - verifier
        c2 = cost.prior_spoof * cost.spoof_false_alarm * rates.spoof_false_alarm
        return cls(verifier if form == "2021" else 0.0, c1, c2)


def min_tdcf(
    bonafide_scores: ArrayLike,
    spoof_scores: ArrayLike,
    asv: AsvRates | TandemConstants,
    *,
    form: Form = "2019",
    costs: TandemCosts | None = None,
) -> float:
    """The least normalised tandem cost that any threshold of the countermeasure reaches, `tdcf_floor` to 1.

    Args:
        bonafide_scores: Of the countermeasure, for targets and nontargets.
        spoof_scores: Of the countermeasure.
        asv: The verifier's error rates, or published constants, for which `form` and `costs` do not matter.
        form: Of 2019 or of 2021; see the module.
        costs: By default those of the challenges.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
        ConfigError: An unknown form, or a constant under 0.
    """
    return min_tdcf_point(bonafide_scores, spoof_scores, asv, form=form, costs=costs)[0]


def min_tdcf_point(
    bonafide_scores: ArrayLike,
    spoof_scores: ArrayLike,
    asv: AsvRates | TandemConstants,
    *,
    form: Form = "2019",
    costs: TandemCosts | None = None,
) -> tuple[float, float]:
    """`min_tdcf` and the lowest threshold that reaches it: a trial is accepted if and only if score >= threshold.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
        ConfigError: An unknown form, or a constant under 0.
    """
    constants = _constants(asv, form, costs)
    curve = det_curve(bonafide_scores, spoof_scores)
    total = constants.c0 + constants.c1 * curve.miss + constants.c2 * curve.false_alarm
    return least(total / _default(constants), curve.thresholds)


def tdcf_floor(asv: AsvRates | TandemConstants, *, form: Form = "2021", costs: TandemCosts | None = None) -> float:
    """What a perfect countermeasure would have: 0 in the form of 2019.

    Raises:
        ConfigError: An unknown form, or a constant under 0.
    """
    constants = _constants(asv, form, costs)
    return constants.c0 / _default(constants)


def a_dcf(target: ArrayLike, nontarget: ArrayLike, spoof: ArrayLike, *, costs: TandemCosts | None = None) -> float:
    """The architecture-agnostic detection cost of one score for each trial, 0 to 1.

    It is the least of C_miss P_tar P_miss(t) + C_fa P_non P_fa_non(t) + C_fa_spoof P_spoof P_fa_spoof(t), over the
    cost of the better of accepting all and rejecting all. A trial is accepted if and only if score >= t.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
    """
    return a_dcf_point(target, nontarget, spoof, costs=costs)[0]


def a_dcf_point(
    target: ArrayLike, nontarget: ArrayLike, spoof: ArrayLike, *, costs: TandemCosts | None = None
) -> tuple[float, float]:
    """`a_dcf` and the lowest threshold that reaches it.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
    """
    classes = [np.sort(scores) for scores in _three(target, nontarget, spoof)]
    cost = costs or TandemCosts()
    thresholds = np.append(np.unique(np.concatenate(classes)), np.inf)
    below = [np.searchsorted(scores, thresholds) / scores.size for scores in classes]
    of_miss = cost.miss * cost.prior_target
    of_nontarget = cost.false_alarm * cost.prior_nontarget
    of_spoof = cost.spoof_false_alarm * cost.prior_spoof
    total = of_miss * below[0] + of_nontarget * (1 - below[1]) + of_spoof * (1 - below[2])
    return least(total / min(of_miss, of_nontarget + of_spoof), thresholds)


def t_eer(
    asv_target: ArrayLike,
    asv_nontarget: ArrayLike,
    asv_spoof: ArrayLike,
    bonafide_scores: ArrayLike,
    spoof_scores: ArrayLike,
) -> float:
    """The concurrent tandem EER, a fraction: the tandem's EER where it does not depend on how many trials are spoofs.

    The tandem accepts what both systems accept. For each threshold of the verifier the countermeasure's threshold of
    equal tandem errors is found, with half of the negative trials spoofs; of those points, the one is taken where
    other speakers and spoofs are accepted equally often.

    Args:
        asv_target: The verifier's scores of targets.
        asv_nontarget: Of other speakers.
        asv_spoof: Of spoofs.
        bonafide_scores: The countermeasure's scores of targets and nontargets.
        spoof_scores: The countermeasure's of spoofs.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
    """
    miss, nontarget, spoof = _asv_curves(*_three(asv_target, asv_nontarget, asv_spoof))
    cm = challenge_curve(bonafide_scores, spoof_scores)
    admissible = np.flatnonzero(miss < (nontarget + spoof) / 2)
    miss, nontarget, spoof = miss[admissible], nontarget[admissible], spoof[admissible]
    j = _equal_errors(cm, miss, nontarget, spoof)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.abs(nontarget / spoof - cm.false_alarm[j] / (1 - cm.miss[j]))
    i = int(np.argmin(np.where(np.isnan(apart), np.inf, apart)))
    return float(spoof[i] * cm.false_alarm[j[i]])


@dataclass(frozen=True, slots=True)
class SasvEers:
    """Challenge EERs of one score for each trial, fractions: targets against all others, nontargets, spoofs."""

    sasv: float
    sv: float
    spf: float


def sasv_eers(target: ArrayLike, nontarget: ArrayLike, spoof: ArrayLike) -> SasvEers:
    """The three EERs of the SASV challenge 2022 (Jung et al.).

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
    """
    targets, others, spoofs = _three(target, nontarget, spoof)
    both = np.concatenate([others, spoofs])
    return SasvEers(challenge_eer(targets, both), challenge_eer(targets, others), challenge_eer(targets, spoofs))


def _three(target: ArrayLike, nontarget: ArrayLike, spoof: ArrayLike) -> tuple[Floats, Floats, Floats]:
    return checked_class(target, "target"), checked_class(nontarget, "nontarget"), checked_class(spoof, "spoof")


def _constants(asv: AsvRates | TandemConstants, form: Form, costs: TandemCosts | None) -> TandemConstants:
    return asv if isinstance(asv, TandemConstants) else TandemConstants.of(asv, form=form, costs=costs)


def _default(constants: TandemConstants) -> float:
    """The cost of the better of accepting all and rejecting all."""
    return constants.c0 + min(constants.c1, constants.c2)


def _asv_curves(target: Floats, nontarget: Floats, spoof: Floats) -> tuple[Floats, Floats, Floats]:
    """P_miss, P_fa of nontargets and P_fa of spoofs, one step a trial, targets first among equal scores.

    As the organisers' script has it, and its leading point that accepts all.
    """
    scores = np.concatenate([target, nontarget, spoof])
    order = np.argsort(scores, kind="stable")
    kinds = np.repeat([0, 1, 2], [target.size, nontarget.size, spoof.size])[order]
    rejected = [np.append(0.0, np.cumsum(kinds == kind)) for kind in range(3)]
    return (
        rejected[0] / target.size,
        (nontarget.size - rejected[1]) / nontarget.size,
        (spoof.size - rejected[2]) / spoof.size,
    )


def _equal_errors(cm: Curve, miss: Floats, nontarget: Floats, spoof: Floats) -> Places:
    """For each point of the verifier the first point of the countermeasure's curve where tandem errors are closest.

    Along the curve P_miss rises and P_fa falls, so that their tandem difference never falls, and halving finds where
    it crosses 0. What the whole search of the organisers' script finds, this finds in n log n.
    """

    def gap(j: Places) -> Floats:
        cm_miss, cm_false_alarm = cm.miss[j], cm.false_alarm[j]
        tandem_miss = cm_miss + (1 - cm_miss) * miss
        tandem_false_alarm = 0.5 * (1 - cm_miss) * nontarget + 0.5 * cm_false_alarm * spoof
        return np.asarray(tandem_miss - tandem_false_alarm, dtype=np.float64)

    def first_at_least(level: Floats) -> Places:
        low, high = np.zeros(miss.size, np.intp), np.full(miss.size, cm.miss.size - 1, np.intp)
        while np.any(low < high):
            middle = (low + high) // 2
            enough = gap(middle) >= level
            high, low = np.where(enough, middle, high), np.where(enough, low, np.minimum(middle + 1, high))
        return low

    after = first_at_least(np.zeros(miss.size))
    before = np.maximum(after - 1, 0)
    closest = np.where(np.abs(gap(before)) <= np.abs(gap(after)), before, after)
    return first_at_least(gap(closest))
