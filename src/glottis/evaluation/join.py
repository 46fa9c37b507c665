"""Scores and protocol, joined trial by trial; what does not fit is refused, or said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from glottis.errors import CorpusError, CoverageError
from glottis.evaluation.protocols import Protocol
from glottis.evaluation.scores import ScoreFile
from glottis.evaluation.tables import Texts
from glottis.metrics import auc

AUDIO_ENDINGS = (".flac", ".wav", ".mp3", ".ogg", ".opus", ".m4a")
_NAMED = 3
_CHANCE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """One item for each trial that has a label and a score.

    Attributes:
        name: Of the system.
        protocol: Of the test.
        trials: Their names, ``(n,)``.
        scores: Higher is more bona fide, ``(n,)``.
        bonafide: ``(n,)``.
        columns: Further facts by name, ``(n,)`` each.
        coverage: The share of the protocol's trials that have a score, 0 to 1.
        notices: What did not fit and was left out, in words.
    """

    name: str
    protocol: str
    trials: Texts
    scores: NDArray[np.float64]
    bonafide: NDArray[np.bool_]
    columns: Mapping[str, Texts]
    coverage: float
    notices: tuple[str, ...] = ()

    @property
    def by_class(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The scores of bona fide and of spoof trials."""
        return self.scores[self.bonafide], self.scores[~self.bonafide]


def join(scores: ScoreFile, protocol: Protocol, *, coverage_floor: float = 1.0) -> Trials:
    """Join by the names of the trials.

    Where no name fits, audio endings are left off, and then folders, if what is left is still unique.

    Args:
        scores: Of one system.
        protocol: Of the test.
        coverage_floor: The least share of the protocol's trials that must have a score, 0 to 1.

    Raises:
        CorpusError: A trial has two scores (``doubled_trials``), a score is not finite (``not_finite``), or no trial
            fits (``no_common_trial``).
        CoverageError: Fewer trials than the floor have a score.
    """
    _check_scores(scores)
    keys, wanted = _keys(scores.trials, protocol.trials)
    where = {key: i for i, key in enumerate(keys)}
    places = np.array([where.get(key, -1) for key in wanted], dtype=np.intp)
    found = places >= 0
    if not found.any():
        raise CorpusError(
            f"{scores.name} and {protocol.name} have no trial in common: {str(scores.trials[0])!r}, "
            f"{str(protocol.trials[0])!r}",
            code="no_common_trial",
            hint="do they belong to one test?",
        )
    notices = _notices(scores, protocol, places)
    coverage = float(found.mean())
    if coverage < coverage_floor:
        raise CoverageError(
            f"{scores.name}: {notices[0]}: a coverage of {coverage:.2%}, under the floor of {coverage_floor:.2%}",
            hint="score the missing trials, or lower the floor (--coverage) and report it",
        )
    joined = Trials(
        name=scores.name,
        protocol=protocol.name,
        trials=protocol.trials[found],
        scores=scores.scores[places[found]],
        bonafide=protocol.bonafide[found],
        columns={
            **{name: values[places[found]] for name, values in scores.facts.items()},
            **{name: values[found] for name, values in protocol.columns.items()},
        },
        coverage=coverage,
    )
    return _with_notices(joined, notices)


def shared(systems: Sequence[Trials]) -> list[Trials]:
    """Of each system the trials that all of them scored, with a notice of how many were left out.

    Args:
        systems: On one protocol, at least one.

    Raises:
        CorpusError: There are none (``no_common_trial``).
    """
    common = set(systems[0].trials.tolist()).intersection(*(one.trials.tolist() for one in systems))
    if not common:
        raise CorpusError(
            f"{' and '.join(one.name for one in systems)} have no trial in common",
            code="no_common_trial",
            hint="score the same trials with each",
        )
    return [_only(one, np.array([trial in common for trial in one.trials.tolist()])) for one in systems]


def _only(one: Trials, kept: NDArray[np.bool_]) -> Trials:
    if kept.all():
        return one
    return replace(
        one,
        trials=one.trials[kept],
        scores=one.scores[kept],
        bonafide=one.bonafide[kept],
        columns={name: values[kept] for name, values in one.columns.items()},
        coverage=one.coverage * float(kept.mean()),
        notices=(*one.notices, f"{(~kept).sum()} trials are left out: another system has no score of them"),
    )


def _check_scores(scores: ScoreFile) -> None:
    names, counts = np.unique(scores.trials, return_counts=True)
    if names.size < scores.trials.size:
        again = names[counts > 1]
        raise CorpusError(
            f"{scores.name}: {again.size} trials have more than one score, first {_first(again.tolist())}",
            code="doubled_trials",
            hint="was the file written twice? keep one score for each trial",
        )
    bad = np.flatnonzero(~np.isfinite(scores.scores))
    if bad.size:
        raise CorpusError(
            f"{scores.name}: {bad.size} scores are not finite, first {_first(scores.trials[bad].tolist())}",
            code="not_finite",
            hint="mend the detector, or leave these trials out and report the coverage",
        )


def _keys(scored: Texts, wanted: Texts) -> tuple[list[str], list[str]]:
    have, want = scored.tolist(), wanted.tolist()
    for simpler in (str, _without_ending, _bare):
        left, right = [simpler(name) for name in have], [simpler(name) for name in want]
        unique = len(set(left)) == len(left) and len(set(right)) == len(right)
        if unique and not set(left).isdisjoint(right):
            return left, right
    return have, want


def _without_ending(name: str) -> str:
    for ending in AUDIO_ENDINGS:
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def _bare(name: str) -> str:
    return _without_ending(PurePosixPath(name.replace("\\", "/")).name)


def _notices(scores: ScoreFile, protocol: Protocol, places: NDArray[np.intp]) -> list[str]:
    found = []
    missing = protocol.trials[places < 0]
    if missing.size:
        why = f" ({len(scores.unscored)} of them were scanned and got none)" if scores.unscored else ""
        found.append(
            f"{missing.size} of {protocol.trials.size} trials have no score{why}, first {_first(missing.tolist())}"
        )
    used = np.zeros(scores.trials.size, np.bool_)
    used[places[places >= 0]] = True
    if not used.all():
        extra = scores.trials[~used]
        found.append(f"{extra.size} scores belong to no trial of the protocol, first {_first(extra.tolist())}")
    return found


def _with_notices(joined: Trials, notices: Sequence[str]) -> Trials:
    said = list(notices)
    real, fake = joined.by_class
    if real.size and fake.size and auc(real, fake) < _CHANCE:
        said.append("spoof trials score higher than bona fide ones (AUC under one half): is the sign flipped?")
    return replace(joined, notices=tuple(said))


def _first(names: Sequence[str]) -> str:
    return ", ".join(repr(str(name)) for name in names[:_NAMED])
