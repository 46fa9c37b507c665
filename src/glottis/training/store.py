"""Clips decoded once into one memory-mapped file, so that an epoch costs no decoding and no memory."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from glottis.corpora import Trial, load_clip, read_trials

FULL_SCALE = 32767


class Clips(Protocol):
    """What a net learns from: clips with their facts, each cut to what the net takes."""

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The clips' rows."""

    def __len__(self) -> int: ...

    def crop(self, index: int, samples: int, rng: np.random.Generator | None) -> NDArray[np.float32]:
        """`samples` of one clip, from a drawn place or from its start; or what stands for them."""


@dataclass(frozen=True)
class ClipStore:
    """Decoded clips as 16-bit samples.

    Attributes:
        trials: The clips' rows.
        starts: Where each begins in `samples`; one more than there are clips.
        samples: All of them, one after the other; on disk, read as needed.
    """

    trials: tuple[Trial, ...]
    starts: NDArray[np.int64]
    samples: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.trials)

    def clip(self, index: int) -> NDArray[np.float32]:
        """One clip, float32, shape ``(n,)``."""
        return from_pcm(self.samples[self.starts[index] : self.starts[index + 1]])

    def crop(self, index: int, samples: int, rng: np.random.Generator | None) -> NDArray[np.float32]:
        """A stretch of one clip; see `fit`."""
        return fit(self.clip(index), samples, rng)


def fit(clip: NDArray[np.float32], samples: int, rng: np.random.Generator | None) -> NDArray[np.float32]:
    """Cut a clip to `samples` (at a drawn place, or from its start), or repeat it until it fills them."""
    if len(clip) >= samples:
        start = 0 if rng is None else int(rng.integers(len(clip) - samples + 1))
        return clip[start : start + samples]
    return np.tile(clip, -(-samples // len(clip)))[:samples]


def to_pcm(clip: NDArray[np.float32]) -> NDArray[np.int16]:
    """Samples as they are kept: 16 bits, little-endian."""
    return np.round(np.clip(clip, -1, 1) * FULL_SCALE).astype("<i2")


def from_pcm(kept: NDArray[np.int16]) -> NDArray[np.float32]:
    """What `to_pcm` kept, as float32."""
    return np.asarray(kept / np.float32(FULL_SCALE), np.float32)


def open_store(trials: Sequence[tuple[Path, Trial]], cache: Path, sample_rate_hz: int) -> ClipStore:
    """Decode the clips into `cache`, unless it is there already.

    Args:
        trials: Each with the folder under which its file lies.
        cache: A folder; one file per set of clips is kept in it.
        sample_rate_hz: The rate of the store.

    Raises:
        InputError: A clip cannot be read.
    """
    facts = [(str(root), trial.file) for root, trial in trials]
    key = hashlib.sha256(json.dumps([sample_rate_hz, facts]).encode()).hexdigest()[:16]
    data, index = cache / f"{key}.i16", cache / f"{key}.npy"
    if not index.exists():
        cache.mkdir(parents=True, exist_ok=True)
        starts = [0]
        part = cache / f"{key}.{uuid.uuid4().hex}.part"  # machines that share the disk may decode at the same time
        try:
            with part.open("wb") as out, ThreadPoolExecutor(2) as pool:
                for batch in (trials[i : i + 256] for i in range(0, len(trials), 256)):
                    for clip in pool.map(lambda one: load_clip(one[0] / one[1].file, sample_rate_hz), batch):
                        out.write(to_pcm(clip).tobytes())
                        starts.append(starts[-1] + len(clip))
            part.replace(data)
            with part.open("wb") as out:
                np.save(out, np.array(starts, np.int64))
            part.replace(index)
        finally:
            part.unlink(missing_ok=True)
    return ClipStore(tuple(t for _, t in trials), np.load(index), np.memmap(data, "<i2", mode="r"))


def open_tables(tables: Sequence[str], split: str, cache: Path, sample_rate_hz: int) -> ClipStore:
    """The clips of one split of some tables of trials; each lies beside its table.

    Raises:
        CorpusError: A table does not fit.
        InputError: A clip cannot be read.
    """
    trials: list[tuple[Path, Trial]] = []
    for table in map(Path, tables):
        trials += [(table.parent, trial) for trial in read_trials(table, split=split)]
    return open_store(trials, cache, sample_rate_hz)
