"""Partial spoofs: recordings of which only stretches are fake, with one score for each frame.

Point figures count frames; range figures weigh by seconds, and do not depend on the length of a frame. Frame i covers
[i * frame_s, (i + 1) * frame_s), cut at the end of the recording; the last one reaches to it.
Source: `shared/facts/metrics.md`, section 5.1; Zhang et al., "Range-based EER for spoof localization", 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glottis.errors import ConfigError, CorpusError
from glottis.metrics.check import Floats, checked_class
from glottis.metrics.eer import Mode, eer
from glottis.metrics.threshold import check_threshold

_SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class Stretch:
    """A labelled part of a recording.

    Attributes:
        start_s: Where it starts, in seconds.
        end_s: Where it ends.
        bonafide: Whether a person speaks in it.
    """

    start_s: float
    end_s: float
    bonafide: bool


@dataclass(frozen=True, eq=False)
class Frames:
    """One recording with the scores of its frames and what is true of it.

    Attributes:
        scores: One for each frame, shape ``(n_frames,)``; higher is more bona fide.
        stretches: What is labelled; seconds in no stretch (silence) weigh nothing in range figures.
        duration_s: How long it is.

    Raises:
        CorpusError: No scores or scores that are not finite; a stretch that ends before it starts or lies outside the
            recording (``bad_stretch``).
    """

    scores: ArrayLike
    stretches: Sequence[Stretch]
    duration_s: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "scores", checked_class(self.scores, "frame"))
        for one in self.stretches:
            if not 0 <= one.start_s <= one.end_s <= self.duration_s + _SLACK:
                raise CorpusError(
                    f"a stretch from {one.start_s} to {one.end_s} s in a recording of {self.duration_s} s",
                    code="bad_stretch",
                    hint="start and end are seconds from the start of the recording",
                )


def segment_eer(
    recordings: Sequence[Frames], frame_s: float, *, grid_s: float | None = None, mode: Mode = "challenge"
) -> float:
    """The EER over the frames of all recordings; 0 to 1, lower is better.

    A frame is spoof where a spoof stretch, its ends rounded to frames, covers it; all others count as bona fide.

    Args:
        recordings: Scores and labels of each.
        frame_s: The seconds between two scores.
        grid_s: The seconds between two frames that are counted. A finer grid repeats scores and labels anew; a coarser
            one takes the least score and the least label of its frames. By default `frame_s`.
        mode: Which EER; see `glottis.metrics.eer`.

    Raises:
        CorpusError: No recording, or no frame of a class.
        ConfigError: A setting out of its range, or a grid that is no multiple or fraction of a frame.
    """
    factor, coarser = _ratio(frame_s, frame_s if grid_s is None else grid_s)
    _check_some(recordings)
    on_grid = _coarser if coarser else _finer
    parts = [on_grid(one, frame_s, factor) for one in recordings]
    scores = np.concatenate([part[0] for part in parts])
    bonafide = np.concatenate([part[1] for part in parts])
    return eer(scores[bonafide], scores[~bonafide], mode=mode)


def range_rates(recordings: Sequence[Frames], frame_s: float, threshold: float) -> tuple[float, float]:
    """(P_miss, P_fa) by seconds: the shares of bona fide that is called spoof, and of spoof that is called bona fide.

    A frame is called bona fide if and only if its score >= threshold.

    Raises:
        CorpusError: No recording, or no second of a class (``empty_class``).
        ConfigError: `frame_s` is not over 0, or the threshold is not a number.
    """
    check_threshold(threshold)
    scores, bonafide_s, spoof_s = _weighed(recordings, frame_s)
    rejected = scores < threshold
    return float(bonafide_s[rejected].sum() / bonafide_s.sum()), float(spoof_s[~rejected].sum() / spoof_s.sum())


def range_eer(recordings: Sequence[Frames], frame_s: float) -> float:
    """The EER by seconds: the mean of the two rates at the threshold where they are closest; 0 to 1, lower is better.

    Raises:
        CorpusError: No recording, or no second of a class (``empty_class``).
        ConfigError: `frame_s` is not over 0.
    """
    scores, bonafide_s, spoof_s = _weighed(recordings, frame_s)
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    ends = np.append(np.flatnonzero(ordered[1:] > ordered[:-1]), ordered.size - 1)
    missed = np.append(0.0, np.cumsum(bonafide_s[order])[ends])
    caught = np.append(0.0, np.cumsum(spoof_s[order])[ends])
    miss, false_alarm = missed / missed[-1], 1 - caught / caught[-1]
    k = int(np.argmin(np.abs(miss - false_alarm)))
    return float((miss[k] + false_alarm[k]) / 2)


def range_f1(recordings: Sequence[Frames], frame_s: float, threshold: float = 0.0) -> float:
    """The F1 of spoof by seconds: 2 TP / (2 TP + FP + FN); 0 to 1, higher is better.

    Raises:
        CorpusError: No recording, or no second of a class (``empty_class``).
        ConfigError: `frame_s` is not over 0, or the threshold is not a number.
    """
    check_threshold(threshold)
    scores, bonafide_s, spoof_s = _weighed(recordings, frame_s)
    called = scores < threshold
    hit, wrong, lost = spoof_s[called].sum(), bonafide_s[called].sum(), spoof_s[~called].sum()
    return float(2 * hit / (2 * hit + wrong + lost))


def segment_labels(recording: Frames, frame_s: float) -> NDArray[np.bool_]:
    """Which frames of a recording count as bona fide, ``(ceil(duration_s / frame_s),)``; see `segment_eer`."""
    bonafide = np.ones(int(np.ceil(recording.duration_s / frame_s - _SLACK)), dtype=np.bool_)
    for one in recording.stretches:
        if not one.bonafide:
            bonafide[round(one.start_s / frame_s) : round(one.end_s / frame_s)] = False
    return bonafide


def _finer(recording: Frames, frame_s: float, factor: int) -> tuple[Floats, NDArray[np.bool_]]:
    scores = np.repeat(np.asarray(recording.scores), factor)
    bonafide = segment_labels(recording, frame_s / factor)
    shorter = min(scores.size, bonafide.size)
    return scores[:shorter], bonafide[:shorter]


def _coarser(recording: Frames, frame_s: float, factor: int) -> tuple[Floats, NDArray[np.bool_]]:
    scores, bonafide = _finer(recording, frame_s, 1)
    starts = np.arange(0, scores.size, factor)
    return np.minimum.reduceat(scores, starts), np.logical_and.reduceat(bonafide, starts)


def _ratio(frame_s: float, grid_s: float) -> tuple[int, bool]:
    """How many times the one goes into the other, and whether the grid is the longer."""
    for name, value in (("frame_s", frame_s), ("grid_s", grid_s)):
        if not 0 < value < np.inf:
            raise ConfigError(f"{name} is {value}, not over 0", code="bad_frame")
    longer, shorter = max(frame_s, grid_s), min(frame_s, grid_s)
    factor = round(longer / shorter)
    if abs(longer / shorter - factor) > _SLACK:
        raise ConfigError(
            f"a grid of {grid_s} s does not fit frames of {frame_s} s",
            code="bad_frame",
            hint="take a multiple or a whole fraction of a frame",
        )
    return factor, grid_s > frame_s


def _check_some(recordings: Sequence[Frames]) -> None:
    if not recordings:
        raise CorpusError("there is no recording", code="empty_class", hint="give one with its frame scores")


def _weighed(recordings: Sequence[Frames], frame_s: float) -> tuple[Floats, Floats, Floats]:
    """The score, the seconds of bona fide and the seconds of spoof of each frame, each ``(n_frames,)``."""
    _ratio(frame_s, frame_s)
    _check_some(recordings)
    scores = np.concatenate([np.asarray(one.scores) for one in recordings])
    bonafide_s, spoof_s = (
        np.concatenate([_seconds(one, frame_s, bonafide=label) for one in recordings]) for label in (True, False)
    )
    for label, seconds in (("bonafide", bonafide_s), ("spoof", spoof_s)):
        if not seconds.sum() > 0:
            raise CorpusError(f"no second is labelled {label}", code="empty_class", hint="give recordings of both")
    return scores, bonafide_s, spoof_s


def _seconds(recording: Frames, frame_s: float, *, bonafide: bool) -> Floats:
    n = np.asarray(recording.scores).size
    edges = np.minimum(np.arange(n + 1) * frame_s, recording.duration_s)
    edges[-1] = recording.duration_s
    chosen = [one for one in recording.stretches if one.bonafide == bonafide]
    starts = np.array([one.start_s for one in chosen])[:, None]
    lengths = np.array([one.end_s - one.start_s for one in chosen])[:, None]
    return np.diff(np.clip(edges - starts, 0.0, lengths).sum(axis=0))
