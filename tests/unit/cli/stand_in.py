"""A detector that judges by names, and the command line with it: `python stand_in.py scan ...`.

It reads recordings with the real `glottis.audio`, so that bad input fails as it does for the real one.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

CALLS = {}


def verdict_of(source, decision, **changes):
    from glottis.verdict import BundleId, Notice, Segment, Verdict, Window

    llr = {"spoof": -3.0, "bonafide": 3.0, "inconclusive": 0.0, "no_speech": None}[decision]
    spoken = llr is not None
    fields = {
        "source": source,
        "verdict": decision,
        "score": llr,
        "llr": llr,
        "p_spoof": {-3.0: 0.953, 3.0: 0.047, 0.0: 0.5}[llr] if spoken else None,
        "prior_spoof": 0.5,
        "thresholds": {"spoof": -1.0, "bonafide": 1.0},
        "duration_s": 4.0,
        "analysed_s": 4.0,
        "speech_s": 2.5 if spoken else 0.0,
        "sample_rate_hz": 16000,
        "codec": "pcm_s16le",
        "bandwidth_hz": 7900.0,
        "bundle": BundleId("stand-in", "1", "0" * 64),
        "glottis": "0",
        "elapsed_s": 0.01,
        "reasons": () if decision == "bonafide" else (Notice("short", "only 2.5 s of speech", 2.5),),
        "windows": (Window(0.0, 2.0, llr, llr, 0.6), Window(2.0, 4.0, None, None, 0.0)),
        "spoof_segments": (Segment(0.0, 2.0, llr),) if decision == "spoof" else (),
    }
    return Verdict(**{**fields, **changes})


class Detector:
    def __init__(self, model=None, *, threads=1, device="cpu"):
        from glottis.errors import BundleError

        if model == "none":
            raise BundleError("none: no such bundle", hint="glottis models lists them")
        CALLS.update(model=model, threads=threads, device=device)

    def scan_many(self, recordings, *, channel="auto", prior_spoof=None):
        CALLS.update(channel=channel, prior_spoof=prior_spoof)
        for recording in recordings:
            yield from self._scan(recording)

    def _scan(self, recording):
        from glottis.audio import name_of, open_recording
        from glottis.errors import InputError
        from glottis.verdict import Failed

        source = name_of(recording)
        try:
            with open_recording(recording, sample_rate_hz=16_000) as opened:
                for _ in opened.blocks():
                    pass
        except InputError as error:
            yield Failed(source, error.code, error.message, error.hint)
            return
        if "slow" in source:
            time.sleep(60)
        name = Path(source).name
        decision = next((d for d in ("spoof", "inconclusive", "no_speech") if d in name), "bonafide")
        for lane in opened.lanes:
            changes = {"channel": lane, "complete": opened.complete, "warnings": tuple(opened.warnings)}
            yield verdict_of(source, decision, **changes)


if __name__ == "__main__":
    sys.modules["glottis.detector"] = sys.modules["__main__"]
    from glottis.cli import main

    main()
