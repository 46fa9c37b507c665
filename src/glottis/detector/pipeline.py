"""Blocks in, windows out, a verdict at the end: the one way that files, samples and streams go."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import glottis
from glottis.audio import SpeechMeter, Windower
from glottis.bundle import Bundle
from glottis.calibration import Calibrator, from_json
from glottis.detector.aggregate import aggregate
from glottis.detector.decide import decide, p_spoof_of, thresholds_of
from glottis.detector.segments import spoof_segments
from glottis.detector.session import Scored, Session
from glottis.verdict import BundleId, Decision, Notice, Samples, Verdict, Window

LEAST_SPEECH = 0.1
"""The share of a window in which somebody must speak for it to be scored."""

SHORT_S = 2.0
NARROW_HZ = 4_200.0
AHEAD = 4
"""Windows in flight for each thread; more would only take memory."""


@dataclass(frozen=True, slots=True)
class Model:
    """An open bundle with all that is needed to use it; shared by all pipelines."""

    bundle: Bundle
    session: Session
    recording_calibration: Calibrator | None
    window_calibration: Calibrator | None

    @classmethod
    def of(cls, bundle: Bundle) -> Model:
        """Load the model and the calibrations.

        Raises:
            BundleError: One of them does not fit.
        """
        stored = bundle.manifest.calibration
        recording, window = (from_json(stored["recording"]), from_json(stored["window"])) if stored else (None, None)
        return cls(bundle, Session(bundle), recording, window)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the reader knows of a recording once it was read; see the fields of `Verdict`."""

    source: str
    sample_rate_hz: int
    codec: str | None
    bandwidth_hz: float | None
    duration_s: float
    channel: int | None = None
    complete: bool = True
    warnings: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class _Pending:
    start: int
    end: int
    speech: float
    scored: Scored | Future[Scored] | None


