"""Known holes of FFmpeg that a recording can reach through Glottis, with the releases that have the fix.

The list is short on purpose. Holes in formats, codecs, filters, and protocols that the white lists of
`glottis.audio` keep closed are not in it, nor are those of which no fixed release is known. It is what was known when
it was made (`KNOWN_UNTIL`), and not complete: only the newest FFmpeg has every fix.

Sources: https://ffmpeg.org/security.html and the CVE records.
"""

from __future__ import annotations

from dataclasses import dataclass

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Hole:
    """One hole of FFmpeg.

    Attributes:
        cve: Its name.
        what: What it is.
        fixed: The first release without it on each branch that has a fix, newest first; all later branches have it.
    """

    cve: str
    what: str
    fixed: tuple[Version, ...]


KNOWN_UNTIL = "July 2026"

HOLES = (
    Hole("CVE-2026-40962", "an mp4, m4a or mov file makes it write out of bounds", ((8, 1), (7, 1, 4))),
    Hole("CVE-2024-36617", "a caf file makes an integer overflow", ((7, 0), (6, 1, 2), (5, 1, 5))),
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
    """The listed holes of a release, such as ``(7, 1, 1)``."""
    return [hole for hole in HOLES if not _has_fix(release, hole.fixed)]


def _has_fix(release: Version, fixed: tuple[Version, ...]) -> bool:
    newest, *backports = fixed
    return release >= newest or any(release[:2] == least[:2] and release >= least for least in backports)


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
