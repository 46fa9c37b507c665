"""From the arguments of a command to recordings, one at a time."""

from __future__ import annotations

import glob
import io
import os
import sys
from collections.abc import Iterator, Sequence
from typing import BinaryIO

SUFFIXES = frozenset(
    {
        *("3g2", "3ga", "3gp", "aac", "aif", "aifc", "aiff", "amr", "asf", "au", "caf", "flac", "m4a", "m4b", "m4v"),
        *("mka", "mkv", "mov", "mp2", "mp3", "mp4", "mpga", "oga", "ogg", "ogv", "opus", "rf64", "snd", "spx"),
        *("w64", "wav", "wave", "webm", "wma", "wmv"),
    }
)
"""What -r takes for a recording, by the end of its name, in any case."""


def recordings(paths: Sequence[str], *, recursive: bool) -> Iterator[str | BinaryIO]:
    """The recordings that the arguments name, in the order of the arguments; found while they are asked for.

    ``-`` is stdin. A pattern that the shell did not expand is expanded, sorted; its ``**`` stands for any folders
    below, without hidden ones and links. With `recursive`, a folder stands for the files below it whose names end
    in one of `SUFFIXES`, sorted folder by folder: only the names of the folders on the way down are held. Hidden
    files and folders are left out, and links to folders below it are not followed. A folder in which nothing is
    found, and one that cannot be listed, stands for itself, so that it fails where its recordings would have stood.
    """
    for path in paths:
        if path == "-":
            yield _stdin()
            continue
        for name in _expanded(path):
            if recursive and os.path.isdir(name):  # noqa: PTH112 (a name may hold bytes that are no UTF-8)
                yield from _below(name)
            else:
                yield name


def _stdin() -> BinaryIO:
    if sys.stdin is not None:
        return sys.stdin.buffer
    closed = io.BytesIO()
    closed.name = "<stdin>"
    return closed


def _expanded(path: str) -> list[str]:
    if not glob.has_magic(path) or os.path.lexists(path):
        return [path]
    pattern = path + f"{os.sep}*" if path == "**" or path.endswith(f"{os.sep}**") else path
    return sorted(set(_matches(pattern)), key=os.fsencode) or [path]


def _matches(pattern: str) -> Iterator[str]:
    """What a pattern names. The standard library's ``**`` follows links, round and round where they make a loop."""
    before, star, after = pattern.partition(f"**{os.sep}")
    if not star or (before and not before.endswith(os.sep)):
        yield from glob.iglob(pattern)  # noqa: PTH207
        return
    for top in glob.iglob(before) if before else [os.curdir]:  # noqa: PTH207
        for folder, below, _ in os.walk(top):
            below[:] = (name for name in below if not name.startswith("."))
            for name in _matches(os.path.join(glob.escape(folder), after)):  # noqa: PTH118
                yield name if before else name.removeprefix(f"{os.curdir}{os.sep}")


def _below(folder: str) -> Iterator[str]:
    found = False
    levels = [iter([folder])]
    while levels:
        path = next(levels[-1], None)
        if path is None:
            levels.pop()
        elif not path.endswith(os.sep) and path is not folder:
            found = True
            yield path
        else:
            try:
                levels.append(iter(_entries(path)))
            except OSError:
                found = True
                yield path
    if not found:
        yield folder


def _entries(folder: str) -> list[str]:
    """The recordings in a folder, and its folders, which end in a separator; sorted."""
    with os.scandir(folder) as entries:
        wanted = [_path(entry) for entry in entries if not entry.name.startswith(".")]
    return sorted(filter(None, wanted), key=os.fsencode)


def _path(entry: os.DirEntry[str]) -> str | None:
    if entry.is_dir(follow_symlinks=False):
        return os.path.join(entry.path, "")  # noqa: PTH118
    _, _, suffix = entry.name.rpartition(".")
    return entry.path if suffix.lower() in SUFFIXES and _is_file(entry) else None


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file() or (entry.is_symlink() and not os.path.exists(entry.path))  # noqa: PTH110
    except OSError:
        return True
