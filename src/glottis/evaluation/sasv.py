"""A countermeasure and a verifier on the same trials: the figures of ASVspoof 5's second track."""

from __future__ import annotations

from typing import Any

import numpy as np

from glottis.evaluation.scores import SasvScores
from glottis.metrics import (
    ASVSPOOF5_ASV,
    AsvRates,
    a_dcf,
    act_dcf,
    challenge_eer,
    cllr,
    min_dcf,
    min_tdcf,
    sasv_eers,
    t_eer,
)

_KINDS = ("target", "nontarget", "spoof")


def evaluate_sasv(scores: SasvScores) -> dict[str, Any]:
    """The figures by name, fractions: of the countermeasure alone, and of both (their sum is the joint score).

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
    """
    asv, cm, joint = ([one[scores.kinds == kind] for kind in _KINDS] for one in _columns(scores))
    bonafide, spoof = np.concatenate(cm[:2]), cm[2]
    rates = AsvRates.of(*asv)
    eers = sasv_eers(*joint)
    figures = {
        "eer": challenge_eer(bonafide, spoof),
        "min_dcf": min_dcf(bonafide, spoof),
        "act_dcf": act_dcf(bonafide, spoof),
        "cllr": cllr(bonafide, spoof),
        "a_dcf": a_dcf(*joint),
        "a_dcf_of_cm_alone": a_dcf(*cm),
        "a_dcf_of_asv_alone": a_dcf(*asv),
        "t_eer": t_eer(asv[0], asv[1], asv[2], bonafide, spoof),
        "min_tdcf": min_tdcf(bonafide, spoof, ASVSPOOF5_ASV, form="2021"),
        "min_tdcf_own_asv": min_tdcf(bonafide, spoof, rates, form="2021"),
        "sasv_eer": eers.sasv,
        "sv_eer": eers.sv,
        "spf_eer": eers.spf,
    }
    counts = {f"n_{kind}": int(np.sum(scores.kinds == kind)) for kind in _KINDS}
    return {"system": scores.name, **counts, "figures": figures}


def _columns(scores: SasvScores) -> tuple[Any, Any, Any]:
    return scores.asv, scores.cm, scores.asv + scores.cm
