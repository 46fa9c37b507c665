"""The main way: a recording in, a verdict out.

Read it in this order: `detector` (recordings in, verdicts out), `pipeline` (blocks in, scored windows out), `track`
(the same for one net), `judge` (scored windows in, a verdict out); then what these use: `model`, `session`,
`aggregate`, `decide`, `segments`, `crew`.
"""

from glottis.detector.decide import decide, p_spoof_of, thresholds_of
from glottis.detector.detector import Detector, scan
from glottis.detector.stream import Stream

__all__ = ["Detector", "Stream", "decide", "p_spoof_of", "scan", "thresholds_of"]
