from __future__ import annotations

import pytest

from glottis.cli.timeline import clock, draw_timeline
from glottis.verdict import Window


@pytest.fixture
def drawn(detector):
    def draw(llrs, *, width=80, blocks=True, colour=False, score=1.0):
        windows = tuple(Window(2.0 * i, 2.0 * i + 2, score, llr, 1.0) for i, llr in enumerate(llrs))
        verdict = detector.verdict_of("a.wav", "bonafide", windows=windows)
        return list(draw_timeline(verdict, width=width, blocks=blocks, colour=colour))

    return draw


def test_taller_is_more_like_a_machine(drawn):
    assert drawn([9.0, 0.1, -9.0]) == ["   0:00.0 ▁▄█ 0:06.0"]
    assert drawn([9.0, 0.1, -9.0], blocks=False) == ["   0:00.0 148 0:06.0"]


def test_not_scored_and_not_calibrated(drawn):
    assert drawn([None], score=None) == ["   0:00.0 . 0:02.0"]
    assert drawn([None]) == ["   0:00.0 ? 0:02.0"]
    assert drawn([]) == []


def test_rows_have_their_times(drawn):
    rows = drawn([0.0] * 100, width=64)
    assert [row.split()[0] for row in rows] == ["0:00.0", "1:20.0", "2:40.0"]
    assert rows[-1].endswith(" 3:20.0")


def test_a_long_recording_keeps_its_worst_window(drawn):
    llrs = [6.0] * 20_000
    llrs[12_345] = -6.0
    rows = drawn(llrs, width=64)
    assert len(rows) <= 8
    assert sum(row.count("█") for row in rows) == 1


def test_colour_follows_the_thresholds(drawn):
    (row,) = drawn([3.0, 0.0, -3.0], colour=True)
    assert [row.index(code) for code in ("\x1b[32m", "\x1b[33m", "\x1b[31m")] == sorted(
        row.index(code) for code in ("\x1b[32m", "\x1b[33m", "\x1b[31m")
    )


def test_segments(detector):
    lines = list(draw_timeline(detector.verdict_of("a", "spoof"), width=80, blocks=True, colour=False))
    assert lines[-1].strip() == "spoof 0:00.0 to 0:02.0  llr -3.00"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.0"), (59.96, "1:00.0"), (61.24, "1:01.2"), (3600, "1:00:00.0"), (36_061, "10:01:01.0")],
)
def test_clock(seconds, text):
    assert clock(seconds) == text
