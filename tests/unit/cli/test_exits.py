from __future__ import annotations

import io
import sys

import click
import pytest

from glottis import errors
from glottis.cli.exits import (
    EXIT_CODES,
    StdoutGoneError,
    cause_of,
    code_of,
    flush_or_drop,
    say,
    show_error,
)

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.GlottisError)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not errors.GlottisError])
def test_every_error_of_glottis_has_an_exit_code(kind):
    assert EXIT_CODES[kind] == code_of(kind("x")) == {errors.InputError: 3, errors.CoverageError: 5}.get(kind, 2)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RuntimeError("x"), 1),
        (errors.GlottisError("a kind that nobody has heard of"), 1),
        (click.UsageError("x"), 2),
        (click.BadParameter("x"), 2),
        (MemoryError(), 2),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (StdoutGoneError(), 0),
    ],
)
def test_codes(error, code):
    assert code_of(error) == code


def test_what_was_wrong_and_what_to_do(capsys):
    show_error(errors.BundleError("x: no such\nbundle", hint="look elsewhere"))
    assert capsys.readouterr() == ("", "error: x: no such\\nbundle\n  hint: look elsewhere\n")


def test_a_bug_shows_a_traceback_only_when_asked(capsys, monkeypatch):
    monkeypatch.delenv("GLOTTIS_TRACEBACK", raising=False)
    show_error(ZeroDivisionError("oops"))
    assert "a bug of Glottis: ZeroDivisionError: oops" in capsys.readouterr().err
    monkeypatch.setenv("GLOTTIS_TRACEBACK", "1")
    show_error(ZeroDivisionError("oops"))
    assert capsys.readouterr().err.strip() == "ZeroDivisionError: oops"


def test_memory_is_no_bug(capsys):
    show_error(MemoryError())
    assert capsys.readouterr().err.startswith("error: there is not enough memory\n")


def test_an_import_that_was_interrupted_is_no_bug():
    interrupt = KeyboardInterrupt()
    failed = ImportError("initialization failed")
    failed.__cause__ = interrupt
    assert cause_of(failed) is interrupt
    plain = ImportError("no such")
    assert cause_of(plain) is plain


def test_stderr_that_cannot_say_it(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, encoding="latin-1", errors="strict"))
    say("\u4e2d")
    sys.stderr.flush()
    assert raw.getvalue() == b"\\u4e2d\n"


class Gone(io.StringIO):
    def flush(self):
        raise BrokenPipeError


def test_flush_or_drop(monkeypatch):
    assert flush_or_drop()
    monkeypatch.setattr(sys, "stdout", Gone())
    assert not flush_or_drop()
    monkeypatch.setattr(sys, "stdout", None)
    assert flush_or_drop()
