from __future__ import annotations

import re

import pytest

from glottis.cli.table import COLOURS, Table
from glottis.verdict import Decision, Failed, Notice


class Screen:
    """An output of a given width; None is no terminal."""

    def __init__(self, columns=None, *, colour=False, blocks=True):
        self.is_terminal = columns is not None
        self.colour = colour
        self._blocks = blocks

    def can_say(self, _text):
        return self._blocks


@pytest.fixture
def table(monkeypatch):
    def make(columns=None, *, timeline=False, **settings):
        monkeypatch.setenv("COLUMNS", str(columns or 80))
        return Table(Screen(columns, **settings), timeline=timeline)

    return make


@pytest.fixture
def verdict_of(detector):
    return detector.verdict_of


def test_columns_stand_below_their_names(table, verdict_of):
    shown = table()
    head = shown.head().rstrip("\n")
    for decision in ("bonafide", "spoof", "inconclusive", "no_speech"):
        row = shown.line(verdict_of("a.wav", decision, reasons=())).rstrip("\n")
        assert row.startswith(f"{decision:<12}  ")
        assert row.index("a.wav") == head.index("recording")
        assert row[head.index("llr") + 2] in "0-"


def test_a_failure_has_its_reason_and_its_hint_and_the_name_once(table):
    row = table().line(Failed("a.wav", "missing", "a.wav: no such file", "check the path"))
    assert row.split() == ["failed", "-", "-", "-", "a.wav", "no", "such", "file;", "check", "the", "path"]


def test_incomplete_comes_first_in_the_notes(table, verdict_of):
    verdict = verdict_of("a.wav", "inconclusive", complete=False, warnings=(Notice("cut", "cut off"),))
    assert table().line(verdict).rstrip().endswith("a.wav  incomplete; only 2.5 s of speech; cut off")


@pytest.mark.parametrize(("columns", "bar"), [(None, False), (60, False), (72, True), (200, True)])
def test_a_bar_where_there_is_room(columns, bar, table, verdict_of):
    assert ("█████████▌" in table(columns).line(verdict_of("a.wav", "spoof"))) is bar


@pytest.mark.parametrize(
    ("p_spoof", "bar"), [(0.0, ""), (0.06, "▋"), (0.5, "█████"), (0.999, "██████████"), (1.0, "██████████")]
)
def test_the_bar_is_p_spoof(p_spoof, bar, table, verdict_of):
    row = table(100).line(verdict_of("a.wav", "bonafide", p_spoof=p_spoof))
    assert re.search(r"\d\.\d{3}  (.{10})  ", row).group(1).rstrip() == bar


def test_a_bar_without_blocks(table, verdict_of):
    assert "##########" in table(100, blocks=False).line(verdict_of("a.wav", "spoof"))


def test_long_notes_get_a_line_of_their_own_on_a_terminal(table, verdict_of):
    verdict = verdict_of("a.wav", "spoof", reasons=(Notice("short", "x" * 60),))
    assert table(80).line(verdict).count("\n") == 2
    assert table(200).line(verdict).count("\n") == 1
    assert table(None).line(verdict).count("\n") == 1


@pytest.mark.parametrize("decision", [*Decision, "failed"])
def test_each_verdict_has_a_colour(decision, table, verdict_of):
    result = Failed("a", "x", "y", "") if decision == "failed" else verdict_of("a.wav", str(decision))
    assert str(decision) in COLOURS
    assert "\x1b[" in table(100, colour=True).line(result)
    assert "\x1b[" not in table(100).line(result)


def test_names_move_no_cursor(table, verdict_of):
    verdict = verdict_of("\x1b[2Jx\ny\u202e\udcff", "spoof", reasons=(Notice("x", "a\rb"),))
    row = table().line(verdict)
    assert "\\x1b[2Jx\\ny\\u202e\\xff" in row
    assert "a\\rb" in row
    assert row.rstrip("\n").isprintable()


def test_the_time_line_stands_below_its_row(table, verdict_of):
    shown = table(timeline=True)
    assert "like a person" in shown.head()
    lines = shown.line(verdict_of("a.wav", "spoof")).splitlines()
    assert lines[1:] == ["     0:00.0 ▆. 0:04.0", "            spoof 0:00.0 to 0:02.0  llr -3.00"]
