"""Embeddings of clips or of their words, computed once: a folder of arrays that are read as they are needed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis._files import replace_file
from glottis.errors import ConfigError, CorpusError

FACTS = "embeddings.json"
SHARD_ROWS = 256
"""Rows of one file: what a cut costs at most."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Embeddings:
    """What an encoder made of each clip, float32, memory-mapped.

    Attributes:
        folder: Where they lie.
        names: Of the clips, in order; the path of each recording as its table and its row give it.
        how: What made them: the encoder, its window, what was kept.
        shards: Arrays ``(rows, layers, frames, d)``: the mean over time of every layer (one frame each), or all frames
            of one layer.
    """

    folder: Path
    names: tuple[str, ...]
    how: Mapping[str, Any]
    shards: tuple[Floats, ...]

    def __len__(self) -> int:
        return len(self.names)

    def row(self, index: int) -> Floats:
        """One clip's, ``(layers, frames, d)``."""
        return np.asarray(self.shards[index // SHARD_ROWS][index % SHARD_ROWS])

    def places(self, names: Iterable[str]) -> NDArray[np.int64]:
        """The row of each of these clips.

        Raises:
            CorpusError: One has none (``not_embedded``).
        """
        where = {name: place for place, name in enumerate(self.names)}
        wanted = list(names)
        missing = [name for name in wanted if name not in where]
        if missing:
            raise CorpusError(
                f"{self.folder}: {len(missing)} of {len(wanted)} clips have no embedding, first {missing[0]!r}",
                code="not_embedded",
                hint=f"glottis embed makes them; it holds {self.names[0]!r} and {len(self) - 1} more",
            )
        return np.array([where[name] for name in wanted], np.int64)


def keep_embeddings(
    folder: Path,
    names: Sequence[str],
    how: Mapping[str, Any],
    make: Callable[[Sequence[int]], Iterator[Floats]],
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Embeddings:
    """Make and keep the embeddings that are not there yet; a folder that was cut is gone on with.

    Args:
        folder: Where they go.
        names: Of the clips.
        how: What makes them, JSON-able; a folder of others is refused.
        make: From the numbers of clips to their embeddings ``(layers, frames, d)``, one by one in that order.
        progress: Called with the clips that are done, and how many there are.

    Raises:
        ConfigError: The folder holds other embeddings (``other_embeddings``).
    """
    _claim(folder, {"schema": 1, **how, "names": list(names)})
    starts = range(0, len(names), SHARD_ROWS)
    left = [start for start in starts if not _shard(folder, start).exists()]
    todo = [i for start in left for i in range(start, min(start + SHARD_ROWS, len(names)))]
    done = len(names) - len(todo)
    progress(done, len(names))
    rows: list[Floats] = []
    for i, row in zip(todo, make(todo), strict=True):
        rows.append(row)
        done += 1
        if i + 1 == len(names) or (i + 1) % SHARD_ROWS == 0:
            _save(_shard(folder, i // SHARD_ROWS * SHARD_ROWS), np.stack(rows))
            rows.clear()
        progress(done, len(names))
    return open_embeddings(folder)


def open_embeddings(folder: str | Path) -> Embeddings:
    """Open a folder that `glottis embed` made.

    Raises:
        CorpusError: It is none, or not whole (``no_embeddings``).
    """
    folder = Path(folder)
    facts = _facts(folder)
    names = tuple(facts.pop("names", ()))
    files = [_shard(folder, start) for start in range(0, len(names), SHARD_ROWS)]
    missing = sum(not file.exists() for file in files)
    if missing or not names:
        raise CorpusError(
            f"{folder}: {missing} of {len(files)} files are missing",
            code="no_embeddings",
            hint="the same glottis embed goes on where it was cut",
        )
    return Embeddings(folder, names, facts, tuple(np.load(file, mmap_mode="r") for file in files))


def _facts(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"{folder}: holds no embeddings: {error}", code="no_embeddings", hint="glottis embed makes them"
        ) from error
    if not isinstance(found, dict) or found.get("schema") != 1:
        raise CorpusError(f"{folder}: holds no embeddings", code="no_embeddings", hint="glottis embed makes them")
    return found


def _claim(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write what the folder is for, or refuse one that is for something else."""
    if (folder / FACTS).exists():
        have = _facts(folder)
        other = [name for name in facts if have.get(name) != facts[name]]
        if other:
            raise ConfigError(
                f"{folder} holds other embeddings: {other[0]} differs",
                code="other_embeddings",
                hint="choose another folder, or remove this one",
            )
        return
    replace_file(folder / FACTS, (json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode())


def _shard(folder: Path, start: int) -> Path:
    return folder / f"{start:08d}.npy"


def _save(file: Path, rows: Floats) -> None:
    part = file.with_suffix(".part")
    with part.open("wb") as out:
        np.save(out, rows.astype(np.float32, copy=False))
    part.replace(file)
