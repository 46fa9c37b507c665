"""Known holes of FFmpeg that a recording can reach, with the first version that has the fix.

The list is short on purpose: each is in code that Glottis runs, and its first fixed version is stated by the CVE
record. It is not complete; only the newest FFmpeg is free of all that is known.
"""

from __future__ import annotations

from dataclasses import dataclass

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Hole:
    """One hole: its name, what it is, and the first release of FFmpeg without it."""

    cve: str
    what: str
    fixed: Version


HOLES = (
    Hole("CVE-2026-40962", "libavformat/mov.c (mp4, m4a, mov) writes out of bounds", (8, 1)),
    Hole("CVE-2024-7272", "libswresample overflows its heap", (5, 1, 6)),
)

_RELEASES: tuple[tuple[tuple[int, int], Version], ...] = (
    ((62, 12), (8, 1)),
    ((62, 3), (8, 0)),
    ((61, 7), (7, 1)),
    ((61, 1), (7, 0)),
    ((60, 16), (6, 1)),
    ((60, 3), (6, 0)),
    ((59, 27), (5, 1)),
    ((59, 16), (5, 0)),
)
"""From libavformat's major and minor version to the release that brought it."""


def holes_of(release: Version) -> list[Hole]:
    """The known holes of a release, such as ``(7, 1, 1)``."""
    return [hole for hole in HOLES if release < hole.fixed]


def release_of(text: str | None, avformat: tuple[int, ...]) -> Version | None:
    """The release of FFmpeg, from its own words where they are numbers, else from libavformat's version.

    Args:
        text: What FFmpeg says, such as ``8.1.2``, ``n7.1-3-g0123abc``, ``git-2025-...``, or None.
        avformat: The version of libavformat: major, minor, micro.

    Returns:
        The numbers, or None when even libavformat is older than all that are known.
    """
    words = (text or "").removeprefix("n").split("-")[0].split("+")[0].split(".")
    if len(words) > 1 and all(word.isascii() and word.isdecimal() for word in words):
        return tuple(int(word) for word in words)
    for least, release in _RELEASES:
        if avformat[:2] >= least:
            return release
    return None
