"""Scores of all the kinds that a metric meets, for tests that compare it with another implementation."""

from __future__ import annotations

import numpy as np

_RNG = np.random.default_rng(17)
_BONAFIDE, _SPOOF = _RNG.normal(1, 1, 83), _RNG.normal(0, 1.5, 211)

INPUTS = {
    "random": (_BONAFIDE, _SPOOF),
    "tied": (np.round(_BONAFIDE), np.round(_SPOOF)),
    "few ties": (np.round(_BONAFIDE, 1), np.round(_SPOOF, 1)),
    "constant": (np.zeros(5), np.zeros(7)),
    "one each, right": (np.array([1.0]), np.array([0.0])),
    "one each, wrong": (np.array([-1.0]), np.array([0.5])),
    "one each, tied": (np.array([0.5]), np.array([0.5])),
    "separated": (_BONAFIDE + 20, _SPOOF),
    "inverted": (_BONAFIDE - 20, _SPOOF),
    "huge": (_BONAFIDE * 1e300, _SPOOF * 1e300),
    "tiny": (_BONAFIDE * 1e-300, _SPOOF * 1e-300),
    "huge and tiny": (_BONAFIDE * 10.0 ** _RNG.integers(-300, 300, 83), _SPOOF * 10.0 ** _RNG.integers(-300, 300, 211)),
}
"""Bona fide and spoof scores by the name of their kind."""


def labelled(bonafide: np.ndarray, spoof: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1 for bona fide and 0 for spoof, and the scores: as scikit-learn takes them."""
    return np.repeat([1, 0], [bonafide.size, spoof.size]), np.concatenate([bonafide, spoof])
