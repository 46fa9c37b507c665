"""Long recordings by rule from short clips: one voice or machine for minutes, and a short fake inside a real one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glottis.corpora.load import load_clip
from glottis.corpora.trials import Trial
from glottis.verdict import Label

LEAST_CLIPS = 5
"""Sources with fewer clips of a label give no long recording of it."""


@dataclass(frozen=True, eq=False)
class LongRecording:
    """A recording that was built.

    Attributes:
        label: What it is: ``spoof`` as soon as a part of it is.
        source: The source of all its clips.
        samples: Shape ``(n,)``.
        splice_s: Where the fake begins and ends, if it is a splice; else None.
    """

    label: Label
    source: str
    samples: NDArray[np.float32]
    splice_s: tuple[float, float] | None = None


def long_recordings(
    root: Path, trials: Sequence[Trial], duration_s: float, *, sample_rate_hz: int, seed: int = 0, splices: bool = True
) -> Iterator[LongRecording]:
    """For each source one concatenation of each label, and one of people with a fake of the source spliced in.

    Clips are drawn without putting back until each was used, and stand end to end. The fake is one clip, cut to
    1 to 4 s, in the place of as much of the real recording. The draws depend on `seed`, the source and the duration.

    Args:
        root: Where the clips lie.
        trials: The clips.
        duration_s: Of each recording.
        sample_rate_hz: Of the samples.
        seed: Of the draws.
        splices: Whether splices are built too.
    """
    groups: dict[str, dict[Label, list[Trial]]] = defaultdict(lambda: defaultdict(list))
    for trial in trials:
        groups[trial.source][trial.label].append(trial)
    wanted = round(duration_s * sample_rate_hz)
    for source, labels in sorted(groups.items()):
        rng = np.random.default_rng([seed, round(duration_s), *source.encode()])
        for label, members in sorted(labels.items()):
            if len(members) < LEAST_CLIPS:
                continue
            whole = LongRecording(label, source, _concatenated(root, members, wanted, sample_rate_hz, rng))
            yield whole
            fakes = labels.get(Label.SPOOF, [])
            if splices and label == Label.BONAFIDE and len(fakes) >= LEAST_CLIPS:
                fake = load_clip(fakes[int(rng.integers(len(fakes)))].path(root), sample_rate_hz)
                yield _spliced(whole, fake, sample_rate_hz, rng)


def _concatenated(
    root: Path, members: Sequence[Trial], wanted: int, sample_rate_hz: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    parts: list[NDArray[np.float32]] = []
    order: list[int] = []
    have = 0
    while have < wanted:
        order = order or [int(i) for i in rng.permutation(len(members))]
        parts.append(load_clip(members[order.pop()].path(root), sample_rate_hz))
        have += len(parts[-1])
    return np.concatenate(parts)[:wanted]


def _spliced(
    whole: LongRecording, fake: NDArray[np.float32], sample_rate_hz: int, rng: np.random.Generator
) -> LongRecording:
    fake = fake[: round(float(rng.uniform(1, 4)) * sample_rate_hz)]
    start = int(rng.integers(len(whole.samples) - len(fake) + 1))
    end = start + len(fake)
    samples = np.concatenate([whole.samples[:start], fake, whole.samples[end:]])
    return LongRecording(Label.SPOOF, whole.source, samples, (start / sample_rate_hz, end / sample_rate_hz))
