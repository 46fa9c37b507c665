"""What a recording can be, the bounds on untrusted input, and the one gate that judges samples."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import tempfile
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from glottis.errors import InputError

MIN_RATE_HZ = 4_000
MAX_RATE_HZ = 192_000
_LOUDEST = 2.0**31
_HEAD_BYTES = 4096
_PLAYLISTS = (b"#EXTM3U", b"ffconcat version", b"[playlist]", b"v=0\r", b"v=0\n", b"<?xml", b"<MPD", b"<smil")
_INDEX_ELSEWHERE = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_LENGTH_IN_HEAD = (b"caff", b"Xing", b"Info", b"VBRI")


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds on untrusted input.

    Attributes:
        max_duration_s: Seconds of decoded sound after which reading stops.
        max_channels: More channels than this are refused.
        max_spool_bytes: The most of a stream without seeking that is kept in a temporary file, for formats
            whose index may stand at the end.
    """

    max_duration_s: float = 12 * 3600.0
    max_channels: int = 8
    max_spool_bytes: int = 4 * 2**30


@dataclass(frozen=True, eq=False)
class PCM:
    """Samples with a rate, as a recording.

    Attributes:
        samples: Shape ``(n,)`` or ``(n, channels)``; floats with full scale at 1, or integers with full scale
            at the end of their type.
        sample_rate_hz: 4,000 to 192,000.
    """

    samples: NDArray[Any]
    sample_rate_hz: int


Recording = str | os.PathLike[str] | bytes | BinaryIO | PCM
"""A path, the bytes of a file, an open binary file, or samples with a rate."""


