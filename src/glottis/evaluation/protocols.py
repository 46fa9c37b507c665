"""Protocols: which trials there are, what each truly is, and what else is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glottis.errors import CorpusError
from glottis.evaluation.scores import TRIAL_NAMES, system_name
from glottis.evaluation.tables import Table, Texts, read_table

BONAFIDE = frozenset({"bonafide", "bona-fide", "bona_fide", "genuine", "real", "human"})
SPOOF = frozenset({"spoof", "fake", "spoofed", "deepfake"})
LABEL_NAMES = ("label", "key", "cm-label", "class")

LAYOUTS: Mapping[str, tuple[str, ...]] = {
    "asvspoof2019": ("speaker", "trial", "environment", "attack", "key"),
    "asvspoof2021_la": ("speaker", "trial", "codec", "transmission", "attack", "key", "trim", "subset"),
    "asvspoof2021_pa": (
        *("speaker", "trial", "room", "microphone", "distance", "attacker_room", "attacker_microphone"),
        *("device", "attacker_to_talker", "key", "trim", "subset"),
    ),
    "asvspoof2021_df": (
        *("speaker", "trial", "compression", "origin", "attack", "key", "trim", "subset", "vocoder"),
        *("task", "team", "gender", "language"),
    ),
    "asvspoof5": (
        *("speaker", "trial", "gender", "codec", "codec_quality", "codec_seed", "attack_tag", "attack", "key", "other"),
    ),
    "scores2019": ("trial", "attack", "key", "score"),
    "codecfake": ("trial", "key", "code"),
    "add": ("trial", "key"),
}
"""The columns of each layout without a header; their number tells the layouts apart."""

_NOT_FACTS = frozenset({"trial", "key", "score", "code", "other", *LABEL_NAMES})
_UNKNOWN = frozenset({"-", "bonafide"})


@dataclass(frozen=True, slots=True, eq=False)
class Protocol:
    """The trials of one test.

    Attributes:
        name: The file's name.
        trials: Their names, ``(n,)``, each once.
        bonafide: Whether each is bona fide, ``(n,)``.
        columns: Further facts by name, ``(n,)`` each; empty text is unknown.
    """

    name: str
    trials: Texts
    bonafide: NDArray[np.bool_]
    columns: Mapping[str, Texts]

    def where(self, column: str, value: str) -> Protocol:
        """Only the trials whose fact `column` is `value`.

        Raises:
            CorpusError: There is no such column (``missing_column``) or no such trial (``empty``).
        """
        if column not in self.columns:
            have = ", ".join(self.columns) or "none"
            raise CorpusError(f"{self.name}: no column {column!r}", code="missing_column", hint=f"its columns: {have}")
        chosen = self.columns[column] == value
        if not chosen.any():
            have = ", ".join(np.unique(self.columns[column]).tolist()[:12])
            raise CorpusError(
                f"{self.name}: no trial whose {column} is {value!r}", code="empty", hint=f"there are: {have}"
            )
        columns = {name: values[chosen] for name, values in self.columns.items()}
        return Protocol(self.name, self.trials[chosen], self.bonafide[chosen], columns)


def read_protocol(path: str | Path) -> Protocol:
    """Read a protocol of any layout; see `LAYOUTS` and docs/formats.md.

    A table with a header needs a trial and a label, or an attack that is ``a00`` for bona fide (SpoofCeleb).

    Raises:
        CorpusError: The file is missing, no text or empty; no layout has its columns (``unknown_layout``); a label is
            unknown (``unknown_label``); a trial stands twice (``doubled_trials``).
    """
    table = read_table(path, header=(*LABEL_NAMES, "attack"))
    return _named(table) if table.names else _by_layout(table)


def _by_layout(table: Table) -> Protocol:
    for names in LAYOUTS.values():
        if len(names) == len(table.columns):
            return _protocol(table, dict(zip(names, table.columns, strict=True)), "key")
    widths = ", ".join(f"{len(names)} ({name})" for name, names in LAYOUTS.items())
    raise CorpusError(
        f"{table.path}: {len(table.columns)} columns without a header fit no layout",
        code="unknown_layout",
        hint=f"known numbers of columns: {widths}; or a table with the header file_name,label",
    )


def _named(table: Table) -> Protocol:
    columns = {name.lower(): values for name, values in zip(table.names, table.columns, strict=True)}
    trial = next((name for name in TRIAL_NAMES if name in columns), None)
    label = next((name for name in LABEL_NAMES if name in columns), None)
    if trial is None:
        raise CorpusError(
            f"{table.path}: no column for the trial among {', '.join(table.names)}",
            code="missing_column",
            hint=f"call it {', '.join(TRIAL_NAMES[:4])}",
        )
    columns["trial"] = columns.pop(trial)
    if label is None:
        columns["key"] = np.where(columns["attack"] == "a00", "bonafide", "spoof").astype(np.str_)
    return _protocol(table, columns, label or "key")


def _protocol(table: Table, columns: Mapping[str, Texts], label: str) -> Protocol:
    trials = columns["trial"]
    names, first, counts = np.unique(trials, return_index=True, return_counts=True)
    if names.size < trials.size:
        again = names[counts > 1]
        raise CorpusError(
            f"{table.path}: {again.size} trials stand more than once, first {str(again[0])!r} "
            f"(line {int(first[counts > 1][0]) + table.first_line})",
            code="doubled_trials",
            hint="each trial is one line",
        )
    facts = {
        name: np.where(np.isin(values, list(_UNKNOWN)), "", values).astype(np.str_)
        for name, values in columns.items()
        if name not in _NOT_FACTS
    }
    kept = {name: values for name, values in facts.items() if np.any(values != "")}
    return Protocol(system_name(table.path), trials, _bonafide(table, columns[label]), kept)


def _bonafide(table: Table, labels: Texts) -> NDArray[np.bool_]:
    words = np.char.lower(labels)
    bonafide, spoof = np.isin(words, list(BONAFIDE)), np.isin(words, list(SPOOF))
    unknown = np.flatnonzero(~(bonafide | spoof))
    if unknown.size:
        raise CorpusError(
            f"{table.where(int(unknown[0]))}: unknown label {str(labels[unknown[0]])!r}",
            code="unknown_label",
            hint=f"labels are {', '.join(sorted(BONAFIDE | SPOOF))}",
        )
    return np.asarray(bonafide, np.bool_)


def write_protocol(path: str | Path, protocol: Protocol) -> None:
    """Write a protocol as ASVspoof 2019 has it: ``SPEAKER TRIAL ENVIRONMENT ATTACK KEY``, ``-`` for what is unknown.

    Raises:
        CorpusError: A field has a space in it (``bad_row``).
    """
    facts = [protocol.columns.get(name) for name in ("speaker", "environment", "attack")]
    lines = []
    for i, (trial, bonafide) in enumerate(zip(protocol.trials.tolist(), protocol.bonafide.tolist(), strict=True)):
        speaker, environment, attack = ("-" if fact is None else str(fact[i]) or "-" for fact in facts)
        fields = (speaker, trial, environment, attack, "bonafide" if bonafide else "spoof")
        bad = next((field for field in fields if not field or field != "".join(field.split())), None)
        if bad is not None:
            raise CorpusError(f"{bad!r} cannot stand in a protocol: it has a space", code="bad_row", hint="rename it")
        lines.append(" ".join(fields) + "\n")
    Path(path).write_text("".join(lines), encoding="utf-8")
