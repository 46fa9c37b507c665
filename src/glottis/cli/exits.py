"""From errors to exit codes, in one table."""

from __future__ import annotations

import os
import sys
import traceback

import click

from glottis.cli.text import printable
from glottis.errors import (
    BundleError,
    ConfigError,
    CorpusError,
    CoverageError,
    GlottisError,
    InputError,
    MissingExtra,
    RecipeError,
    ServiceError,
)

DONE = 0
OUR_BUG = 1
WRONG_USE = 2
UNREADABLE = 3
FAIL_ON = 4
UNCOVERED = 5
INTERRUPTED = 130

EXIT_CODES: dict[type[BaseException], int] = {
    InputError: UNREADABLE,
    BundleError: WRONG_USE,
    CorpusError: WRONG_USE,
    CoverageError: UNCOVERED,
    RecipeError: WRONG_USE,
    ConfigError: WRONG_USE,
    MissingExtra: WRONG_USE,
    MemoryError: WRONG_USE,
    ServiceError: WRONG_USE,
    click.ClickException: WRONG_USE,
    click.Abort: INTERRUPTED,
    KeyboardInterrupt: INTERRUPTED,
}
"""Anything that is not here is a bug of ours."""


class StdoutGoneError(Exception):
    """Nobody reads stdout any more; no error of the user's, and none of ours."""


def code_of(error: BaseException) -> int:
    """The exit code of an error."""
    for kind in type(error).__mro__:
        if kind in EXIT_CODES:
            return EXIT_CODES[kind]
    return DONE if isinstance(error, StdoutGoneError) else OUR_BUG


def cause_of(error: BaseException) -> BaseException:
    """The error, or the Ctrl-C in the middle of an import of which it came."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, KeyboardInterrupt):
            return seen
        seen = seen.__cause__ or seen.__context__
    return error


def show_error(error: BaseException) -> None:
    """Say on stderr what was wrong and what to do."""
    if isinstance(error, StdoutGoneError):
        return
    if isinstance(error, click.ClickException):
        error.show()
    elif isinstance(error, (click.Abort, KeyboardInterrupt)):
        say("interrupted")
    elif isinstance(error, GlottisError):
        say(f"error: {error.message}")
        if error.hint:
            say(f"  hint: {error.hint}")
    elif isinstance(error, MemoryError):
        say("error: there is not enough memory")
        say("  hint: --threads 1 needs the least")
    elif os.environ.get("GLOTTIS_TRACEBACK"):
        say("".join(traceback.format_exception(error)), escape=False)
    else:
        say(f"error: a bug of Glottis: {type(error).__name__}: {error}")
        say("  hint: please report it, with what GLOTTIS_TRACEBACK=1 shows")


def say(text: str, *, escape: bool = True) -> None:
    """One line on stderr, whatever its encoding, and whether or not somebody reads."""
    try:
        click.echo(printable(text) if escape else text, err=True)
    except UnicodeEncodeError:
        click.echo(text.encode("ascii", "backslashreplace").decode(), err=True)
    except OSError:
        pass


def flush_or_drop() -> bool:
    """Flush stdout and stderr; what nobody reads is dropped. False if something was."""
    read_on = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            read_on = False
    return read_on
