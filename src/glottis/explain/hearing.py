"""The windows on which a verdict rests most, with their samples, and the model behind the `Scorer` protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glottis.audio import ChannelPolicy, Limits, Recording, Windower, open_recording
from glottis.bundle import Manifest
from glottis.detector.aggregate import aggregate
from glottis.detector.model import Member, Model
from glottis.errors import InputError
from glottis.verdict import Samples, Scorer, Verdict, Window

_AT_ONCE = 16
_ANY = 2**16


class ModelScorer:
    """A bundle's model as a `Scorer`; windows are scored one by one, so that no score depends on the company.

    Each member of an ensemble hears a window as a recording of its own: the first as it is, another repeated to fill
    its window, or cut into several.

    Args:
        model: The model.
        threads: How many windows are scored side by side.
    """

    def __init__(self, model: Model, threads: int = 1) -> None:
        self._model = model
        self._threads = threads
        self.sample_rate_hz = model.manifest.sample_rate_hz
        self.window_samples = model.manifest.window_samples

    def score(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Windows ``(batch, window_samples)`` to scores ``(batch,)``; higher is more bona fide."""
        with ThreadPoolExecutor(self._threads) as crew:
            return np.array(list(crew.map(self._score, windows)), np.float32)

    def _score(self, window: Samples) -> float:
        return self._model.fuse([_alone(member, window) for member in self._model.members])


def _alone(member: Member, samples: Samples) -> float:
    """A member's score of a stretch, as if there were nothing else."""
    windower = Windower(member.manifest.window_samples, member.manifest.hop_samples)
    windows = [*windower.push(samples), *windower.finish()]
    return aggregate([member.session.score(window).score for _, window in windows], member.manifest.aggregate)


@dataclass(frozen=True, slots=True)
class Heard:
    """A window that is explained.

    Attributes:
        window: As the verdict has it.
        samples: What the recording holds there, ``(n,)``, n at most a window: a shorter one is repeated to fill it,
            and is edited before that.
        why: Why it was chosen, in words.
    """

    window: Window
    samples: Samples
    why: str


def score_all(scorer: Scorer, stretches: Iterator[Samples]) -> NDArray[np.float64]:
    """The score of each stretch, ``(count,)``, a few at a time in memory; short ones are repeated, as a scan does."""
    scores: list[NDArray[np.float32]] = []
    while batch := [np.resize(one, scorer.window_samples) for _, one in zip(range(_AT_ONCE), stretches, strict=False)]:
        scores.append(scorer.score(np.array(batch, np.float32)))
    return np.concatenate(scores).astype(np.float64) if scores else np.zeros(0)


def choose(verdict: Verdict, count: int, how: str) -> list[tuple[Window, str]]:
    """The windows that the verdict hangs on most, in the order of time, each with the reason.

    Of a bundle that takes the first window alone, that one; of one whose recordings go by their lowest windows, and
    where the recording leans to spoof or has no llr, the lowest; else the highest.

    Args:
        verdict: With its windows.
        count: At most so many.
        how: The bundle's aggregate: ``mean``, ``first`` or ``softmin``.
    """
    scored = [window for window in verdict.windows if window.score is not None]
    if len(scored) == 1:
        return [(scored[0], "the only one that was scored")]
    if how == "first":
        return [(scored[0], f"the first of {len(scored)}, which alone is judged")]
    person = how == "mean" and verdict.llr is not None and verdict.llr > 0
    ranked = sorted(scored, key=lambda window: -(window.score or 0.0) if person else window.score or 0.0)
    what = "most like a person" if person else "most suspect"
    chosen = [(window, f"the {_place(i)}{what} of {len(scored)}") for i, window in enumerate(ranked[:count], start=1)]
    return sorted(chosen, key=lambda one: one[0].start_s)


def _place(number: int) -> str:
    """What stands before a superlative: nothing for the first, ``2nd `` for the second."""
    return "" if number == 1 else f"{number}{ {2: 'nd', 3: 'rd'}.get(number, 'th') } "


def hear(
    recording: Recording,
    manifest: Manifest,
    verdict: Verdict,
    chosen: Sequence[tuple[Window, str]],
    *,
    channel: ChannelPolicy,
) -> list[Heard]:
    """Read a recording once more, and keep the samples of the chosen windows alone.

    Args:
        recording: A path, bytes or samples.
        manifest: Of the bundle.
        verdict: Of the scan.
        chosen: From `choose`.
        channel: As for the scan.

    Raises:
        InputError: It cannot be read, or is another recording by now (``changed``).
    """
    rate_hz = manifest.sample_rate_hz
    wanted = {round(window.start_s * rate_hz): (window, why) for window, why in chosen}
    windower = Windower(manifest.window_samples, manifest.hop_samples)
    found: list[Heard] = []
    passed = Limits(max_duration_s=verdict.duration_s + 1, max_channels=_ANY)  # the scan has held the user's bounds
    with open_recording(recording, sample_rate_hz=rate_hz, limits=passed, channel=channel) as reading:

        def keep(windows: list[tuple[int, Samples]]) -> None:
            for start, samples in windows:
                if start in wanted:
                    window, why = wanted.pop(start)
                    found.append(Heard(window, samples[: round((window.end_s - window.start_s) * rate_hz)], why))

        for block in reading.blocks():
            if not wanted or verdict.channel not in reading.lanes:
                break
            keep(windower.push(block[reading.lanes.index(verdict.channel)]))
        keep(windower.finish())
    if wanted:
        raise InputError(f"{reading.name}: changed while it was read", code="changed", hint="explain a copy of it")
    return found
