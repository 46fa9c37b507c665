"""The check: random deletions are as large, and a wrong explanation fails."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glottis.explain.check import as_many, check, mark
from glottis.explain.occlusion import occlude, only
from glottis.explain.spectrum import Canvas, Grid

RATE_HZ = 16_000


def checked(scorer, samples, marked, **changes):
    canvas = Canvas(samples, RATE_HZ, Grid.of(2.0, RATE_HZ))
    value = float(scorer.score(samples[None])[0])
    fields = {"value": value, "side": -1, "to_unit": lambda scores: scores, "unit": "score"}
    return check(scorer, canvas, marked, **{**fields, **changes})


def test_the_cell_that_is_heard_passes(speech, listener):
    scorer, shape = listener(0.8, 1.2, 4000, 5000), (8, 5)
    found = checked(scorer, speech, only((4, 2), shape))
    assert found.passed
    assert found.marked_move > 5 * found.random_mean
    assert (found.cells, found.of, len(found.random_moves)) == (1, 40, 20)


def test_marks_by_occlusion_pass(speech, listener):
    scorer = listener(0.4, 1.2, 2000, 5000)
    canvas = Canvas(speech, RATE_HZ, Grid.of(2.0, RATE_HZ))
    effects = scorer.score(speech[None])[0] - occlude(scorer, canvas)
    assert checked(scorer, speech, mark(effects, -1)).passed


def test_a_cell_that_is_not_heard_fails(speech, listener):
    found = checked(listener(0.0, 2.0, 4000, 5000), speech, only((1, 2), (8, 5)))
    assert not found.passed
    assert found.marked_move < max(found.random_moves)


def test_a_move_to_the_wrong_side_fails(speech, listener):
    """What is marked as speaking for a person, and spoke for spoof."""
    found = checked(listener(0.8, 1.2, 4000, 5000), speech, only((4, 2), (8, 5)), side=1)
    assert found.marked_move < 0
    assert not found.passed


def test_figures_are_in_the_unit(speech, listener):
    scorer, marked = listener(0.8, 1.2, 4000, 5000), only((4, 2), (8, 5))
    plain = checked(scorer, speech, marked)
    scaled = checked(
        scorer, speech, marked, to_unit=lambda s: 2 * s + 1, value=2 * float(scorer.score(speech[None])[0]) + 1
    )
    assert scaled.marked_move == pytest.approx(2 * plain.marked_move)
    assert scaled.random_moves == pytest.approx([2 * move for move in plain.random_moves])


def test_the_draws_follow_the_seed(speech, listener):
    scorer, marked = listener(0.0, 2.0, 0, 8000), only((4, 2), (8, 5))
    assert checked(scorer, speech, marked, seed=5) == checked(scorer, speech, marked, seed=5)
    assert checked(scorer, speech, marked, seed=5) != checked(scorer, speech, marked, seed=6)


@given(seed=st.integers(0, 2**32 - 1), bands=st.integers(1, 12), columns=st.integers(1, 12), data=st.data())
def test_a_draw_has_as_many_cells_of_each_loudness(seed, bands, columns, data):
    rng = np.random.default_rng(seed)
    energies = rng.exponential(size=(bands, columns))
    marked = np.zeros(bands * columns, bool)
    marked[rng.choice(marked.size, data.draw(st.integers(1, marked.size)), replace=False)] = True
    marked = marked.reshape(energies.shape)
    drawn = as_many(marked, energies, rng)
    ranks = energies.ravel().argsort().argsort() * 3 // energies.size
    for third in range(3):
        assert drawn.ravel()[ranks == third].sum() == marked.ravel()[ranks == third].sum()


@pytest.mark.parametrize(("side", "place"), [(-1, 0), (1, 19)])
def test_a_tenth_is_marked_the_strongest_of_its_side(side, place):
    effects = np.arange(-10.0, 10.0).reshape(4, 5)
    marked = mark(effects, side)
    assert marked.sum() == 2
    assert marked.ravel()[place]


def test_cells_of_the_other_side_are_not_marked():
    effects = np.full((4, 5), -1.0)
    effects[2, 3] = 0.5
    assert mark(effects, 1).sum() == 1
    assert mark(effects, 1)[2, 3]


def test_at_least_one_cell_is_marked():
    assert mark(np.zeros((1, 1)), 1).sum() == 1
