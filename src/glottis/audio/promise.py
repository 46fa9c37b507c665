"""How many bytes a file's own header promises, so that a file that was cut is known as such.

FFmpeg quietly fits the length of several formats to the bytes that are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

_Order = Literal["big", "little"]
_UNKNOWN_32 = (0, 2**32 - 1)
_W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
_EBML_SEGMENT = b"\x18\x53\x80\x67"
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_OGG_PAGE = b"OggS"
_OGG_HEADER = 27
_OGG_LAST = 4


def promised_bytes(head: bytes) -> int | None:
    """The least size of the whole file, in bytes, or None where the header says nothing or cannot know.

    Args:
        head: The first kilobytes of the file.
    """
    if head[:4] in (b"RIFF", b"RF64", b"RIFX"):
        return _wave(head)
    if head[:4] == b"riff":
        return _w64(head)
    if head[:4] == b"caff":
        return _caf(head)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _matroska(head)
    if head[:4] == b"\x30\x26\xb2\x75":
        return _asf(head)
    return None


def ogg_ends(tail: bytes) -> bool:
    """Whether the last kilobytes of an Ogg file (128 hold two pages of any size) end with a whole last page."""
    at = tail.rfind(_OGG_PAGE)
    if at < 0 or len(tail) < at + _OGG_HEADER:
        return False
    segments = tail[at + _OGG_HEADER : at + _OGG_HEADER + tail[at + 26]]
    size = _OGG_HEADER + tail[at + 26] + sum(segments)
    return bool(tail[at + 5] & _OGG_LAST) and len(tail) >= at + size


def _wave(head: bytes) -> int | None:
    order: _Order = "big" if head[:4] == b"RIFX" else "little"
    long_size = None
    for name, start, size in _chunks(head, 12, order):
        if name == b"ds64":
            long_size = int.from_bytes(head[start + 8 : start + 16], "little")
        if name == b"data":
            if head[:4] == b"RF64" and size == _UNKNOWN_32[1]:
                return start + long_size if long_size else None
            return None if size in _UNKNOWN_32 else start + size
    return None


def _chunks(head: bytes, start: int, order: _Order) -> Iterator[tuple[bytes, int, int]]:
    while start + 8 <= len(head):
        size = int.from_bytes(head[start + 4 : start + 8], order)
        yield head[start : start + 4], start + 8, size
        start += 8 + size + size % 2


def _w64(head: bytes) -> int | None:
    at = head.find(_W64_DATA)
    if at < 0 or len(head) < at + 24:
        return None
    size = int.from_bytes(head[at + 16 : at + 24], "little")
    return at + size if 24 < size < 2**62 else None  # noqa: PLR2004 (the chunk's own header; beyond all files)


def _caf(head: bytes) -> int | None:
    start = 8
    while start + 12 <= len(head):
        size = int.from_bytes(head[start + 4 : start + 12], "big", signed=True)
        if size < 0:
            return None
        if head[start : start + 4] == b"data":
            return start + 12 + size
        start += 12 + size
    return None


def _matroska(head: bytes) -> int | None:
    at = head.find(_EBML_SEGMENT)
    if at < 0 or len(head) < at + 12 or not head[at + 4]:
        return None
    length = 9 - head[at + 4].bit_length()
    raw = int.from_bytes(head[at + 4 : at + 4 + length], "big")
    most = (1 << (7 * length)) - 1
    size = raw & most
    return None if size in (0, most) else at + 4 + length + size


def _asf(head: bytes) -> int | None:
    at = head.find(_ASF_FILE)
    if at < 0 or len(head) < at + 92:
        return None
    size = int.from_bytes(head[at + 40 : at + 48], "little")
    being_written = head[at + 88] & 1
    return None if being_written or not size else size
