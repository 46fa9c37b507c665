"""The plain words."""

from __future__ import annotations

import pytest

from glottis.explain import Cell, Check
from glottis.explain.words import describe, said_of


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (Cell(1.2, 1.6, 2000, 4000, -2.0, -1.3, marked=True), "speaks for spoof, 1.30 of llr (marked)"),
        (Cell(1.2, 1.6, 2000, 4000, 2.0, 1.3, marked=False), "speaks for a person, 1.30 of llr"),
        (Cell(1.2, 1.6, 2000, 4000, 2.0, None, marked=False), "speaks for a person, 2.00 of score"),
    ],
)
def test_a_cell_is_told_with_place_side_and_weight(cell, said):
    assert describe(cell) == f"1.2 to 1.6 s, 2.0 to 4.0 kHz: {said}"


def test_short_cells_are_told_more_finely():
    assert describe(Cell(1.25, 1.3, 0, 500, 1, 1, marked=False)).startswith("1.25 to 1.30 s, 0.0 to 0.5 kHz")


def test_the_check_is_told_with_its_figures():
    said = said_of(Check("llr", 8, 80, 0.1, 2.1, (0.2, 0.6), passed=True), "spoof")
    assert said == (
        "check: deleting the 8 marked cells of 80 moves the llr by 2.10 towards a person, as many random ones by 0.40"
        " (2 draws, at most 0.60): passed"
    )


def test_a_check_that_fails_warns():
    said = said_of(Check("score", 1, 10, 0.1, -0.1, (0.2, 0.6), passed=False), "person")
    assert "deleting the marked cell of 10 moves the score by 0.10 towards a person" in said
    assert said.endswith("NOT PASSED, do not rely on what is marked")