def name_of(recording: Recording) -> str:
    """A name to show: the path as given, ``<bytes>``, ``<samples>``, a file object's name or ``<stream>``.

    Bytes of a path that are no UTF-8 are shown as escapes, so that the name can always be printed.
    """
    if isinstance(recording, PCM):
        return "<samples>"
    if isinstance(recording, (bytes, bytearray, memoryview)):
        return "<bytes>"
    if not isinstance(recording, (str, os.PathLike)):
        recording = getattr(recording, "name", "<stream>")
        if not isinstance(recording, (str, bytes)):
            return "<stream>"
    name = os.fsdecode(recording)
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def gate(samples: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """The same samples, if each is a number that later sums can hold.

    Raises:
        InputError: ``not_finite``.
    """
    if samples.size and not max(samples.max(), -samples.min()) <= _LOUDEST:
        raise InputError(
            f"{name}: samples must be finite numbers, and some are NaN, infinite or beyond {_LOUDEST:g}",
            code="not_finite",
            hint="write the file again from its original, with full scale at 1.0",
        )
    return samples


def check_rate(rate_hz: int, name: str) -> int:
    """The same rate, if it is one that Glottis reads.

    Raises:
        InputError: ``bad_rate``.
    """
    try:
        fits = int(rate_hz) == rate_hz and MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ
    except (TypeError, ValueError, OverflowError):
        fits = False
    if not fits:
        raise InputError(
            f"{name}: the sample rate must be whole, {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz, and is {rate_hz!r:.20}",
            code="bad_rate",
            hint="convert the recording to 16000 Hz",
        )
    return int(rate_hz)


def check_channels(channels: int, name: str, limits: Limits) -> int:
    """The same number of channels, if it is within the limit.

    Raises:
        InputError: ``too_many_channels`` or ``no_samples``.
    """
    if channels < 1:
        raise InputError(f"{name}: has no channels", code="no_samples", hint="check how it was made")
    if channels > limits.max_channels:
        raise InputError(
            f"{name}: at most {limits.max_channels} channels are read, and it has {channels}",
            code="too_many_channels",
            hint="samples are (n,) or (n, channels); of a file, extract the channels that hold speech",
        )
    return channels


def to_float(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Samples of any PCM type as float32 with full scale at 1.

    Raises:
        TypeError: The type holds no samples.
    """
    kind = samples.dtype
    if kind == np.float32:
        return np.asarray(samples, np.float32)
    if kind.kind == "f":
        with np.errstate(over="ignore"):
            return samples.astype(np.float32)
    if kind == np.uint8:
        return (samples.astype(np.float32) - np.float32(128)) * np.float32(1 / 128)
    if kind.kind == "i":
        return samples.astype(np.float32) * np.float32(2.0 ** (1 - 8 * kind.itemsize))
    raise TypeError(f"no samples: {kind}")


class ByteSource:
    """One open file for the decoder, and the only thing that it may read.

    Args:
        recording: Anything but PCM.
        limits: For how much may be kept of a stream without seeking.

    Raises:
        InputError: ``missing``, ``directory``, ``unreadable``, ``empty`` or ``forbidden_format``.
    """

    def __init__(self, recording: Recording, limits: Limits) -> None:
        self.name = name_of(recording)
        self.was_cut = False
        self._owned = contextlib.ExitStack()
        try:
            self._file = self._open(recording)
            self._seekable = _can_seek(self._file)
            self._start = self._file.tell() if self._seekable else 0
            self.head = _read_head(self._file)
            if self._seekable:
                self._file.seek(self._start)
            elif self.head[4:8] in _INDEX_ELSEWHERE or any(mark in self.head for mark in _LENGTH_IN_HEAD):
                self._spool(limits)
            self._check_head()
        except OSError as error:
            self.close()
            raise _unreadable(self.name, error) from error
        except BaseException:
            self.close()
            raise
        self._pending = b"" if self._seekable else self.head
        self._streamed = 0
        self._last = (b"", b"")

    def _open(self, recording: Recording) -> BinaryIO:
        if isinstance(recording, (bytes, bytearray, memoryview)):
            return io.BytesIO(recording)
        if not isinstance(recording, (str, os.PathLike)):
            if not callable(getattr(recording, "read", None)):
                raise InputError(
                    f"a recording must be a path, bytes, a binary file object or PCM, got {type(recording).__name__}",
                    code="not_audio",
                    hint="samples with a rate are PCM(samples, sample_rate_hz)",
                )
            return recording  # type: ignore[return-value]  # PCM does not come here
        try:
            if os.path.isdir(recording):  # noqa: PTH112 (a Path turns "" into ".", and a name may be bytes)
                raise IsADirectoryError(errno.EISDIR, "Is a directory")
            return self._owned.enter_context(open(recording, "rb"))  # noqa: PTH123
        except ValueError as error:
            raise InputError(f"{self.name}: no such file", code="missing", hint="check the path") from error

    def _spool(self, limits: Limits) -> None:
        spool = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the source)
        self._owned.callback(spool.close)
        spool.write(self.head)
        left = limits.max_spool_bytes - len(self.head)
        while left > 0 and (piece := self._file.read(min(left, 2**20))):
            spool.write(piece)
            left -= len(piece)
        self.was_cut = left <= 0
        spool.seek(0)
        self._file, self._seekable, self._start = spool, True, 0

    def _check_head(self) -> None:
        if not self.head:
            raise InputError(f"{self.name}: the file is empty", code="empty", hint="copy it again from its source")
        text = self.head.lstrip(b"\xef\xbb\xbf \t\r\n")
        if text.startswith(_PLAYLISTS):
            raise InputError(
                f"{self.name}: is a playlist, which names other files, and is never followed",
                code="forbidden_format",
                hint="scan the files that it names",
            )

    def seekable(self) -> bool:
        """Whether the decoder may go back."""
        return self._seekable

    def readable(self) -> bool:
        """Always; the decoder asks."""
        return True

    def read(self, count: int = -1) -> bytes:
        """The next bytes, from the head that was looked at, then from the file."""
        if self._pending:
            piece, self._pending = self._pending[:count], self._pending[count:]
        else:
            piece = self._file.read(count) or b""
        if not self._seekable and piece:
            self._streamed += len(piece)
            self._last = (self._last[1], piece)
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move; the recording begins where the file object stood when it was given."""
        if whence == os.SEEK_SET:
            return self._file.seek(offset + self._start) - self._start
        return self._file.seek(offset, whence) - self._start

    def end(self, count: int) -> tuple[int, bytes]:
        """Once all was read: the size in bytes, and at most the last `count` of them."""
        if not self._seekable:
            return self._streamed, b"".join(self._last)[-count:]
        here = self.tell()
        size = self.seek(0, os.SEEK_END)
        self.seek(max(size - count, 0))
        tail = self.read(count)
        self.seek(here)
        return size, tail

    def tell(self) -> int:
        """Where the next read begins."""
        return self._file.tell() - self._start

    def close(self) -> None:
        """Close what was opened here; a file object that was given stays open."""
        self._owned.close()


def _can_seek(file: BinaryIO) -> bool:
    try:
        return bool(file.seekable())
    except AttributeError:
        return False


def _read_head(file: BinaryIO) -> bytes:
    head = b""
    while len(head) < _HEAD_BYTES and (piece := file.read(_HEAD_BYTES - len(head))):
        if not isinstance(piece, bytes):
            raise InputError("a file object must be open in binary mode", code="unreadable", hint="open(path, 'rb')")
        head += piece
    return head


def _unreadable(name: str, error: OSError) -> InputError:
    if isinstance(error, IsADirectoryError):
        return InputError(f"{name}: is a directory", code="directory", hint="glottis scan -r scans what is inside")
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return InputError(f"{name}: no such file", code="missing", hint="check the path")
    return InputError(f"{name}: cannot be read: {error.strerror or error}", code="unreadable", hint="check its rights")
