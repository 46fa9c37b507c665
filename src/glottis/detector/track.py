"""One net on its way through a recording: windows on its own grid, each with its score."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass

from glottis.audio import SpeechMeter, Windower
from glottis.detector.aggregate import aggregate
from glottis.detector.crew import Crew
from glottis.detector.model import Member
from glottis.detector.session import Scored
from glottis.verdict import Samples, Window

LEAST_SPEECH = 0.1
"""The share of a window in which somebody must speak for it to be scored."""

HEARD = 0.5
"""The least probability of speech by the model itself, where it tells one, for a window to count."""

SUREST_MUSIC, SUREST_SPEECH = -3.0, 6.0
"""The bounds of a window's log-odds of speech in the mean over a recording: speech in about two fifths of it is
enough, whatever is played in the rest."""

LEAST_LOG_ODDS = 0.5
"""The mean log-odds of speech, by the model itself, over which a recording is judged: in music it hears a voice here
and there."""


@dataclass(slots=True)
class _Waiting:
    """A window on its way: None stands in the place of a score where too little is spoken."""

    start: int
    end: int
    speech: float
    scored: Scored | Future[Scored] | None


class Track:
    """One member's way through one lane of a recording.

    A window is scored as soon as its last sample is there, while the rest is still being read. What is held is one
    window's length of samples, the few windows that the crew works on, and the time line so far.

    Args:
        member: The net.
        meter: Of the lane's speech; it has heard all that is pushed here.
        crew: Who may score windows meanwhile; by default each is scored here, at once.
    """

    def __init__(self, member: Member, meter: SpeechMeter, crew: Crew | None) -> None:
        self._member = member
        self._crew = crew
        self._rate_hz = member.manifest.sample_rate_hz
        self._least = LEAST_SPEECH if member.manifest.min_speech_s > 0 else 0.0
        self._windower = Windower(member.manifest.window_samples, member.manifest.hop_samples)
        self._meter = meter
        self._waiting: deque[_Waiting] = deque()
        self._heard_s = 0.0
        self._heard_until = 0
        self._odds_s = 0.0
        self._judged_s = 0.0
        self._finished = False
        self.windows: list[Window] = []
        """Those that are scored, in order; without an llr, which is not a net's to give."""

    @property
    def speech_s(self) -> float:
        """Seconds of speech so far; where the model tells speech too, only of windows in which it hears some."""
        if "speech" in self._member.manifest.outputs:
            return min(self._heard_s, self._meter.speech_s)
        return self._meter.speech_s

    @property
    def log_odds_of_speech(self) -> float | None:
        """The model's mean log-odds of speech so far, each window weighed by its seconds of what sounds like speech.

        None where the model tells none, or nothing sounds like speech yet.
        """
        return self._odds_s / self._judged_s if self._judged_s else None

    @property
    def score(self) -> float | None:
        """Of the recording, once it is finished; None where too little is spoken."""
        manifest, log_odds = self._member.manifest, self.log_odds_of_speech
        scores = [window.score for window in self.windows if window.score is not None]
        mostly_speech = log_odds is None or log_odds > LEAST_LOG_ODDS
        if not scores or self.speech_s < manifest.min_speech_s or not mostly_speech:
            return None
        return aggregate(scores, manifest.aggregate)

    def push(self, samples: Samples) -> None:
        """Take samples ``(n,)`` at the model's rate."""
        self._take(self._windower.push(samples))
        self._collect(wait=False)

    def finish(self) -> None:
        """Nothing more comes: wait for the windows that are left."""
        self._take(self._windower.finish())
        self._collect(wait=True)
        self._finished = True

    def nearest(self, window: Window) -> Window | None:
        """Of the windows the one whose middle lies nearest to that of another's; None while a nearer one may come."""
        middle = window.start_s + window.end_s
        after = bisect_left(self.windows, middle, key=lambda one: one.start_s + one.end_s)
        if after == len(self.windows) and not self._finished:
            return None
        around = self.windows[max(after - 1, 0) : after + 1]
        return min(around, key=lambda one: abs(one.start_s + one.end_s - middle))

    def _take(self, windows: list[tuple[int, Samples]]) -> None:
        for start, window in windows:
            end = min(start + len(window), self._windower.total_samples)
            speech = self._meter.fraction(start, end)
            scored = self._score(window) if speech >= self._least else None
            self._waiting.append(_Waiting(start, end, speech, scored))

    def _score(self, window: Samples) -> Scored | Future[Scored]:
        score = self._member.session.score
        elsewhere = self._crew.offer(score, window) if self._crew else None
        return elsewhere or score(window)

    def _collect(self, *, wait: bool) -> None:
        while self._waiting:
            scored = self._waiting[0].scored
            if isinstance(scored, Future):
                if not wait and not scored.done():
                    break
                scored = scored.result()
            self.windows.append(self._window(self._waiting.popleft(), scored))

    def _window(self, one: _Waiting, scored: Scored | None) -> Window:
        speech = one.speech
        if scored is not None and scored.speech is not None:
            self._weigh(scored.speech, speech * (one.end - one.start) / self._rate_hz)
            if scored.speech < HEARD:
                speech, scored = min(speech, scored.speech), None
            else:
                self._hear(one.start, one.end)
        score = None if scored is None else scored.score
        return Window(one.start / self._rate_hz, one.end / self._rate_hz, score, None, speech)

    def _weigh(self, probability: float, seconds: float) -> None:
        log_odds = math.log(max(probability, 1e-9)) - math.log(max(1 - probability, 1e-9))
        self._odds_s += min(max(log_odds, SUREST_MUSIC), SUREST_SPEECH) * seconds
        self._judged_s += seconds

    def _hear(self, start: int, end: int) -> None:
        """Count the speech of a window, that of overlapping ones once."""
        start = max(start, self._heard_until)
        self._heard_s += self._meter.fraction(start, end) * (end - start) / self._rate_hz
        self._heard_until = end
