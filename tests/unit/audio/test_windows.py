"""The laws of the windower."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glottis.audio import Windower


def cut(samples, window, hop, chunks):
    windower = Windower(window, hop)
    windows, at, index = [], 0, 0
    while at < len(samples):
        size = chunks[index % len(chunks)]
        windows += windower.push(samples[at : at + size])
        at, index = at + size, index + 1
    windows += windower.finish()
    assert windower.total_samples == len(samples)
    return windows


sizes = st.integers(1, 40).flatmap(lambda window: st.tuples(st.just(window), st.integers(1, window)))


@given(sizes, st.integers(0, 150), st.lists(st.integers(1, 60), min_size=1, max_size=5))
def test_windows_hold_every_sample_and_do_not_depend_on_the_chunks(size, count, chunks):
    window, hop = size
    samples = np.arange(count, dtype=np.float32)
    windows = cut(samples, window, hop, chunks)
    whole = cut(samples, window, hop, [max(count, 1)])
    assert [start for start, _ in windows] == [start for start, _ in whole]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(windows, whole, strict=True))
    if not count:
        assert windows == []
        return
    assert all(len(held) == window for _, held in windows)
    if count < window:
        assert len(windows) == 1
        assert np.array_equal(windows[0][1], np.resize(samples, window))
        return
    starts = [start for start, _ in windows]
    assert starts == sorted(set(starts))
    assert starts[:-1] == [index * hop for index in range(len(starts) - 1)]
    assert starts[-1] == count - window
    assert all(np.array_equal(held, samples[start : start + window]) for start, held in windows)


def test_memory_is_bounded():
    windower = Windower(100, 50)
    for _ in range(1_000):
        windower.push(np.zeros(37, np.float32))
        assert sum(len(piece) for piece in windower._pieces) < 300


def test_wrong_use_is_refused():
    for window, hop in [(0, 0), (5, 6), (5, 0)]:
        with pytest.raises(ValueError, match="hop must be"):
            Windower(window, hop)
    with pytest.raises(ValueError, match="must be"):
        Windower(4, 2).push(np.zeros((2, 2), np.float32))
    windower = Windower(4, 2)
    windower.finish()
    with pytest.raises(ValueError, match="after finish"):
        windower.push(np.zeros(3, np.float32))
