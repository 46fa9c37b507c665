from __future__ import annotations

import errno
import io
import sys

import pytest

from glottis.cli.exits import StdoutGoneError
from glottis.cli.output import Output, is_terminal
from glottis.cli.text import encodable, printable
from glottis.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b é \u4e2d", "a b é \u4e2d"),
        ("two\nlines\t", "two\\nlines\\t"),
        ("\x1b[31m\x07\x7f", "\\x1b[31m\\x07\\x7f"),
        ("\u202e\u2028\u200b", "\\u202e\\u2028\\u200b"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud800", "\\ud800"),
    ],
)
def test_printable(text, shown):
    assert printable(text) == shown
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("encoding", "shown"), [("utf-8", "é\u4e2d"), ("latin-1", "é\\u4e2d"), ("ascii", "\\xe9\\u4e2d"), (None, "é\u4e2d")]
)
def test_encodable(encoding, shown):
    assert encodable("é\u4e2d", encoding) == shown


class Broken(io.BytesIO):
    def __init__(self, number):
        super().__init__()
        self.number = number

    def write(self, _data):
        raise OSError(self.number, "broken")


@pytest.fixture
def stdout(monkeypatch):
    def make(raw, encoding="utf-8"):
        stream = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
        monkeypatch.setattr(sys, "stdout", stream)
        return stream

    return make


def test_text_follows_the_encoding_and_data_is_utf_8(stdout):
    raw = io.BytesIO()
    keep = stdout(raw, "ascii")
    output = Output()
    output.write("é\n")
    output.write_data("é\n")
    assert raw.getvalue() == b"\\xe9\n" + "é\n".encode()
    assert not output.can_say("▏")
    keep.detach()


def test_data_with_half_a_surrogate_is_still_utf_8(stdout):
    raw = io.BytesIO()
    keep = stdout(raw)
    Output().write_data("\udcff\n")
    assert raw.getvalue() == b"\\udcff\n"
    keep.detach()


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.EPIPE, StdoutGoneError), (errno.ENOSPC, ConfigError), (errno.EIO, ConfigError)]
)
def test_what_cannot_be_written(number, kind, stdout):
    keep = stdout(Broken(number))
    with pytest.raises(kind):
        Output().write("x")
    keep.detach()


def test_no_stdout_at_all(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    output = Output()
    output.write("x")
    output.write_data("x")
    assert not output.is_terminal
    assert not output.colour


@pytest.mark.parametrize(
    ("environ", "colour"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour(environ, colour, stdout, monkeypatch):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    keep = stdout(io.BytesIO())
    monkeypatch.setattr("glottis.cli.output.is_terminal", lambda _stream: True)
    assert Output().colour is colour
    keep.detach()


def test_is_terminal():
    closed = io.StringIO()
    closed.close()
    assert not any(is_terminal(stream) for stream in (None, io.StringIO(), closed))
