"""How a bundle's windows become one llr: the aggregate and the calibrations, fitted on development recordings.

The recordings are the development clips, and long ones built from them (`corpora.long_recordings`), each scored by
the detector itself, so that what is fitted is what a scan sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.audio import PCM
from glottis.calibration import ByDuration, Platt, cross_fit
from glottis.corpora import Trial, long_recordings
from glottis.detector import Detector
from glottis.detector.aggregate import aggregate
from glottis.metrics import cllr
from glottis.verdict import Failed, Label, Verdict

LONG_S = (12.0, 30.0, 120.0)
"""Lengths of the recordings that are built."""

AGGREGATES: tuple[Mapping[str, Any], ...] = (
    {"kind": "mean"},
    {"kind": "softmin", "temperature": 8.0},
    {"kind": "softmin", "temperature": 4.0},
    {"kind": "softmin", "temperature": 2.0},
    {"kind": "softmin", "temperature": 1.0},
)


@dataclass(frozen=True, slots=True)
class Scored:
    """A development recording and what the bundle's windows say of it.

    Attributes:
        label: Of the recording.
        source: Its source.
        scores: Of the scored windows, ``(n,)``, n at least 1.
        speech_s: Seconds of speech.
        length_s: What it was built to be; 0 for a clip.
    """

    label: Label
    source: str
    scores: NDArray[np.float64]
    speech_s: float
    length_s: float = 0.0


def score_development(bundle: Path, root: Path, trials: Sequence[Trial], *, threads: int) -> list[Scored]:
    """Scan the clips and the long recordings built from them; what has too little speech is left out."""
    detector = Detector(bundle, threads=threads)
    rate_hz = detector.bundle.manifest.sample_rate_hz
    found: list[Scored] = []
    for trial, verdict in zip(
        trials, detector.scan_many((trial.path(root) for trial in trials), channel="mix"), strict=True
    ):
        found += _scored(verdict, trial.label, trial.source)
    for length_s in LONG_S:
        for built in long_recordings(root, trials, length_s, sample_rate_hz=rate_hz, splices=False):
            verdict = detector.scan(PCM(built.samples, rate_hz))
            found += _scored(verdict, built.label, built.source, length_s)
    return found


def _scored(verdict: Verdict | Failed, label: Label, source: str, length_s: float = 0.0) -> Iterator[Scored]:
    if not isinstance(verdict, Failed) and verdict.score is not None:
        scores = np.array([window.score for window in verdict.windows if window.score is not None])
        yield Scored(label, source, scores, verdict.speech_s, length_s)


def choose_aggregate(recordings: Sequence[Scored]) -> Mapping[str, Any]:
    """The aggregate whose cross-fitted Cllr over all recordings is the least."""
    return min(AGGREGATES, key=lambda how: _cross_cllr(recordings, how))


def fit_calibrations(recordings: Sequence[Scored], how: Mapping[str, Any]) -> dict[str, Any]:
    """The calibrations of recordings, by seconds of speech, and of windows, fitted on the clips."""
    scores, bonafide, _, speech_s = _arrays(recordings, how)
    recording = ByDuration.fit(scores[bonafide], scores[~bonafide], speech_s[bonafide], speech_s[~bonafide])
    clips = [one for one in recordings if one.length_s == 0]
    scores, bonafide, _, _ = _arrays(clips, how)
    window = Platt.fit(scores[bonafide], scores[~bonafide])
    return {"recording": recording.to_json(), "window": window.to_json()}


def cross_fitted(recordings: Sequence[Scored], how: Mapping[str, Any]) -> NDArray[np.float64]:
    """The llr of each recording by calibrations that saw nothing of its source, ``(n,)``."""
    scores, bonafide, sources, speech_s = _arrays(recordings, how)
    return cross_fit(scores, bonafide, sources, ByDuration.fit, fact=speech_s)


def _cross_cllr(recordings: Sequence[Scored], how: Mapping[str, Any]) -> float:
    llrs = cross_fitted(recordings, how)
    bonafide = np.array([one.label == Label.BONAFIDE for one in recordings])
    return float(cllr(llrs[bonafide], llrs[~bonafide]))


def _arrays(
    recordings: Sequence[Scored], how: Mapping[str, Any]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.str_], NDArray[np.float64]]:
    return (
        np.array([aggregate(one.scores, how) for one in recordings]),
        np.array([one.label == Label.BONAFIDE for one in recordings]),
        np.array([one.source for one in recordings]),
        np.array([one.speech_s for one in recordings]),
    )
