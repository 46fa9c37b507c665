"""The main way: a recording in, a verdict out."""

from glottis.detector.decide import decide, p_spoof_of, thresholds_of
from glottis.detector.detector import Detector, scan
from glottis.detector.stream import Stream

__all__ = ["Detector", "Stream", "decide", "p_spoof_of", "scan", "thresholds_of"]
