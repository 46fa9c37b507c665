"""Where somebody speaks."""

from __future__ import annotations

import numpy as np
import webrtcvad
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_FRAME_S = 0.03
_NATIVE_HZ = (8_000, 16_000, 32_000, 48_000)
_MODE = 3
_HANGOVER_FRAMES = 4
_QUIET = 1e-3
_WANTED_PEAK_DB = -20.0
_MOST_GAIN_DB = 40.0
_RELEASE_DB = 2.0 * _FRAME_S
_CONTEXT_FRAMES = 40
_LEAST_RANGE_DB = 5.0
_FLOOR = 1e-10


class SpeechMeter:
    """Marks 30 ms frames in which somebody speaks, with the WebRTC detector.

    That detector takes loud noise and tones for speech; so the level must also have moved by 5 dB within the last
    1.2 s, as speech does and steady sounds do not. It also misses quiet voices; so where the loudest peak so far,
    forgotten by 2 dB a second, is under -20 dBFS, it is given louder frames.

    A frame is known as soon as its last sample was pushed, and never changes afterwards, so that what is said of a
    stretch does not depend on how the samples came. Speech is carried on for 120 ms after its last frame.

    Args:
        sample_rate_hz: The rate of what is pushed.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._frame = max(round(sample_rate_hz * _FRAME_S), 1)
        fitting = [rate for rate in _NATIVE_HZ if rate <= sample_rate_hz]
        self._vad_hz = max(fitting[:2] if sample_rate_hz not in _NATIVE_HZ else fitting, default=_NATIVE_HZ[0])
        self._vad = webrtcvad.Vad(_MODE)
        self._pending = np.zeros(0, np.float32)
        self._sums = [0]
        self._total = 0
        self._hangover = 0
        self._tail = 0
        self._levels_db: NDArray[np.float32] | None = None
        self._loudest_db = -np.inf

    def push(self, samples: NDArray[np.float32]) -> None:
        """Take samples ``(n,)``."""
        self._total += len(samples)
        have = np.concatenate([self._pending, samples])
        whole = len(have) // self._frame * self._frame
        self._pending = have[whole:].copy()
        if whole:
            self._judge(have[:whole].reshape(-1, self._frame))

    def finish(self) -> None:
        """The recording is over: judge what is left of the last frame too."""
        left = len(self._pending)
        if not left:
            return
        self._judge(np.concatenate([self._pending, np.zeros(self._frame - left, np.float32)])[None])
        self._tail = left if self._sums.pop() > self._sums[-1] else 0
        self._pending = np.zeros(0, np.float32)

    @property
    def speech_s(self) -> float:
        """Seconds of speech so far."""
        return (self._sums[-1] * self._frame + self._tail) / self.sample_rate_hz

    def fraction(self, start_sample: int, end_sample: int) -> float:
        """The share of a stretch in which somebody speaks, 0 to 1, from the whole frames that lie in it.

        Args:
            start_sample: Where the stretch starts.
            end_sample: Where it ends; at most the samples pushed so far.
        """
        end_sample = min(end_sample, self._total)
        last = min(end_sample // self._frame, len(self._sums) - 1)
        first = min(max(start_sample, 0) // self._frame, last)
        if last == first:
            return 0.0
        return (self._sums[last] - self._sums[first]) / (last - first)

    def _judge(self, frames: NDArray[np.float32]) -> None:
        peaks = np.maximum(frames.max(axis=1), -frames.min(axis=1))
        eligible = ((peaks > _QUIET) & self._moves(_levels_db(frames))).tolist()
        louder = frames * self._gains(peaks)[:, None]
        for frame, is_eligible in zip(self._as_int16(louder), eligible, strict=True):
            speaks = self._vad.is_speech(frame.tobytes(), self._vad_hz) and is_eligible
            self._hangover = _HANGOVER_FRAMES if speaks else max(self._hangover - 1, 0)
            self._sums.append(self._sums[-1] + (self._hangover > 0))

    def _moves(self, levels_db: NDArray[np.float32]) -> NDArray[np.bool_]:
        """For each frame, whether the level moved lately; the first frame stands for what is missing."""
        before = np.repeat(levels_db[:1], _CONTEXT_FRAMES - 1) if self._levels_db is None else self._levels_db
        have = np.concatenate([before, levels_db])
        self._levels_db = have[1 - _CONTEXT_FRAMES :]
        recent = sliding_window_view(have, _CONTEXT_FRAMES)
        moves: NDArray[np.bool_] = recent.max(axis=1) - recent.min(axis=1) > _LEAST_RANGE_DB
        return moves

    def _gains(self, peaks: NDArray[np.float32]) -> NDArray[np.float32]:
        """What to multiply each frame by, 1 to 100; peaks are held against a line that falls from the first frame."""
        fallen_db = _RELEASE_DB * (len(self._sums) - 1 + np.arange(len(peaks)))
        held_db = np.maximum.accumulate(20 * np.log10(np.maximum(peaks, _FLOOR)) + fallen_db)
        held_db = np.maximum(held_db, self._loudest_db)
        self._loudest_db = float(held_db[-1])
        gain_db = np.clip(_WANTED_PEAK_DB - held_db + fallen_db, 0, _MOST_GAIN_DB)
        gains: NDArray[np.float32] = (10 ** (gain_db / 20)).astype(np.float32)
        return gains

    def _as_int16(self, frames: NDArray[np.float32]) -> NDArray[np.int16]:
        wanted = round(self._vad_hz * _FRAME_S)
        if frames.shape[1] != wanted:
            at = np.linspace(0, frames.shape[1] - 1, wanted)
            left = np.minimum(at.astype(np.intp), frames.shape[1] - 2)
            share = (at - left).astype(np.float32)
            frames = frames[:, left] * (1 - share) + frames[:, left + 1] * share
        scaled = frames * np.float32(32768)
        return np.clip(scaled, -32768, 32767, out=scaled).astype("<i2")


def _levels_db(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """The level of each frame with its treble raised, so that the level of steady noise hardly moves."""
    treble = frames[:, 1:] - frames[:, :-1]
    power = np.square(treble, out=treble).mean(axis=1)
    levels: NDArray[np.float32] = np.float32(10) * np.log10(power + np.float32(_FLOOR))
    return levels
