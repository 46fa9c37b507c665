"""Rows of text files, gzipped or not: separated by commas, tabs, bars or spaces, with a header or without."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glottis.errors import CorpusError

Texts = NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns of text of one length.

    Attributes:
        path: Where they come from.
        names: The header's names, or empty where the file has no header.
        columns: One array ``(n,)`` for each column, in order.
        first_line: The line of the first row, from 1.
    """

    path: Path
    names: tuple[str, ...]
    columns: tuple[Texts, ...]
    first_line: int

    def __len__(self) -> int:
        return len(self.columns[0])

    def find(self, wanted: Sequence[str]) -> Texts | None:
        """The first column whose name is one of `wanted`, whatever the case, or None."""
        known = [name.strip().lower() for name in self.names]
        return next((self.columns[known.index(name)] for name in wanted if name in known), None)

    def numbers(self, column: Texts, what: str) -> NDArray[np.float64]:
        """A column as numbers.

        Raises:
            CorpusError: A field is no number (``not_scores``); the message names the line.
        """
        try:
            return column.astype(np.float64)
        except ValueError:
            row = next(i for i, text in enumerate(column.tolist()) if not is_number(text))
            raise CorpusError(
                f"{self.where(row)}: the {what} {str(column[row])!r} is no number",
                code="not_scores",
                hint="mend the line, or name the right column",
            ) from None

    def where(self, row: int) -> str:
        """The file and the line of a row, for messages."""
        return f"{self.path}, line {row + self.first_line}"


def read_text(path: str | Path) -> str:
    """A text file in UTF-8, gzipped or not.

    Raises:
        CorpusError: It is missing or no text (``unreadable``), or empty (``empty``).
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: cannot be read as text: {error}", code="unreadable", hint="see its path") from error
    if not text.strip() or "\x00" in text:
        said, code = ("is empty", "empty") if not text.strip() else ("is no text", "unreadable")
        raise CorpusError(f"{path}: {said}", code=code, hint="give a score file or a protocol")
    return text


def read_table(path: str | Path, *, header: Sequence[str] = ()) -> Table:
    """Read all rows.

    Args:
        path: The file.
        header: Names, in lower case, of which a header has at least one; a first line with none, or with a number, is a
            row.

    Raises:
        CorpusError: As `read_text`, or rows have different numbers of fields (``bad_row``); the message names a line.
    """
    path = Path(path)
    rows = _split(read_text(path), path)
    names: tuple[str, ...] = ()
    if {field.strip().lower() for field in rows[0]} & set(header) and not any(map(is_number, rows[0])):
        names, rows = tuple(field.strip() for field in rows[0]), rows[1:]
    if not rows:
        raise CorpusError(f"{path}: has a header and no row", code="empty", hint="give a file with trials")
    width = len(names or rows[0])
    first = 2 if names else 1
    for line, row in enumerate(rows, first):
        if len(row) != width:
            raise CorpusError(
                f"{path}, line {line}: {len(row)} fields where others have {width}",
                code="bad_row",
                hint="each line must have the same fields",
            )
    columns = tuple(np.array(column, dtype=np.str_) for column in zip(*rows, strict=True))
    return Table(path, names, columns, first)


def _split(text: str, path: Path) -> list[list[str]]:
    first = text.lstrip().partition("\n")[0]
    for separator in (",", "\t", "|"):
        if separator in first:
            try:
                found = csv.reader(
                    io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True
                )
                return [row for row in found if row]
            except csv.Error as error:
                raise CorpusError(f"{path}: {error}", code="unreadable", hint="mend the quotes") from error
    return [fields for line in text.splitlines() if (fields := line.split())]


def is_number(text: str) -> bool:
    """Whether it reads as a float; NaN does."""
    try:
        float(text)
    except ValueError:
        return False
    return True
