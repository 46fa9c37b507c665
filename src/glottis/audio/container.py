"""The seam to FFmpeg: a file object in, planes of float32 out; no error of PyAV leaves it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from glottis.audio.promise import ogg_ends, promised_bytes
from glottis.audio.source import ByteSource, to_float
from glottis.errors import InputError
from glottis.verdict import Notice

FORMATS = (
    "wav,w64,flac,ogg,mp3,mov,mp4,m4a,3gp,3g2,mj2,aac,matroska,webm,amr,aiff,caf,asf,au"  # as av_match_list reads it
)
_CODECS = (
    *("pcm_", "adpcm_", "aac", "amr", "flac", "alac", "mp1", "mp2", "mp3", "opus", "vorbis"),
    *("wma", "gsm", "speex"),
)
_OPTIONS = {
    "format_whitelist": FORMATS,
    "protocol_whitelist": "none",
    "codec_whitelist": ",".join(sorted(name for name in av.codecs_available if name.startswith(_CODECS))),
    "max_streams": "64",
}
"""FFmpeg decodes the first packets of every track when it opens a file: without a list, those of video too."""
_EXACT = ("wav", "w64", "flac", "aiff", "au")
_SLACK = {**dict.fromkeys(_EXACT, (0.0, 0.002)), "caf": (0.0, 0.1), "mov": (0.02, 0.1), "mp3": (0.01, 0.1)}
_GAP_S = 0.5
_GAP_EXACT_S = 0.01
_TAIL_BYTES = 2**17
_MOST_FAILURES = 8
_PROBE_S = 60.0
_SOUND = 1e-3
_LEAST_SAMPLES = 32_768


class Container:
    """One recording inside FFmpeg.

    Attributes:
        codec: FFmpeg's name of the codec of the track that is read.
        complete: False once damage was met.

    Raises:
        InputError: ``not_audio``, ``no_audio_track`` or ``forbidden_format``.
    """

    def __init__(self, source: ByteSource, warnings: list[Notice]) -> None:
        self.complete = True
        self._source = source
        self._warnings = warnings
        self._damaged = 0
        self._lost_s = 0.0
        self._ahead_s: float | None = None
        self._tick_s: float | None = None
        self._container = self._open()
        try:
            track = self._pick_track()
            self._stream = self._container.streams.audio[track]
            self.codec = self._stream.codec_context.codec.canonical_name
            self._check_codec()
            if self.codec == "flac":
                self._stream.codec_context.options = {"err_detect": "crccheck+explode"}
        except BaseException:
            self.close()
            raise

    def _open(self) -> InputContainer:
        try:
            return av.open(
                self._source,
                mode="r",
                container_options=dict(_OPTIONS),
                metadata_errors="replace",
                buffer_size=65_536,
                io_open=_refuse,
            )
        except (av.FFmpegError, ValueError, OSError, UnicodeError) as error:
            hint = "wav, flac, ogg, opus, mp3, m4a, mp4, webm, aac, amr, aiff, caf, wma and au are read"
            if self._source.head[4:8] == b"ftyp":
                hint = "an mp4 keeps its index at the end: where that was cut off, nothing can be read"
            raise InputError(
                f"{self._source.name}: is no sound file that Glottis reads ({_reason(error)})",
                code="not_audio",
                hint=hint,
            ) from error

    def _check_codec(self) -> None:
        if not self.codec.startswith(_CODECS):
            raise InputError(
                f"{self._source.name}: its codec {self.codec} is not read", code="not_audio", hint="convert it to flac"
            )

    def _pick_track(self) -> int:
        """The first audio track with sound; of several the others are named."""
        count = len(self._container.streams.audio)
        if not count:
            raise InputError(
                f"{self._source.name}: has no audio track", code="no_audio_track", hint="check how it was made"
            )
        if count == 1:
            return 0
        picked = self._first_with_sound(count) if self._source.seekable() else 0
        others = ", ".join(str(track) for track in range(count) if track != picked)
        self._warnings.append(Notice("other_tracks", f"audio track {picked} is read, not track {others}", picked))
        return picked

    def _first_with_sound(self, count: int) -> int:
        picked = 0
        for track in range(count):
            if self._sounds(track):
                picked = track
                break
        self._reopen()
        return picked

    def _sounds(self, track: int) -> bool:
        self._reopen()
        read_s = 0.0
        try:
            for frame in self._container.decode(self._container.streams.audio[track]):
                read_s += frame.samples / max(frame.sample_rate, 1)
                if np.abs(_planes([frame])).max(initial=0.0) > _SOUND:
                    return True
                if read_s > _PROBE_S:
                    return False
        except (av.FFmpegError, ValueError, OSError):
            return False
        return False

    def _reopen(self) -> None:
        self._container.close()
        self._source.seek(0)
        self._container = self._open()

    def frames(self) -> Iterator[tuple[NDArray[np.float32], int]]:
        """Planes ``(channels, n)``, of frames joined as long as they are alike, and their rate.

        What is damaged is noted and left out.
        """
        held: list[AudioFrame] = []
        held_samples = 0
        for frame in self._frames():
            if held and (held_samples >= _LEAST_SAMPLES or not _alike(held[0], frame)):
                yield _planes(held), held[0].sample_rate
                held, held_samples = [], 0
            held.append(frame)
            held_samples += frame.samples
        if held:
            yield _planes(held), held[0].sample_rate

    def _frames(self) -> Iterator[AudioFrame]:
        promised_s = self._promised_s()
        self._tick_s = float(self._stream.time_base) if self._stream.time_base else None
        read_s = 0.0
        for packet in self._packets(self._stream):
            for frame in self._decode(packet):
                if frame.samples and frame.sample_rate:
                    self._watch_clock(frame, read_s)
                    read_s += frame.samples / frame.sample_rate
                    yield frame
        self._note_damage()
        if self._lost_s:
            self._note("gap", f"{self._lost_s:.2f} s of the time line are missing", self._lost_s)
        if promised_s is not None and read_s < promised_s:
            self._note("truncated", f"at least {promised_s:.2f} s are promised, and {read_s:.2f} s are there", read_s)
        elif self._source.was_cut:
            self._note("limit", "reading stopped at the limit of bytes for a stream", read_s)
        else:
            self._note_missing_bytes(read_s)

    def _watch_clock(self, frame: AudioFrame, read_s: float) -> None:
        """Frames carry times; where they jump ahead, something between was lost."""
        if frame.pts is None or self._tick_s is None:
            return
        ahead_s = frame.pts * self._tick_s - read_s
        if self._ahead_s is not None and ahead_s - self._ahead_s > (_GAP_EXACT_S if self.codec == "flac" else _GAP_S):
            self._lost_s += ahead_s - self._ahead_s
        self._ahead_s = ahead_s

    def _packets(self, stream: AudioStream) -> Iterator[av.Packet[AudioStream]]:
        failures = 0
        while failures < _MOST_FAILURES:
            try:
                for packet in self._container.demux(stream):
                    failures = 0
                    yield packet
            except av.FFmpegError:
                failures += 1
                self._damaged += 1
            except OSError as error:
                self._note("read_error", f"reading failed: {error.strerror or error}")
                return
            else:
                return

    def _decode(self, packet: av.Packet[AudioStream]) -> list[AudioFrame]:
        if packet.is_corrupt and not self.codec.startswith("pcm_"):  # the last packet of PCM may be short
            self._damaged += 1
        try:
            return packet.decode()
        except EOFError:
            return []
        except (av.FFmpegError, ValueError):
            self._damaged += 1
            return []

    def _promised_s(self) -> float | None:
        """The least seconds that a trustworthy header promises, or None."""
        kind = self._container.format.name.split(",")[0]
        slack = _SLACK.get(kind)
        if slack is None or not self._stream.duration or not self._stream.time_base:
            return None
        if kind == "mp3" and not any(mark in self._source.head for mark in (b"Xing", b"Info", b"VBRI")):
            return None
        promised_s = float(self._stream.duration * self._stream.time_base)
        return promised_s * (1 - slack[0]) - slack[1] if math.isfinite(promised_s) else None

    def _note_damage(self) -> None:
        if self._damaged:
            self._note("damaged", f"{self._damaged} packets could not be decoded and were left out", self._damaged)

    def _note_missing_bytes(self, read_s: float) -> None:
        size, tail = self._source.end(_TAIL_BYTES)
        promised = promised_bytes(self._source.head)
        if promised is not None and size < promised:
            self._note("truncated", f"the file promises {promised} bytes and holds {size}", read_s)
        elif self._source.head.startswith(b"OggS") and not ogg_ends(tail):
            self._note("truncated", "the file stops before its end mark", read_s)

    def _note(self, code: str, text: str, value: float | None = None) -> None:
        self.complete = False
        self._warnings.append(Notice(code, text, value))

    def close(self) -> None:
        """Close the decoder, not the file."""
        self._container.close()


def _alike(left: AudioFrame, right: AudioFrame) -> bool:
    return (
        left.sample_rate == right.sample_rate
        and left.format.name == right.format.name
        and left.layout.nb_channels == right.layout.nb_channels
    )


def _planes(frames: list[AudioFrame]) -> NDArray[np.float32]:
    """Frames that are alike as ``(channels, n)``."""
    first = frames[0]
    channels = first.layout.nb_channels
    kind = first.to_ndarray().dtype
    if first.format.is_planar:
        rows = [[np.frombuffer(memoryview(plane), kind, frame.samples) for plane in frame.planes] for frame in frames]
        return to_float(np.stack([np.concatenate(row) for row in zip(*rows, strict=True)]))
    packed = [np.frombuffer(memoryview(frame.planes[0]), kind, frame.samples * channels) for frame in frames]
    return to_float(np.ascontiguousarray(np.concatenate(packed).reshape(-1, channels).T))


def _refuse(url: str, flags: int, options: dict[str, str]) -> None:
    raise PermissionError(f"a recording asked for another file: {url!r} {flags} {options}")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()
