"""Blocks in, scored windows out: the one way that files, samples and streams go."""

from __future__ import annotations

import math
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass

from glottis.audio import SpeechMeter, Windower
from glottis.bundle import Bundle, Manifest
from glottis.calibration import Calibrator, from_json
from glottis.config import Device
from glottis.detector.crew import Crew
from glottis.detector.session import Scored, Session
from glottis.errors import BundleError
from glottis.verdict import Samples, Window

LEAST_SPEECH = 0.1
"""The share of a window in which somebody must speak for it to be scored."""

HEARD = 0.5
"""The least probability of speech by the model itself, where it tells one, for a window to count."""

SUREST_MUSIC, SUREST_SPEECH = -3.0, 6.0
"""The bounds of a window's log-odds of speech in the mean over a recording: speech in about two fifths of it is
enough, whatever is played in the rest."""


class Model:
    """A bundle with all that is needed to use it, on a device; shared by all pipelines.

    Raises:
        BundleError: The model or a calibration does not fit the manifest.
        ConfigError: The device is not there.
    """

    def __init__(self, bundle: Bundle, device: Device = "cpu") -> None:
        manifest = bundle.manifest
        calibration = manifest.calibration
        self.bundle = bundle
        self.recording_calibration: Calibrator | None = from_json(calibration["recording"]) if calibration else None
        self.window_calibration: Calibrator | None = from_json(calibration["window"]) if calibration else None
        if self.window_calibration is not None and self.window_calibration.needs not in (None, "speech_s"):
            raise BundleError(
                f"{bundle.path}: calibration.window needs {self.window_calibration.needs}, unknown while one listens",
                code="bad_calibration",
                hint="platt, isotonic or by_duration",
            )
        self.session = Session(
            bundle.read("model.onnx"),
            window_samples=manifest.window_samples,
            inputs=manifest.inputs,
            outputs=manifest.outputs,
            name=str(bundle.path),
            device=device,
        )

    @property
    def manifest(self) -> Manifest:
        """The bundle's manifest."""
        return self.bundle.manifest


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A window on its way, from sample `start` to `end`; None in the place of a score where too little is spoken."""

    start: int
    end: int
    speech: float
    scored: Scored | Future[Scored] | None


class Pipeline:
    """One lane of one recording on its way through the model.

    A window is scored as soon as its last sample is there, while the rest is still being read. What is held is one
    window's length of samples, the few windows that the crew works on, and the time line so far.

    Args:
        model: The detector's model.
        crew: Who may score windows meanwhile; by default each is scored here, at once.
    """

    def __init__(self, model: Model, crew: Crew | None = None) -> None:
        self._model = model
        self._crew = crew
        self._rate_hz = model.manifest.sample_rate_hz
        self._least = LEAST_SPEECH if model.manifest.min_speech_s > 0 else 0.0
        self._windower = Windower(model.manifest.window_samples, model.manifest.hop_samples)
        self._meter = SpeechMeter(self._rate_hz)
        self._waiting: deque[_Waiting] = deque()
        self._windows: list[Window] = []
        self._heard_s = 0.0
        self._heard_until = 0
        self._odds_s = 0.0
        self._judged_s = 0.0

    @property
    def windows(self) -> list[Window]:
        """The time line so far."""
        return self._windows

    @property
    def speech_s(self) -> float:
        """Seconds of speech so far; where the model tells speech too, only of windows in which it hears some."""
        if "speech" in self._model.manifest.outputs:
            return min(self._heard_s, self._meter.speech_s)
        return self._meter.speech_s

    @property
    def log_odds_of_speech(self) -> float | None:
        """The model's mean log-odds of speech so far, each window weighed by its seconds of what sounds like speech.

        None where the model tells none, or nothing sounds like speech yet.
        """
        return self._odds_s / self._judged_s if self._judged_s else None

    @property
    def sounding_s(self) -> float:
        """Seconds so far of what sounds like speech by its frames, music with voice-like instruments too."""
        return self._meter.speech_s

    def push(self, samples: Samples) -> list[Window]:
        """Take samples ``(n,)`` at the model's rate; give the windows that are done, in order."""
        self._meter.push(samples)
        self._take(self._windower.push(samples))
        return self._collect(wait=False)

    def finish(self) -> list[Window]:
        """Nothing more comes: give the windows that are left."""
        self._meter.finish()
        self._take(self._windower.finish())
        return self._collect(wait=True)

    def _take(self, windows: list[tuple[int, Samples]]) -> None:
        for start, window in windows:
            end = min(start + len(window), self._windower.total_samples)
            speech = self._meter.fraction(start, end)
            scored = self._score(window) if speech >= self._least else None
            self._waiting.append(_Waiting(start, end, speech, scored))

    def _score(self, window: Samples) -> Scored | Future[Scored]:
        score = self._model.session.score
        elsewhere = self._crew.offer(score, window) if self._crew else None
        return elsewhere or score(window)

    def _collect(self, *, wait: bool) -> list[Window]:
        done = []
        while self._waiting:
            scored = self._waiting[0].scored
            if isinstance(scored, Future):
                if not wait and not scored.done():
                    break
                scored = scored.result()
            done.append(self._window(self._waiting.popleft(), scored))
        self._windows += done
        return done

    def _window(self, one: _Waiting, scored: Scored | None) -> Window:
        speech = one.speech
        if scored is not None and scored.speech is not None:
            self._weigh(scored.speech, speech * (one.end - one.start) / self._rate_hz)
            if scored.speech < HEARD:
                speech, scored = min(speech, scored.speech), None
            else:
                self._hear(one.start, one.end)
        start_s, end_s = one.start / self._rate_hz, one.end / self._rate_hz
        if scored is None:
            return Window(start_s, end_s, None, None, speech)
        calibration = self._model.window_calibration
        llr = None if calibration is None else float(calibration.apply(scored.score, speech * (end_s - start_s)))
        return Window(start_s, end_s, scored.score, llr, speech)

    def _weigh(self, probability: float, seconds: float) -> None:
        log_odds = math.log(max(probability, 1e-9)) - math.log(max(1 - probability, 1e-9))
        self._odds_s += min(max(log_odds, SUREST_MUSIC), SUREST_SPEECH) * seconds
        self._judged_s += seconds

    def _hear(self, start: int, end: int) -> None:
        """Count the speech of a window, that of overlapping ones once."""
        start = max(start, self._heard_until)
        self._heard_s += self._meter.fraction(start, end) * (end - start) / self._rate_hz
        self._heard_until = end
