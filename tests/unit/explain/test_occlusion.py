"""Occlusion finds the one cell that a model hears."""

from __future__ import annotations

import numpy as np
import pytest

from glottis.explain.occlusion import occlude, only
from glottis.explain.spectrum import FILLS, Canvas, Grid

RATE_HZ = 16_000


@pytest.mark.parametrize("fill", ["background", "stop"])
def test_the_cell_that_is_heard_weighs_the_most(speech, listener, fill):
    grid = Grid.of(2.0, RATE_HZ)
    scorer = listener(0.8, 1.2, 4000, 5000)
    whole = scorer.score(speech[None])[0]
    effects = whole - occlude(scorer, Canvas(speech, RATE_HZ, grid, fill=fill))
    assert effects.shape == grid.shape
    assert np.unravel_index(effects.argmin(), effects.shape) == (4, 2)
    assert effects[4, 2] < 0.5 * whole
    others = np.abs(effects[~only((4, 2), grid.shape)])
    assert others.max() < 0.1 * abs(effects[4, 2])


def test_the_model_is_asked_once_for_each_cell(speech, listener):
    grid = Grid.of(2.0, RATE_HZ, step_s=0.5, bands=5)
    scorer, ticks = listener(0, 1, 0, 8000), []
    occlude(scorer, Canvas(speech, RATE_HZ, grid), on_cell=lambda: ticks.append(1))
    assert scorer.asked == len(ticks) == 20


def test_a_short_recording_is_edited_before_it_is_repeated(speech, listener):
    """Else a copy of the cell would stay."""
    short = speech[:RATE_HZ]
    scorer = listener(1.0, 2.0, 2000, 3000)
    grid = Grid.of(1.0, RATE_HZ, step_s=1.0)
    whole = scorer.score(np.resize(short, 2 * RATE_HZ)[None])[0]
    effects = whole - occlude(scorer, Canvas(short, RATE_HZ, grid, fill="stop"))
    assert effects[2, 0] == pytest.approx(whole, rel=0.1)


@pytest.mark.parametrize("fill", FILLS)
def test_it_says_the_same_again(speech, listener, fill):
    scorer = listener(0.4, 1.2, 1000, 5000)
    grid = Grid.of(2.0, RATE_HZ)
    first = occlude(scorer, Canvas(speech, RATE_HZ, grid, fill=fill))
    np.testing.assert_array_equal(occlude(scorer, Canvas(speech, RATE_HZ, grid, fill=fill)), first)
