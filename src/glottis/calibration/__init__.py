"""Calibration: from a net's score to an llr that can be trusted as one.

An llr is ln p(x | bona fide) / p(x | spoof), in nats; each calibrator is non-decreasing in the score. Fits weigh the
two classes by a prior, so that the class balance of the trials does not leak into the llr.
Sources: Platt 1999; Brümmer and de Villiers, "The BOSARIS toolkit", 2011.
"""

from glottis.calibration.by_fact import ByBandwidth, ByDuration
from glottis.calibration.cross import cross_fit
from glottis.calibration.fusion import Fusion
from glottis.calibration.isotonic import Isotonic
from glottis.calibration.platt import Platt
from glottis.calibration.stored import Calibrator, from_json

__all__ = ["ByBandwidth", "ByDuration", "Calibrator", "Fusion", "Isotonic", "Platt", "cross_fit", "from_json"]
