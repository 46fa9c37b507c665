"""Score files: one score for each trial, in the forms of the challenges, the arenas, and `glottis scan`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glottis.errors import ConfigError, CorpusError
from glottis.evaluation.tables import Texts, read_table, read_text
from glottis.metrics import AsvRates

TRIAL_NAMES = ("trial", "file_name", "filename", "file", "utterance_id", "utt_id", "utt", "id", "source")
SCORE_NAMES = ("score", "cm-score", "cm_score", "llr", "score_bonafide")
SCANNED_FACTS = ("speech_s", "bandwidth_hz")
_LOG = 4
"""Fields of a line ``Output, trial, label, score``, as the PartialSpoof and NII scripts write them."""

_WRITERS: Mapping[str, tuple[str, str]] = {
    "challenge": ("", " "),
    "arena": ("file_name,score\n", ","),
    "asvspoof5": ("filename\tcm-score\n", "\t"),
}
"""Header and separator of each form that can be written."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreFile:
    """The scores of one system.

    Attributes:
        name: Of the system: the file's name without its endings.
        trials: Their names, ``(n,)``.
        scores: Higher is more bona fide, ``(n,)``.
        unscored: Trials that the file names and gives no score, such as recordings without speech.
        facts: What else a scan says of each trial: ``speech_s``, ``bandwidth_hz``; ``(n,)`` each, empty is unknown.
    """

    name: str
    trials: Texts
    scores: NDArray[np.float64]
    unscored: tuple[str, ...] = ()
    facts: Mapping[str, Texts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class AsvScores:
    """A speaker verifier's scores, ``(n,)`` each; `attacks` has one name for each spoof score."""

    target: NDArray[np.float64]
    nontarget: NDArray[np.float64]
    spoof: NDArray[np.float64]
    attacks: Texts

    def rates(self, attack: str | None = None) -> AsvRates:
        """The error rates at the EER threshold, with the spoofs of one attack or of all.

        Raises:
            CorpusError: There is no spoof of that attack.
        """
        spoof = self.spoof if attack is None else self.spoof[self.attacks == attack]
        return AsvRates.of(self.target, self.nontarget, spoof)


@dataclass(frozen=True, slots=True, eq=False)
class SasvScores:
    """Scores of a verifier and of a countermeasure for the same trials, ``(n,)``.

    Attributes:
        name: Of the file.
        asv: The verifier's.
        cm: The countermeasure's.
        kinds: ``target``, ``nontarget`` or ``spoof``.
    """

    name: str
    asv: NDArray[np.float64]
    cm: NDArray[np.float64]
    kinds: Texts


def read_scores(path: str | Path, *, column: str | None = None) -> ScoreFile:
    """Read a score file of any form.

    ``TRIAL score``, with or without columns between (2019: ``TRIAL ATTACK KEY score``), the trial first and the score
    last; a table with a header that names the trial and the score, separated by commas, tabs or bars; lines
    ``Output, TRIAL, label, score``; and the JSON lines of ``glottis scan``, of which the llr is taken, or else the
    score. All may be gzipped.

    Args:
        path: The file.
        column: The header's name of the score, where it is another than `SCORE_NAMES`.

    Raises:
        CorpusError: The file is missing, no text, empty, or a line does not fit; the message names the line.
    """
    path = Path(path)
    if read_text(path).lstrip().startswith("{"):
        return _of_verdicts(path, column)
    table = read_table(path, header=(*SCORE_NAMES, *((column.lower(),) if column else ())))
    trials, scores = table.columns[0], table.columns[-1]
    if table.names:
        named, valued = table.find(TRIAL_NAMES), table.find((column.lower(),) if column else SCORE_NAMES)
        if named is None or valued is None:
            missing = "trial" if named is None else "score"
            wanted = TRIAL_NAMES if named is None else SCORE_NAMES
            raise CorpusError(
                f"{path}: no column for the {missing} among {', '.join(table.names)}",
                code="missing_column",
                hint=f"call it {', '.join(wanted[:4])}, or name it",
            )
        trials, scores = named, valued
    elif column is not None:
        raise CorpusError(f"{path}: has no header with {column!r}", code="missing_column", hint="leave the column out")
    elif len(table.columns) == _LOG and np.all(trials == "Output"):
        trials = table.columns[1]
    return ScoreFile(system_name(path), trials, table.numbers(scores, "score"))


def _of_verdicts(path: Path, column: str | None) -> ScoreFile:
    trials, scores, unscored = [], [], []
    facts: dict[str, list[str]] = {name: [] for name in SCANNED_FACTS}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            one = json.loads(line)
            trial = str(one["source"])
            value = one.get(column) if column else one.get("llr", one.get("score"))
            value = one.get("score") if value is None and column is None else value
            if value is None:
                unscored.append(trial)
                continue
            scores.append(float(value))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise CorpusError(
                f"{path}, line {number}: no verdict of glottis scan",
                code="bad_row",
                hint="write it with --format jsonl",
            ) from None
        trials.append(trial)
        for name, values in facts.items():
            values.append("" if one.get(name) is None else str(one[name]))
    known = {name: np.array(values, dtype=np.str_) for name, values in facts.items() if any(values)}
    names = np.array(trials, dtype=np.str_)
    return ScoreFile(system_name(path), names, np.array(scores, np.float64), tuple(unscored), known)


def scored_by(path: str | Path) -> str | None:
    """The SHA-256 of the bundle that the first verdict of a scan's lines tells; None where nothing does.

    Raises:
        CorpusError: The file is missing, or no text.
    """
    try:
        told = json.loads(read_text(path).lstrip().partition("\n")[0])
        return str(told["bundle"]["sha256"])
    except (ValueError, TypeError, KeyError):
        return None


def write_scores(path: str | Path, file: ScoreFile, *, form: str = "challenge") -> None:
    """Write a score file; scores keep all their digits.

    Args:
        path: Where it goes.
        file: The scores.
        form: ``challenge`` (``TRIAL score``, as ASVspoof 2021 and ADD take it), ``arena`` (``file_name,score``) or
            ``asvspoof5`` (tabs and a header).

    Raises:
        ConfigError: An unknown form.
        CorpusError: A trial's name has the form's separator in it (``bad_row``).
    """
    if form not in _WRITERS:
        raise ConfigError(f"unknown form {form!r}", code="bad_mode", hint=f"one of {', '.join(_WRITERS)}")
    header, separator = _WRITERS[form]
    bad = next((name for name in file.trials.tolist() if separator in name or not name.strip() or "\n" in name), None)
    if bad is not None:
        raise CorpusError(
            f"the trial {bad!r} cannot stand in the form {form}", code="bad_row", hint="choose another form"
        )
    pairs = zip(file.trials.tolist(), file.scores.tolist(), strict=True)
    Path(path).write_text(header + "".join(f"{name}{separator}{score!r}\n" for name, score in pairs), encoding="utf-8")


def read_asv_scores(path: str | Path, *, keys: str | Path | None = None) -> AsvScores:
    """The scores of a speaker verifier.

    Args:
        path: Lines ``ATTACK KIND score`` (ASVspoof 2019), or ``SPEAKER TRIAL score`` (2021) with `keys`.
        keys: The 2021 ``ASV/trial_metadata.txt``: ``SPEAKER TRIAL codec transmission ATTACK KIND trim subset``.

    Raises:
        CorpusError: A line or a kind does not fit, or a trial has no key (``missing_trials``).
    """
    table = read_table(path)
    width = 3
    if len(table.columns) != width:
        raise CorpusError(f"{path}: {len(table.columns)} columns, not 3", code="bad_row", hint="ATTACK KIND score")
    first, second = table.columns[0], table.columns[1]
    attacks, kinds = (first, second) if keys is None else _keyed(first, second, Path(keys))
    scores = table.numbers(table.columns[2], "score")
    unknown = sorted(set(np.unique(kinds).tolist()) - {"target", "nontarget", "spoof"})
    if unknown:
        raise CorpusError(
            f"{path}: unknown kind of ASV trial {unknown[0]!r}",
            code="unknown_label",
            hint="kinds are target, nontarget, spoof; the score file of 2021 needs its keys",
        )
    target, nontarget, spoof = (kinds == kind for kind in ("target", "nontarget", "spoof"))
    return AsvScores(scores[target], scores[nontarget], scores[spoof], attacks[spoof])


def _keyed(speakers: Texts, trials: Texts, keys: Path) -> tuple[Texts, Texts]:
    table = read_table(keys)
    known = {
        (s, t): i for i, (s, t) in enumerate(zip(table.columns[0].tolist(), table.columns[1].tolist(), strict=True))
    }
    wanted = list(zip(speakers.tolist(), trials.tolist(), strict=True))
    missing = [pair for pair in wanted if pair not in known]
    if missing:
        raise CorpusError(
            f"{keys}: no key for {len(missing)} of {len(wanted)} ASV trials, first {' '.join(missing[0])}",
            code="missing_trials",
            hint="give the keys of the same release",
        )
    places = np.array([known[pair] for pair in wanted])
    return table.columns[4][places], table.columns[5][places]


_SASV_KINDS = {1.0: "target", 2.0: "nontarget", 0.0: "spoof"}


def read_sasv_scores(path: str | Path) -> SasvScores | None:
    """A table ``asv_score,cm_score,sasv_label`` (ASVspoof 5, track 2), or None where the file is another.

    Raises:
        CorpusError: A score is no number, or a label is none of 0 (spoof), 1 (target), 2 (nontarget).
    """
    table = read_table(path, header=("sasv_label", *SCORE_NAMES))
    asv, cm, labels = (table.find((name,)) for name in ("asv_score", "cm_score", "sasv_label"))
    if asv is None or cm is None or labels is None:
        return None
    codes = table.numbers(labels, "label")
    for row, code in enumerate(codes.tolist()):
        if code not in _SASV_KINDS:
            raise CorpusError(f"{table.where(row)}: unknown label {code:g}", code="unknown_label", hint="0, 1 or 2")
    kinds = np.array([_SASV_KINDS[code] for code in codes.tolist()], dtype=np.str_)
    return SasvScores(system_name(path), table.numbers(asv, "score"), table.numbers(cm, "score"), kinds)


def system_name(path: str | Path) -> str:
    """A score file's name without folders and endings."""
    name = Path(path).name
    for ending in (".gz", ".txt", ".csv", ".tsv", ".jsonl", ".scores", ".score"):
        name = name.removesuffix(ending)
    return name
