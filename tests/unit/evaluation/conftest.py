from __future__ import annotations

import numpy as np
import pytest

from glottis.evaluation import AsvScores, Trials


def made_trials(name="mine", *, n=120, seed=0, apart=2.0):
    """Trials of three attacks, six speakers and a length each."""
    rng = np.random.default_rng(seed)
    bonafide = np.arange(n) % 2 == 0
    attack = np.where(bonafide, "", np.array([f"A0{k % 3}" for k in range(n)]))
    speaker = np.array([f"S{k // 4 % 6}" for k in range(n)])
    seconds = np.array([f"{x:.3f}" for x in np.random.default_rng(1).uniform(1, 9, n)])
    return Trials(
        name=name,
        protocol="test",
        trials=np.array([f"T{k:03d}" for k in range(n)]),
        scores=rng.normal(np.where(bonafide, apart / 2, -apart / 2), 1.0),
        bonafide=bonafide,
        columns={"attack": attack.astype(np.str_), "speaker": speaker, "duration_s": seconds},
        coverage=1.0,
    )


@pytest.fixture
def trials():
    return made_trials()


@pytest.fixture
def asv():
    rng = np.random.default_rng(3)
    attacks = np.array(["A00", "A01", "A02"] * 30)
    return AsvScores(rng.normal(2, 1, 90), rng.normal(-2, 1, 90), rng.normal(1, 1, 90), attacks)


@pytest.fixture
def made():
    return made_trials
