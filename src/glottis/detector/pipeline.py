"""Blocks in, scored windows out: the one way that files, samples and streams go."""

from __future__ import annotations

from dataclasses import replace

from glottis.audio import SpeechMeter
from glottis.detector.crew import Crew
from glottis.detector.model import Model
from glottis.detector.track import Track
from glottis.verdict import Samples, Window


class Pipeline:
    """One lane of one recording on its way through the model, on one track for each member.

    The time line has the windows of the first member, and its seconds of speech are the recording's. Another member's
    score of a window is that of its own window nearest in time, which is the same one where both cut alike; a window
    counts where all have scored.

    Args:
        model: The detector's model.
        crew: Who may score windows meanwhile; by default each is scored here, at once.
    """

    def __init__(self, model: Model, crew: Crew | None = None) -> None:
        self._model = model
        self._meter = SpeechMeter(model.manifest.sample_rate_hz)
        self._lead, *self._others = (Track(member, self._meter, crew) for member in model.members)
        self._windows: list[Window] = []

    @property
    def windows(self) -> list[Window]:
        """The time line so far."""
        return self._windows

    @property
    def speech_s(self) -> float:
        """Seconds of speech so far; where the model tells speech too, only of windows in which it hears some."""
        return self._lead.speech_s

    @property
    def sounding_s(self) -> float:
        """Seconds so far of what sounds like speech by its frames, music with voice-like instruments too."""
        return self._meter.speech_s

    @property
    def score(self) -> float | None:
        """Of the recording, once it is finished; None where too little is spoken for a member or on the time line."""
        scores = [track.score for track in (self._lead, *self._others)]
        known = [score for score in scores if score is not None]
        heard = any(window.score is not None for window in self._windows)
        return self._model.fuse(known) if heard and len(known) == len(scores) else None

    def push(self, samples: Samples) -> list[Window]:
        """Take samples ``(n,)`` at the model's rate; give the windows that are done, in order."""
        self._meter.push(samples)
        for track in (self._lead, *self._others):
            track.push(samples)
        return self._collect()

    def finish(self) -> list[Window]:
        """Nothing more comes: give the windows that are left."""
        self._meter.finish()
        for track in (self._lead, *self._others):
            track.finish()
        return self._collect()

    def _collect(self) -> list[Window]:
        done = []
        for window in self._lead.windows[len(self._windows) :]:
            others = [track.nearest(window) for track in self._others]
            known = [other for other in others if other is not None]
            if len(known) < len(others):
                break
            done.append(self._fused(window, known))
        self._windows += done
        return done

    def _fused(self, window: Window, others: list[Window]) -> Window:
        scores = [one.score for one in (window, *others) if one.score is not None]
        if len(scores) <= len(others):
            return replace(window, score=None)
        score, calibration = self._model.fuse(scores), self._model.window_calibration
        heard_s = window.speech * (window.end_s - window.start_s)
        return replace(
            window, score=score, llr=None if calibration is None else float(calibration.apply(score, heard_s))
        )
