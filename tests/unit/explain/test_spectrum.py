"""Cells: they share out the samples, and a replaced one leaves the others alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glottis.errors import ConfigError
from glottis.explain.spectrum import FILLS, Canvas, Grid
from glottis.testing import noise, tone
from tolerances import CLOSED_FORM

RATE_HZ = 16_000


def band_db(samples, start_s, end_s, low_hz, high_hz):
    part = samples[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    hz = np.fft.rfftfreq(len(part), 1 / RATE_HZ)
    return 10 * np.log10(power[(hz >= low_hz) & (hz < high_hz)].sum() + 1e-20)


def test_cells_are_of_equal_size_and_cover_everything():
    grid = Grid.of(4.0, RATE_HZ)
    assert grid.shape == (8, 10)
    assert grid.edges_s == pytest.approx([0.4 * i for i in range(11)])
    assert grid.edges_hz == pytest.approx([1000 * i for i in range(9)])


def test_bands_follow_the_rate():
    assert Grid.of(1.0, 8_000).shape == (4, 2)
    assert Grid.of(1.0, 8_000, bands=3).edges_hz[-1] == 4000


@pytest.mark.parametrize("changes", [{"bands": 0}, {"bands": 65}, {"step_s": 0.01}, {"step_s": float("nan")}])
def test_impossible_cells_are_refused(changes):
    with pytest.raises(ConfigError):
        Grid.of(4.0, RATE_HZ, **changes)


def test_too_many_columns_are_refused():
    with pytest.raises(ConfigError, match="over 200 columns"):
        Grid.of(60.0, RATE_HZ, step_s=0.1)


@settings(max_examples=20, deadline=None)
@given(
    count=st.integers(1, 20_000),
    rate_hz=st.sampled_from([4_000, 8_000, 11_025, 16_000, 48_000]),
    bands=st.integers(1, 10),
)
def test_the_parts_of_all_cells_sum_to_the_samples(count, rate_hz, bands):
    samples = noise(1.0, count, seed=count)
    grid = Grid.of(count / rate_hz, rate_hz, bands=bands)
    canvas = Canvas(samples, rate_hz, grid)
    whole = np.ones(grid.shape, bool)
    some = np.random.default_rng(count).random(grid.shape) < 0.5
    np.testing.assert_allclose(canvas.part(whole), samples, atol=CLOSED_FORM)
    np.testing.assert_allclose(canvas.part(some) + canvas.part(~some), samples, atol=CLOSED_FORM)


@pytest.mark.parametrize("fill", FILLS)
def test_nothing_chosen_changes_nothing(speech, fill):
    grid = Grid.of(2.0, RATE_HZ)
    np.testing.assert_array_equal(Canvas(speech, RATE_HZ, grid, fill=fill).without(np.zeros(grid.shape, bool)), speech)


def test_a_replaced_cell_is_gone_and_its_neighbours_are_not(speech):
    grid = Grid.of(2.0, RATE_HZ)
    chosen = np.zeros(grid.shape, bool)
    chosen[2, 2] = True
    edited = Canvas(speech, RATE_HZ, grid, fill="stop").without(chosen)
    assert band_db(edited, 0.9, 1.1, 2300, 2700) < band_db(speech, 0.9, 1.1, 2300, 2700) - 40
    for start_s, low_hz in ((0.5, 2300), (1.3, 2300), (0.9, 1300), (0.9, 3300)):
        where = (start_s, start_s + 0.2, low_hz, low_hz + 400)
        assert band_db(edited, *where) == pytest.approx(band_db(speech, *where), abs=0.5)
    np.testing.assert_array_equal(edited[: round(0.6 * RATE_HZ)], speech[: round(0.6 * RATE_HZ)])


def test_the_background_is_as_loud_as_the_quiet_moments_of_its_own_band():
    hiss = noise(4.0, seed=1, level=0.01)
    loud = hiss.copy()
    loud[RATE_HZ : 2 * RATE_HZ] += tone(2500, 1.0, level=0.5)
    grid = Grid.of(4.0, RATE_HZ)
    edited = Canvas(loud, RATE_HZ, grid).without(np.ones(grid.shape, bool))
    assert band_db(edited, 1.1, 1.9, 2000, 3000) == pytest.approx(band_db(hiss, 1.1, 1.9, 2000, 3000), abs=3)


def test_the_level_fill_keeps_the_energy_and_takes_the_tone():
    samples = tone(2500, 4.0, level=0.5) + noise(4.0, level=0.001)
    grid = Grid.of(4.0, RATE_HZ)
    edited = Canvas(samples, RATE_HZ, grid, fill="level").without(np.ones(grid.shape, bool))
    assert band_db(edited, 1, 3, 1500, 3500) == pytest.approx(band_db(samples, 1, 3, 1500, 3500), abs=2)
    assert band_db(edited, 1, 3, 2498, 2502) < band_db(samples, 1, 3, 2498, 2502) - 10


def test_equal_seeds_give_equal_noise(speech):
    grid = Grid.of(2.0, RATE_HZ)
    canvas, everything = Canvas(speech, RATE_HZ, grid, fill="level"), np.ones(grid.shape, bool)
    first = canvas.without(everything, 1)
    assert not np.array_equal(canvas.without(everything, 2), first)
    np.testing.assert_array_equal(canvas.without(everything, 1), first)


def test_energies_are_where_the_sound_is():
    samples = np.zeros(2 * RATE_HZ, np.float32)
    samples[round(0.8 * RATE_HZ) : round(1.2 * RATE_HZ)] = tone(3500, 0.4)
    energies = Canvas(samples, RATE_HZ, Grid.of(2.0, RATE_HZ)).energies
    assert np.unravel_index(energies.argmax(), energies.shape) == (3, 2)
    assert energies[3, 2] > 0.9 * energies.sum()


def test_an_unknown_fill_is_refused(speech):
    with pytest.raises(ConfigError, match="unknown fill 'zero'"):
        Canvas(speech, RATE_HZ, Grid.of(2.0, RATE_HZ), fill="zero")
