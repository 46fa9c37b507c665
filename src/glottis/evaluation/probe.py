"""A linear probe: what a logistic regression on kept embeddings says of trials that it was not fitted on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glottis.calibration.regression import Floats, RegressionTrials, fit_rising
from glottis.corpora import Embeddings
from glottis.errors import ConfigError, CorpusError
from glottis.evaluation.calibrate import check_fit_split
from glottis.evaluation.protocols import Protocol
from glottis.evaluation.scores import ScoreFile

PULL = 1e-2
"""How strongly weights are drawn to 0, against a mean loss in nats; features have deviation 1."""


def probe(  # noqa: PLR0917 (what is fitted, on what, and what is scored)
    embeddings: Embeddings, root: Path, fitted: Protocol, scored: Protocol, layer: int | None = None, pull: float = PULL
) -> ScoreFile:
    """Scores of some trials by a logistic regression on the mean embeddings of others.

    Args:
        embeddings: Of both, by the paths of their files under `root`.
        root: The folder of the table of trials.
        fitted: The trials to learn from.
        scored: The trials to score; none of them is learned from.
        layer: Which of the kept layers, by default the last.
        pull: See `PULL`.

    Returns:
        Log odds, in nats, with the classes taken for equally frequent: higher is more bona fide.

    Raises:
        CorpusError: A trial has no embedding, a class is missing, or `fitted` is of a split that judges (``held_out``).
        ConfigError: A trial is in both, or there is no such layer.
    """
    check_fit_split(fitted.name, fitted.columns)
    both = sorted(set(fitted.trials.tolist()) & set(scored.trials.tolist()))
    if both:
        raise ConfigError(
            f"{len(both)} trials are both learned from and scored, first {both[0]!r}",
            code="setting",
            hint="--fit split=train --where split=dev",
        )
    learned, wanted = (_features(embeddings, root, one, layer) for one in (fitted, scored))
    mean, spread = learned.mean(axis=0), np.maximum(learned.std(axis=0), 1e-6)
    weights = _fit((learned - mean) / spread, fitted.bonafide, pull)
    scores = np.column_stack([(wanted - mean) / spread, np.ones(len(wanted))]) @ weights
    return ScoreFile(embeddings.folder.name, scored.trials, np.asarray(scores, np.float64))


def shared_groups(fitted: Protocol, scored: Protocol, column: str = "source") -> list[str]:
    """The sources that stand on both sides, so that the figures flatter."""
    sides = [set(one.columns.get(column, np.array([], np.str_)).tolist()) for one in (fitted, scored)]
    return sorted(sides[0] & sides[1] - {""})


def _features(embeddings: Embeddings, root: Path, trials: Protocol, layer: int | None) -> Floats:
    places = embeddings.places(str(root / name) for name in trials.trials.tolist())
    layers = len(embeddings.row(0))
    if layer is not None and not 0 <= layer < layers:
        raise ConfigError(f"there is no layer {layer}", code="setting", hint=f"those kept are 0 to {layers - 1}")
    chosen = layers - 1 if layer is None else layer
    return np.stack([embeddings.row(int(place))[chosen].mean(axis=0, dtype=np.float64) for place in places])


def _fit(features: Floats, bonafide: NDArray[np.bool_], pull: float) -> Floats:
    """The weights of the features ``(n, d)`` and the offset, ``(d + 1,)``; both classes count the same."""
    for label, one in (("bonafide", bonafide), ("spoof", ~bonafide)):
        if not one.any():
            raise CorpusError(f"no {label} trial to learn from", code="empty_class", hint="choose others: --fit")
    order = np.argsort(~bonafide, kind="stable")
    ordered = np.column_stack([features, np.ones(len(features))])[order]
    count = int(bonafide.sum())
    trials = RegressionTrials.of(ordered[:count, 0], ordered[count:, 0], 0.5)
    return fit_rising(trials, ordered, np.diag([pull] * features.shape[1] + [0.0]), slopes=0, least=0.0)
