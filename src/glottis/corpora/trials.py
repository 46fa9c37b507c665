"""Trials: one labelled recording a row of a corpus's table."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from glottis.errors import CorpusError
from glottis.verdict import Label

REQUIRED = ("file", "label", "source", "system", "kind", "duration_s")
"""Columns that a table must have."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One labelled recording with its facts; an empty fact is unknown.

    Attributes:
        file: Path under the corpus's root, with forward slashes.
        label: What it truly is.
        source: The origin whose clips share a recording chain.
        system: The generator as its page names it.
        kind: human, tts, vc, vocoder, codec or other.
        speaker: Whose voice.
        language: Its code.
        duration_s: Length in seconds.
        utterance: Pairs recordings of one sentence inside a source.
        origin: The corpus that the human voice comes from.
        split: train, dev, or empty.
        extra: The table's further columns.
    """

    file: str
    label: Label
    source: str
    system: str
    kind: str
    speaker: str
    language: str
    duration_s: float
    utterance: str
    origin: str
    split: str = ""
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)

    def path(self, root: str | Path) -> Path:
        """Where the recording lies when the corpus lies at `root`."""
        return Path(root) / self.file


def read_trials(path: str | Path, *, split: str | None = None) -> list[Trial]:
    """The trials of a corpus's table, in its order.

    Args:
        path: A CSV file in UTF-8 with a header; see `REQUIRED` for the columns that it must have.
        split: Only this split's trials; the table must then have the column ``split``.

    Raises:
        CorpusError: The table is missing or no CSV (``unreadable``), lacks a column (``missing_column``), has an
            unknown label (``unknown_label``), names a file twice (``doubled_file``) or outside of the corpus
            (``outside``), has a row or a duration that does not fit (``bad_row``), or no trial that is wanted
            (``empty``).
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as table:
            trials = list(_rows(csv.DictReader(table, strict=True), path, wants_split=split is not None))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(
            f"{path}: cannot be read as a table of trials: {error}",
            code="unreadable",
            hint="give the path of a CSV file in UTF-8 with a header",
        ) from error
    wanted = [trial for trial in trials if split is None or trial.split == split]
    if not wanted:
        have = sorted({trial.split for trial in trials})
        raise CorpusError(f"{path}: no trials of split {split!r}", code="empty", hint=f"its splits are {have}")
    return wanted


def _rows(reader: csv.DictReader[str], path: Path, *, wants_split: bool) -> Iterator[Trial]:
    _check_columns(reader.fieldnames or (), path, wants_split=wants_split)
    seen: dict[str, int] = {}
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        trial = _trial(row, where)
        if trial.file in seen:
            raise CorpusError(
                f"{where}: {trial.file!r} stands in line {seen[trial.file]} too",
                code="doubled_file",
                hint="each recording is one trial: remove a row",
            )
        seen[trial.file] = reader.line_num
        yield trial


def _check_columns(columns: Any, path: Path, *, wants_split: bool) -> None:
    wanted = (*REQUIRED, "split") if wants_split else REQUIRED
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise CorpusError(
            f"{path}: no column {', '.join(missing)}",
            code="missing_column",
            hint=f"a table of trials has at least {', '.join(wanted)}; this one has {', '.join(columns) or 'none'}",
        )


def _trial(row: dict[str, str], where: str) -> Trial:
    if None in row or None in row.values():
        raise CorpusError(f"{where}: more or fewer fields than the header", code="bad_row", hint="mend the row")
    known = {name: row.get(name, "") for name in _TEXTS}
    return Trial(
        **known,
        file=_file(row["file"], where),
        label=_label(row["label"], where),
        duration_s=_duration_s(row["duration_s"], where),
        extra={name: value for name, value in row.items() if name not in _FIELDS},
    )


def _file(text: str, where: str) -> str:
    file = PurePosixPath(text)
    if not text or file.is_absolute() or ".." in file.parts:
        raise CorpusError(
            f"{where}: the file {text!r} lies outside of the corpus",
            code="outside",
            hint="give a path relative to the corpus's root",
        )
    return str(file)


def _label(text: str, where: str) -> Label:
    try:
        return Label(text)
    except ValueError:
        raise CorpusError(
            f"{where}: unknown label {text!r}",
            code="unknown_label",
            hint=f"labels are {', '.join(Label)}",
        ) from None


def _duration_s(text: str, where: str) -> float:
    try:
        duration_s = float(text)
    except ValueError:
        duration_s = math.nan
    if not 0.0 < duration_s < math.inf:
        raise CorpusError(f"{where}: duration_s is {text!r}", code="bad_row", hint="it must be seconds, over 0")
    return duration_s


_FIELDS = frozenset(entry.name for entry in fields(Trial))
_TEXTS = _FIELDS - {"file", "label", "duration_s", "extra"}


def pick(trials: Sequence[Trial], most: int | None) -> list[Trial]:
    """At most so many trials: drawn from each source and label in turn, the same ones every time."""
    if most is None or most >= len(trials):
        return list(trials)
    rng = np.random.default_rng(0)
    turn: dict[tuple[str, str], int] = {}
    ranked = []
    for i in rng.permutation(len(trials)).tolist():
        cell = (trials[i].source, trials[i].label)
        turn[cell] = turn.get(cell, 0) + 1
        ranked.append((turn[cell], i))
    kept = {i for _, i in sorted(ranked)[:most]}
    return [trial for i, trial in enumerate(trials) if i in kept]
