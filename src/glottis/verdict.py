"""What a scan says, and the two protocols behind which a detector can stand.

Score direction, for all of Glottis: **a higher score is more bona fide**. An llr is
ln p(x | bona fide) / p(x | spoof), in nats; 0 is undecided.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

SCHEMA = 1
"""Raised when a field of a verdict is renamed or removed; not when one is added."""

Samples = NDArray[np.float32]
"""Audio: float32, shape ``(n,)``, nominal range -1 to 1."""


class Label(StrEnum):
    """What a trial truly is."""

    BONAFIDE = "bonafide"
    SPOOF = "spoof"


class Decision(StrEnum):
    """What a verdict says."""

    BONAFIDE = "bonafide"
    SPOOF = "spoof"
    INCONCLUSIVE = "inconclusive"
    NO_SPEECH = "no_speech"


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch that the net saw at once.

    Attributes:
        start_s: Where it starts, in seconds from the first sample.
        end_s: Where it ends.
        score: The net's raw output, or None where too little was spoken to be scored.
        llr: The score calibrated for windows, or None.
        speech: The share of it in which somebody speaks, 0 to 1.
    """

    start_s: float
    end_s: float
    score: float | None
    llr: float | None
    speech: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a recording that stands out as spoof; `llr` is the mean of its windows'."""

    start_s: float
    end_s: float
    llr: float


@dataclass(frozen=True, slots=True)
class Notice:
    """A reason for a weak verdict, or a warning. Codes are part of the schema, texts are for people."""

    code: str
    text: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class BundleId:
    """Which detector spoke."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the detector says of one recording (or of one channel of it).

    Attributes:
        source: The recording's name as it was given.
        verdict: The decision.
        score: The aggregated raw score, or None without speech. Higher is more bona fide.
        llr: The calibrated natural-log likelihood ratio, or None where the bundle has no calibration.
        p_spoof: The probability of spoof under `prior_spoof`, or None.
        prior_spoof: The prior that was used, 0 to 1.
        thresholds: The llr at or under which the verdict is spoof, and at or over which it is bona fide.
        reasons: Why the verdict is weak.
        warnings: Damage that the decoder met and limits that were hit.
        complete: False when something of the recording was not analysed.
        duration_s: Seconds decoded.
        analysed_s: Seconds that lie in scored windows.
        speech_s: Seconds in which somebody speaks.
        sample_rate_hz: The recording's own rate.
        codec: The recording's own codec, or None for samples.
        bandwidth_hz: The highest frequency that carries energy, or None.
        windows: The time line.
        spoof_segments: Stretches that stand out as spoof.
        bundle: Which detector spoke.
        glottis: The version of Glottis.
        elapsed_s: Seconds that the scan took.
        channel: Which channel of the recording (from 0), or None when they were mixed.
    """

    source: str
    verdict: Decision
    score: float | None
    llr: float | None
    p_spoof: float | None
    prior_spoof: float
    thresholds: dict[str, float] | None
    duration_s: float
    analysed_s: float
    speech_s: float
    sample_rate_hz: int
    codec: str | None
    bandwidth_hz: float | None
    bundle: BundleId
    glottis: str
    elapsed_s: float
    channel: int | None = None
    complete: bool = True
    reasons: tuple[Notice, ...] = ()
    warnings: tuple[Notice, ...] = ()
    windows: tuple[Window, ...] = ()
    spoof_segments: tuple[Segment, ...] = ()
    schema: int = field(default=SCHEMA)

    def to_dict(self) -> dict[str, Any]:
        """The verdict with the names and the order of the JSON contract."""
        have = asdict(self)
        have["verdict"] = str(self.verdict)
        return {name: have[name] for name in _ORDER}

    def to_json(self) -> str:
        """The verdict as one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)


_ORDER = (
    "schema",
    "source",
    "channel",
    "verdict",
    "score",
    "llr",
    "p_spoof",
    "prior_spoof",
    "thresholds",
    "reasons",
    "warnings",
    "complete",
    "duration_s",
    "analysed_s",
    "speech_s",
    "sample_rate_hz",
    "codec",
    "bandwidth_hz",
    "windows",
    "spoof_segments",
    "bundle",
    "glottis",
    "elapsed_s",
)


@dataclass(frozen=True, slots=True)
class Failed:
    """A recording that could not be scanned, in the place of its verdict."""

    source: str
    code: str
    message: str
    hint: str

    def to_dict(self) -> dict[str, Any]:
        """The failure with the names of the JSON contract."""
        return {
            "schema": SCHEMA,
            "source": self.source,
            "error": {"code": self.code, "message": self.message, "hint": self.hint},
        }

    def to_json(self) -> str:
        """The failure as one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False)


@runtime_checkable
class Scorer(Protocol):
    """Samples in, score out: a bundle's session, a torch net in training, a fake."""

    @property
    def sample_rate_hz(self) -> int:
        """The rate of the samples that it takes."""
        ...

    @property
    def window_samples(self) -> int:
        """The length of one window, in samples."""
        ...

    def score(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Windows ``(batch, window_samples)`` to scores ``(batch,)``; higher is more bona fide."""
        ...


@runtime_checkable
class Judge(Protocol):
    """Recording in, verdict out: a detector, a service, a fake."""

    def scan(self, recording: Any) -> Verdict:
        """The verdict on one recording.

        Raises:
            InputError: It cannot be read.
        """
        ...
