from __future__ import annotations

import pytest

from glottis.detector.segments import spoof_segments
from glottis.verdict import Segment, Window


def timeline(*llrs, hop_s=1.0, length_s=1.0):
    return [
        Window(place * hop_s, place * hop_s + length_s, llr, llr, 1.0 if llr is not None else 0.0)
        for place, llr in enumerate(llrs)
    ]


def test_neighbours_are_joined_and_their_llr_is_the_mean():
    found = spoof_segments(timeline(-2, -4, 1, -1, 0), -1)
    assert found == (Segment(0, 2, -3), Segment(3, 4, -1))


def test_a_window_without_a_score_ends_a_segment():
    assert spoof_segments(timeline(-2, None, -4), -1) == (Segment(0, 1, -2), Segment(2, 3, -4))


def test_segments_never_overlap():
    found = spoof_segments(timeline(-2, 3, -4, 3, 3, 3, -2, hop_s=1, length_s=3), -1)
    assert found == (Segment(0, 5, -3), Segment(6, 9, -2))


def test_windows_that_touch_stay_apart_when_another_lies_over_both():
    assert spoof_segments(timeline(-2, 3, -4, hop_s=1, length_s=2), -1) == (Segment(0, 2, -2), Segment(2, 4, -4))


@pytest.mark.parametrize("windows", [[], timeline(5, 5), timeline(None, None)])
def test_nothing_stands_out(windows):
    assert spoof_segments(windows, -1) == ()
