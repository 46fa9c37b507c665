"""Text of others made safe to print."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""The text with everything that could move a cursor, break a line or turn its direction as escapes.

    A newline becomes ``\n``; a byte of a name that is no UTF-8 becomes ``\xff``.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(c: str) -> str:
    if "\udc80" <= c <= "\udcff":
        return f"\\x{ord(c) - 0xDC00:02x}"
    return c.encode("unicode_escape").decode("ascii")


def encodable(text: str, encoding: str | None) -> str:
    """The text with what an encoding cannot say as escapes."""
    encoding = encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
