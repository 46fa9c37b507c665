"""Stdout: whole lines, flushed one by one, whoever reads and whatever the encoding."""

from __future__ import annotations

import errno
import os
import sys
from typing import BinaryIO

from glottis.cli.exits import StdoutGoneError
from glottis.cli.text import encodable
from glottis.errors import ConfigError


class Output:
    """Where results go.

    A closed stdout is no error: a script may want the exit code alone.

    Attributes:
        is_terminal: Whether a person looks on.
        colour: Whether to use colour: on a terminal, unless ``NO_COLOR`` is set or the terminal is dumb.
    """

    def __init__(self) -> None:
        self._encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        self._file: BinaryIO | None = getattr(sys.stdout, "buffer", None)
        self.is_terminal = is_terminal(sys.stdout)
        self.colour = self.is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def can_say(self, text: str) -> bool:
        """Whether the encoding of stdout has all of these characters."""
        return encodable(text, self._encoding) == text

    def write(self, text: str) -> None:
        """Text for people, with what the encoding cannot say as escapes; flushed.

        Raises:
            StdoutGoneError: Nobody reads any more.
            ConfigError: It cannot be written, as on a full disk.
        """
        self._put(text.encode(self._encoding, "backslashreplace"))

    def write_data(self, text: str) -> None:
        """Text for programs, always UTF-8; flushed. Raises as `write`."""
        self._put(text.encode("utf-8", "backslashreplace"))

    def _put(self, data: bytes) -> None:
        if self._file is None:
            return
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            if error.errno in (errno.EPIPE, errno.EINVAL):
                raise StdoutGoneError from error
            raise ConfigError(
                f"stdout cannot be written: {error.strerror}", code="stdout", hint="send the results elsewhere"
            ) from error


def is_terminal(stream: object) -> bool:
    """Whether a stream is a terminal; one that is closed or missing is none."""
    try:
        return bool(stream.isatty())  # type: ignore[attr-defined]
    except (AttributeError, ValueError):
        return False
