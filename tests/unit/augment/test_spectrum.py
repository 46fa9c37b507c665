import numpy as np
import pytest

from glottis.augment._spectrum import convolve_head, filter_by, good_size, resample


def is_smooth(number):
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number == 1


def test_good_sizes_are_the_smallest_smooth_ones():
    for wanted in range(1, 700):
        smallest = next(size for size in range(wanted, 2 * wanted + 1) if is_smooth(size))
        assert good_size(wanted) == smallest


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(16_000, 8_000), (8_000, 16_000), (16_000, 22_050), (48_000, 16_000), (44_100, 8_000)]
)
def test_resampling_keeps_a_tone_in_its_place(from_hz, to_hz):
    seconds = 0.5
    there = np.sin(2 * np.pi * 440 * np.arange(int(from_hz * seconds)) / from_hz).astype(np.float32)
    wanted = np.sin(2 * np.pi * 440 * np.arange(int(to_hz * seconds)) / to_hz)
    got = resample(there, from_hz, to_hz)
    assert got.dtype == np.float32
    assert got.size == wanted.size
    inner = slice(to_hz // 20, -to_hz // 20)
    np.testing.assert_allclose(got[inner], wanted[inner], atol=2e-3)


@pytest.mark.parametrize("count", [1, 2, 3, 1_001, 7_919])
def test_resampled_length_is_rounded_up(count):
    assert resample(np.ones(count, dtype=np.float32), 16_000, 22_050).size == -(-count * 441 // 320)


def test_convolution_is_the_textbook_one():
    rng = np.random.default_rng(0)
    samples, response = rng.standard_normal(301).astype(np.float32), rng.standard_normal(77).astype(np.float32)
    np.testing.assert_allclose(convolve_head(samples, response), np.convolve(samples, response)[:301], atol=1e-4)


def test_filter_of_ones_changes_nothing():
    samples = np.random.default_rng(0).standard_normal(997).astype(np.float32)
    np.testing.assert_allclose(filter_by(samples, 16_000, np.ones_like), samples, atol=1e-5)
