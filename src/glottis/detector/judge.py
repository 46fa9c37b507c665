"""Scored windows in, a verdict out: calibrate, decide, and say why it is weak."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import glottis
from glottis.detector.decide import decide, p_spoof_of, thresholds_of
from glottis.detector.model import Model
from glottis.detector.pipeline import Pipeline
from glottis.detector.segments import spoof_segments
from glottis.verdict import BundleId, Decision, Notice, Verdict, Window

SHORT_S = 2.0
"""Seconds of speech under which a verdict is weak."""

NARROW_HZ = 4_200.0
"""The bandwidth under which it is weak: that of a telephone, with some slack."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the reader knows of a recording once it was read.

    Attributes:
        began: When it was begun, on the clock of `time.perf_counter`; all others are those of `Verdict`.
    """

    source: str
    sample_rate_hz: int
    codec: str | None
    bandwidth_hz: float | None
    duration_s: float
    began: float
    channel: int | None = None
    complete: bool = True
    warnings: tuple[Notice, ...] = ()


def judge(model: Model, pipeline: Pipeline, facts: Facts, prior_spoof: float | None) -> Verdict:
    """The verdict on what went through a pipeline, which is finished.

    Args:
        model: The pipeline's.
        pipeline: Finished.
        facts: Of the recording.
        prior_spoof: The user's prior, over 0 and under 1, or None for the bundle's.
    """
    manifest, windows, speech_s = model.manifest, pipeline.windows, pipeline.speech_s
    prior_spoof = manifest.decision.prior_spoof if prior_spoof is None else prior_spoof
    thresholds = thresholds_of(manifest.decision, prior_spoof) if model.recording_calibration else None
    score, llr = pipeline.score, None
    if score is not None and model.recording_calibration is not None:
        known = {"speech_s": speech_s, "bandwidth_hz": facts.bandwidth_hz or facts.sample_rate_hz / 2}
        llr = float(model.recording_calibration.apply(score, known.get(model.recording_calibration.needs or "")))
    return Verdict(
        source=facts.source,
        verdict=_decision(score, llr, thresholds, complete=facts.complete),
        score=score,
        llr=llr,
        p_spoof=None if llr is None else p_spoof_of(llr, prior_spoof),
        prior_spoof=prior_spoof,
        thresholds=thresholds,
        duration_s=facts.duration_s,
        analysed_s=_covered_s(windows),
        speech_s=speech_s,
        sample_rate_hz=facts.sample_rate_hz,
        codec=facts.codec,
        bandwidth_hz=facts.bandwidth_hz,
        bundle=BundleId(manifest.name, manifest.version, model.bundle.sha256),
        glottis=glottis.__version__,
        elapsed_s=time.perf_counter() - facts.began,
        channel=facts.channel,
        complete=facts.complete,
        reasons=tuple(_reasons(score, llr, facts, speech_s, pipeline.sounding_s)),
        warnings=facts.warnings,
        windows=tuple(windows),
        spoof_segments=spoof_segments(windows, thresholds["spoof"]) if thresholds and score is not None else (),
    )


def _decision(
    score: float | None, llr: float | None, thresholds: dict[str, float] | None, *, complete: bool
) -> Decision:
    """What was not analysed is never called bona fide, and what is not calibrated is not decided."""
    if score is None:
        return Decision.NO_SPEECH
    if llr is None or thresholds is None:
        return Decision.INCONCLUSIVE
    decision = decide(llr, thresholds)
    return Decision.INCONCLUSIVE if decision is Decision.BONAFIDE and not complete else decision


def _reasons(score: float | None, llr: float | None, facts: Facts, speech_s: float, sounding_s: float) -> list[Notice]:
    found = []
    if score is None:
        text = f"{speech_s:.1f} s of speech, too little to judge"
        if sounding_s > speech_s:
            text = f"{speech_s:.1f} s of speech in {sounding_s:.1f} s of sound that is mostly music or noise"
        found.append(Notice("no_speech", text, round(speech_s, 3)))
    elif speech_s < SHORT_S:
        found.append(Notice("short", f"only {speech_s:.1f} s of speech", round(speech_s, 3)))
    if facts.bandwidth_hz is not None and facts.bandwidth_hz < NARROW_HZ:
        text = f"nothing above {facts.bandwidth_hz / 1000:.1f} kHz"
        found.append(Notice("narrow_band", text, round(facts.bandwidth_hz, 1)))
    if score is not None and llr is None:
        found.append(Notice("uncalibrated", "the detector is not calibrated: its score is no probability"))
    if not facts.complete:
        found.append(Notice("incomplete", "not all of the recording could be analysed"))
    return found


def _covered_s(windows: Sequence[Window]) -> float:
    """Seconds that lie in scored windows, those in several once."""
    covered = reached = 0.0
    for window in windows:
        if window.score is not None:
            covered += window.end_s - max(window.start_s, reached)
            reached = window.end_s
    return covered
