"""One detector under many conditions: each trial is altered, scanned and kept, so that a run that was cut goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.audio import PCM, Recording
from glottis.corpora import Trial, load_clip
from glottis.errors import ConfigError, CorpusError, InputError
from glottis.evaluation.conditions import CLEAN, Condition
from glottis.evaluation.score_corpus import ScanMany, score_corpus
from glottis.metrics import Interval, bootstrap, challenge_eer, paired_difference
from glottis.verdict import Decision, Label

SCHEMA = 1
RESAMPLES = 500
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Result:
    """A detector under one condition.

    Attributes:
        family: The condition's.
        strength: The condition's.
        at: The condition's.
        n_bonafide: Trials.
        n_spoof: Trials.
        without_score: Trials that had no speech any more, or failed.
        eer: The challenge EER of those with a score, its interval resampled by source; None where a class is missing.
        change: The EER minus that of the same trials when clean, likewise; None for the clean one.
        bonafide_called_spoof: The share of bona fide trials, at the bundle's thresholds.
        spoof_called_bonafide: The share of spoof trials.
        undecided: The share of all trials.
    """

    family: str
    strength: str
    at: float | None
    n_bonafide: int
    n_spoof: int
    without_score: int
    eer: Interval | None
    change: Interval | None
    bonafide_called_spoof: float
    spoof_called_bonafide: float
    undecided: float


def measure(
    scan_many: ScanMany,
    trials: Sequence[Trial],
    root: Path,
    output: Path,
    conditions: Sequence[Condition],
    *,
    bundle_sha256: str,
    sample_rate_hz: int,
    progress: Callable[[int, int, str], None] = lambda _done, _of, _what: None,
) -> list[Result]:
    """Scan every trial under every condition; `output` gets a file of lines for each, as `score_corpus` writes them.

    Args:
        scan_many: The detector.
        trials: The corpus's.
        root: Where their files lie.
        output: A folder; what it holds of the same bundle is kept.
        conditions: The clean one among them.
        bundle_sha256: Of the detector's bundle.
        sample_rate_hz: At which clips are altered.
        progress: Called with the scans that are done, how many there are, and the condition's name.

    Raises:
        ConfigError: `output` is no folder that can be written (``setting``).
        CorpusError: As `score_corpus`; or fewer than two sources (``few_groups``).
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{output}: {error.strerror}", code="setting", hint="choose a folder") from error
    of, results = len(conditions) * len(trials), []
    clean: Mapping[str, dict[str, Any]] = {}
    for number, condition in enumerate(conditions):
        file = output / f"{condition.name}.jsonl"
        score_corpus(
            scan_many,
            trials,
            root,
            file,
            bundle_sha256=bundle_sha256,
            recording=partial(_altered, root=root, condition=condition, rate_hz=sample_rate_hz),
            progress=partial(_tell, progress, number * len(trials), of, condition.name),
        )
        lines = _lines(file)
        clean = lines if condition.family == CLEAN else clean
        results.append(_result(condition, trials, lines, clean))
    return results


def _tell(progress: Callable[[int, int, str], None], before: int, of: int, name: str, done: int, _of: int) -> None:
    progress(before + done, of, name)


def _altered(trial: Trial, root: Path, condition: Condition, rate_hz: int) -> Recording:
    try:
        samples = load_clip(trial.path(root), rate_hz)
    except InputError:
        return trial.path(root)  # the detector will say what is wrong with it
    return PCM(*condition.apply(samples, rate_hz, trial.file, bonafide=trial.label == Label.BONAFIDE))


def _lines(file: Path) -> dict[str, dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        return {line["source"]: line for line in map(json.loads, lines)}


def _result(
    condition: Condition,
    trials: Sequence[Trial],
    lines: Mapping[str, dict[str, Any]],
    clean: Mapping[str, dict[str, Any]],
) -> Result:
    bonafide = np.array([trial.label == Label.BONAFIDE for trial in trials])
    sources = np.array([trial.source for trial in trials])
    found = [lines[trial.file] for trial in trials]
    scores, before = _scores(found), _scores([clean.get(trial.file, {}) for trial in trials])
    calls = np.array([line.get("verdict", "") for line in found])
    scored = np.isfinite(scores)
    both = scored & np.isfinite(before)
    return Result(
        family=condition.family,
        strength=condition.strength,
        at=condition.at,
        n_bonafide=int(bonafide.sum()),
        n_spoof=int((~bonafide).sum()),
        without_score=int((~scored).sum()),
        eer=_eer(scores[scored], bonafide[scored], sources[scored]),
        change=None
        if condition.family == CLEAN
        else _change(scores[both], before[both], bonafide[both], sources[both]),
        bonafide_called_spoof=_share(calls == Decision.SPOOF, bonafide),
        spoof_called_bonafide=_share(calls == Decision.BONAFIDE, ~bonafide),
        undecided=_share(~np.isin(calls, [Decision.SPOOF, Decision.BONAFIDE]), np.ones_like(bonafide)),
    )


def _scores(lines: Sequence[Mapping[str, Any]]) -> Floats:
    return np.array([np.nan if line.get("score") is None else line["score"] for line in lines], np.float64)


def _share(which: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return float(which[among].mean()) if among.any() else 0.0


def _eer(scores: Floats, bonafide: NDArray[np.bool_], sources: NDArray[np.str_]) -> Interval | None:
    try:
        return bootstrap(
            challenge_eer,
            scores[bonafide],
            scores[~bonafide],
            bonafide_groups=sources[bonafide],
            spoof_groups=sources[~bonafide],
            resamples=RESAMPLES,
        )
    except CorpusError as error:
        if error.code == "empty_class":
            return None
        raise


def _change(scores: Floats, before: Floats, bonafide: NDArray[np.bool_], sources: NDArray[np.str_]) -> Interval | None:
    if not before.size or bonafide.all() or not bonafide.any():
        return None
    return paired_difference(challenge_eer, scores, before, bonafide, groups=sources, resamples=RESAMPLES)


def to_dict(results: Sequence[Result], bundle: Mapping[str, Any]) -> dict[str, Any]:
    """Ready for JSON."""
    return {"schema": SCHEMA, "bundle": dict(bundle), "conditions": [asdict(one) for one in results]}
