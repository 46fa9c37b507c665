"""Cost of log-likelihood ratios: how good calibrated llrs are as probabilities, in bits. Lower is better.

An llr is ln p(x | bona fide) / p(x | spoof), in nats. Source: Brümmer and du Preez, "Application-independent
evaluation of speaker detection", 2006.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from glottis.metrics.check import Floats, checked
from glottis.metrics.pav import Blocks, pav

LN_2 = float(np.log(2.0))


def cllr(bonafide_llrs: ArrayLike, spoof_llrs: ArrayLike) -> float:
    """C_llr = (mean_b log2(1 + e^-b) + mean_s log2(1 + e^s)) / 2, in bits; 0 and up, 1 for llrs that are all 0.

    Raises:
        CorpusError: A class is empty or has llrs that are not finite.
    """
    bonafide, spoof = checked(bonafide_llrs, spoof_llrs)
    return float((bonafide_cost(bonafide).mean() + spoof_cost(spoof).mean()) / 2)


def min_cllr(bonafide_scores: ArrayLike, spoof_scores: ArrayLike) -> float:
    """The least C_llr that an increasing map of the scores can reach, in bits, 0 to 1.

    The map is that of pooled adjacent violators: in a block with b of B bona fide and s of S spoof trials the llr is
    ln((b / B) / (s / S)). Blocks of one class alone cost nothing.

    Raises:
        CorpusError: A class is empty or has scores that are not finite.
    """
    bonafide, spoof = checked(bonafide_scores, spoof_scores)
    return blocks_cost(pav(bonafide, spoof), bonafide.size, spoof.size)


def calibration_loss(bonafide_llrs: ArrayLike, spoof_llrs: ArrayLike) -> float:
    """C_llr - min C_llr: what is lost by calibration rather than by discrimination, in bits; 0 and up.

    Raises:
        CorpusError: A class is empty or has llrs that are not finite.
    """
    return cllr(bonafide_llrs, spoof_llrs) - min_cllr(bonafide_llrs, spoof_llrs)


def blocks_cost(blocks: Blocks, n_bonafide: int, n_spoof: int) -> float:
    """The C_llr of pooled blocks, each with its best llr, in bits."""
    mixed = (blocks.bonafide > 0) & (blocks.spoof > 0)
    share_b = blocks.bonafide[mixed] / n_bonafide
    share_s = blocks.spoof[mixed] / n_spoof
    llr = np.log(share_b) - np.log(share_s)
    return float((share_b @ bonafide_cost(llr) + share_s @ spoof_cost(llr)) / 2)


def bonafide_cost(llrs: Floats) -> Floats:
    """log2(1 + e^-llr), without overflow."""
    return np.logaddexp(0.0, -llrs) / LN_2


def spoof_cost(llrs: Floats) -> Floats:
    """log2(1 + e^llr), without overflow."""
    return np.logaddexp(0.0, llrs) / LN_2