class Pipeline:
    """One lane of one recording on its way through the model.

    Args:
        model: The detector's model.
        prior_spoof: The user's prior, or None for the bundle's.
        pool: Where windows are scored side by side, or None to score them here.
        threads: Of the pool.
    """

    def __init__(self, model: Model, prior_spoof: float | None, pool: Executor | None = None, threads: int = 1) -> None:
        manifest = model.bundle.manifest
        self._model = model
        self._manifest = manifest
        self._prior_spoof = manifest.decision.prior_spoof if prior_spoof is None else prior_spoof
        self._pool = pool
        self._ahead = AHEAD * threads
        self._windower = Windower(manifest.window_samples, manifest.hop_samples)
        self._meter = SpeechMeter(manifest.sample_rate_hz)
        self._pending: deque[_Pending] = deque()
        self._windows: list[Window] = []
        self._began = time.perf_counter()

    def push(self, samples: Samples) -> list[Window]:
        """Take samples ``(n,)`` at the model's rate; give the windows that are done, in order."""
        self._meter.push(samples)
        for start, window in self._windower.push(samples):
            self._submit(start, window)
        return self._collect(self._ahead)

    def finish_windows(self) -> list[Window]:
        """Nothing more comes: give the windows that are left."""
        self._meter.finish()
        for start, window in self._windower.finish():
            self._submit(start, window)
        return self._collect(0)

    def _submit(self, start: int, window: Samples) -> None:
        end = min(start + len(window), self._windower.total_samples)
        speech = self._meter.fraction(start, end)
        scored: Scored | Future[Scored] | None = None
        if speech >= LEAST_SPEECH:
            score = self._model.session.score
            scored = score(window) if self._pool is None else self._pool.submit(score, window)
        self._pending.append(_Pending(start, end, speech, scored))

    def _collect(self, leave: int) -> list[Window]:
        """Finished windows; waits for the oldest ones as long as more than `leave` are in flight."""
        done = []
        while self._pending:
            scored = self._pending[0].scored
            if isinstance(scored, Future):
                if len(self._pending) <= leave and not scored.done():
                    break
                scored = scored.result()
            done.append(self._window(self._pending.popleft(), scored))
        self._windows += done
        return done

    def _window(self, pending: _Pending, scored: Scored | None) -> Window:
        rate_hz = self._manifest.sample_rate_hz
        speech = pending.speech
        if scored is not None and scored.speech is not None:
            speech = min(speech, scored.speech) if scored.speech < 0.5 else speech  # noqa: PLR2004
            scored = scored if scored.speech >= 0.5 else None  # noqa: PLR2004
        score = None if scored is None else scored.score
        calibration = self._model.window_calibration
        seconds = speech * (pending.end - pending.start) / rate_hz
        llr = None if score is None or calibration is None else float(calibration.apply(score, seconds))
        return Window(pending.start / rate_hz, pending.end / rate_hz, score, llr, speech)

    def verdict(self, facts: Callable[[], Facts] | Facts) -> Verdict:
        """Finish, aggregate, calibrate, decide."""
        self.finish_windows()
        known = facts if isinstance(facts, Facts) else facts()
        scored = [window for window in self._windows if window.score is not None]
        speech_s = self._speech_s()
        thresholds = thresholds_of(self._manifest.decision, self._prior_spoof)
        score = llr = None
        if scored and speech_s >= self._manifest.min_speech_s:
            score = aggregate(self._windows, self._manifest.aggregate)
            if self._model.recording_calibration is not None:
                llr = float(self._model.recording_calibration.apply(score, speech_s))
        decision, reasons = self._decide(score, llr, thresholds, known, speech_s)
        bundle = self._model.bundle
        return Verdict(
            source=known.source,
            verdict=decision,
            score=score,
            llr=llr,
            p_spoof=None if llr is None else p_spoof_of(llr, self._prior_spoof),
            prior_spoof=self._prior_spoof,
            thresholds=None if self._model.recording_calibration is None else thresholds,
            duration_s=known.duration_s,
            analysed_s=_covered_s(scored),
            speech_s=speech_s,
            sample_rate_hz=known.sample_rate_hz,
            codec=known.codec,
            bandwidth_hz=known.bandwidth_hz,
            bundle=BundleId(bundle.manifest.name, bundle.manifest.version, bundle.sha256),
            glottis=glottis.__version__,
            elapsed_s=time.perf_counter() - self._began,
            channel=known.channel,
            complete=known.complete,
            reasons=reasons,
            warnings=known.warnings,
            windows=tuple(self._windows),
            spoof_segments=() if score is None else spoof_segments(self._windows, thresholds["spoof"]),
        )

    def _speech_s(self) -> float:
        """Seconds of speech; where the model tells speech too, only those in windows that it agrees to."""
        if "speech" not in self._manifest.outputs:
            return self._meter.speech_s
        scored = [window for window in self._windows if window.score is not None]
        spoken = [min(window.speech, 1.0) * (window.end_s - window.start_s) for window in scored]
        return min(self._meter.speech_s, sum(spoken))

    def _decide(
        self, score: float | None, llr: float | None, thresholds: dict[str, float], facts: Facts, speech_s: float
    ) -> tuple[Decision, tuple[Notice, ...]]:
        reasons = []
        if score is None:
            return Decision.NO_SPEECH, (
                Notice("no_speech", f"{speech_s:.1f} s of speech, too little to judge", round(speech_s, 3)),
            )
        if speech_s < SHORT_S:
            reasons.append(Notice("short", f"only {speech_s:.1f} s of speech", round(speech_s, 3)))
        if facts.bandwidth_hz is not None and facts.bandwidth_hz < NARROW_HZ:
            khz = facts.bandwidth_hz / 1000
            reasons.append(Notice("narrow_band", f"nothing above {khz:.1f} kHz", round(facts.bandwidth_hz, 1)))
        if llr is None:
            reasons.append(Notice("uncalibrated", "the detector is not calibrated: its score is no probability"))
            return Decision.INCONCLUSIVE, tuple(reasons)
        decision = decide(llr, thresholds)
        if decision is Decision.BONAFIDE and not facts.complete:
            reasons.append(Notice("incomplete", "not all of the recording could be analysed"))
            decision = Decision.INCONCLUSIVE
        return decision, tuple(reasons)


def _covered_s(windows: list[Window]) -> float:
    covered = reached = 0.0
    for window in windows:
        covered += max(0.0, window.end_s - max(window.start_s, reached))
        reached = max(reached, window.end_s)
    return covered
