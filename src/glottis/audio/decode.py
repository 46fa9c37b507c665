"""Any recording to blocks of float32: demux, decode, channels, resample, in one pass and bounded memory.

FFmpeg sees a recording only through a Python file object, with white lists of formats, and of protocols (none):
whatever an upload contains, no other file and no network is opened.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from glottis.audio.bandwidth import BandwidthMeter
from glottis.audio.channels import ChannelChooser, ChannelPolicy
from glottis.audio.container import Container
from glottis.audio.resample import StreamResampler
from glottis.audio.source import PCM, ByteSource, Limits, Recording, check_channels, check_rate, gate, name_of, to_float
from glottis.errors import InputError
from glottis.verdict import Notice

Block = NDArray[np.float32]

_PCM_BLOCK = 65_536


class OpenRecording:
    """A recording that is being read; made by `open_recording`, a context manager.

    Attributes:
        name: To show.
        codec: FFmpeg's name of the codec, or None for samples.
        source_rate_hz: The recording's own rate.
        channels: The recording's own number of channels.
        sample_rate_hz: The rate of the blocks.
        warnings: Damage and limits that were met; grows while reading.
    """

    def __init__(self, recording: Recording, *, sample_rate_hz: int, limits: Limits, channel: ChannelPolicy) -> None:
        self.name = name_of(recording)
        self.codec: str | None = None
        self.sample_rate_hz = sample_rate_hz
        self.warnings: list[Notice] = []
        self._limits = limits
        self._complete = True
        self._read: dict[int, int] = {}
        self._closers: list[ByteSource | Container] = []
        try:
            first, self._rest = self._first(self._frames(recording))
            samples, self.source_rate_hz = first
            self.channels = samples.shape[0]
            self._chooser = ChannelChooser(self.channels, self.source_rate_hz, channel, self.name)
        except BaseException:
            self.close()
            raise
        self._meter = BandwidthMeter(self.source_rate_hz)
        self._started = False

    def _frames(self, recording: Recording) -> Iterator[tuple[Block, int]]:
        if isinstance(recording, PCM):
            return self._of_samples(recording)
        source = ByteSource(recording, self._limits)
        self._closers.append(source)
        container = Container(source, self.warnings)
        self._closers.insert(0, container)
        self.codec = container.codec
        return self._of_container(container)

    def _of_samples(self, pcm: PCM) -> Iterator[tuple[Block, int]]:
        try:
            samples = np.asarray(pcm.samples)
        except (TypeError, ValueError):
            samples = np.zeros(())
        if samples.ndim not in (1, 2):
            raise InputError(
                f"{self.name}: samples must be (n,) or (n, channels), got shape {samples.shape}",
                code="not_audio",
                hint="give one axis of samples, and channels second",
            )
        rate_hz = check_rate(pcm.sample_rate_hz, self.name)
        planes = samples[None] if samples.ndim == 1 else samples.T
        for start in range(0, planes.shape[1], _PCM_BLOCK):
            try:
                yield to_float(planes[:, start : start + _PCM_BLOCK]), rate_hz
            except TypeError as error:
                raise InputError(
                    f"{self.name}: samples must be floats or integers, got {samples.dtype}",
                    code="not_audio",
                    hint="convert them to float32",
                ) from error

    def _of_container(self, container: Container) -> Iterator[tuple[Block, int]]:
        for planes, rate_hz in container.frames():
            yield planes, check_rate(rate_hz, self.name)
        self._complete = self._complete and container.complete

    def _first(self, frames: Iterator[tuple[Block, int]]) -> tuple[tuple[Block, int], Iterator[tuple[Block, int]]]:
        for samples, rate_hz in frames:
            check_channels(samples.shape[0], self.name, self._limits)
            if samples.shape[1]:
                return (samples, rate_hz), itertools.chain([(samples, rate_hz)], frames)
        raise InputError(
            f"{self.name}: holds no samples", code="no_samples", hint="the recording may have been cut; get it again"
        )

    @property
    def complete(self) -> bool:
        """False after damage, a truncation, a limit, or sound in a channel that was left out."""
        return self._complete and self._chooser.complete

    @property
    def duration_s(self) -> float:
        """Seconds decoded so far."""
        return sum(samples / rate_hz for rate_hz, samples in self._read.items())

    @property
    def lanes(self) -> tuple[int | None, ...]:
        """What the rows of a block are: (None,) mixed, else numbers of channels; known after the first block."""
        return self._chooser.lanes or (None,)

    @property
    def bandwidth_hz(self) -> float | None:
        """The highest frequency that carried energy so far, at the recording's own rate."""
        return self._meter.bandwidth_hz

    def blocks(self) -> Iterator[Block]:
        """The samples, ``(len(lanes), n)`` at `sample_rate_hz`, n > 0, in order; can be called once.

        Raises:
            InputError: ``not_finite``, ``bad_rate`` or ``unreadable``, found while reading.
        """
        if self._started:
            raise ValueError("blocks() can be read once")
        self._started = True
        resampler: StreamResampler | None = None
        for samples, rate_hz in self._bounded(self._steady(self._rest)):
            if resampler is not None and resampler.source_rate_hz != rate_hz:
                yield from _if_any(resampler.finish())
                resampler = None
            lanes = self._chosen(samples)
            if lanes is None:
                continue
            resampler = resampler or StreamResampler(rate_hz, self.sample_rate_hz, len(lanes))
            yield from _if_any(resampler.push(lanes))
        lanes = self._chooser.finish()
        if lanes is not None:
            resampler = StreamResampler(self.source_rate_hz, self.sample_rate_hz, len(lanes))
            yield from _if_any(resampler.push(lanes))
        if resampler is not None:
            yield from _if_any(resampler.finish())

    def _chosen(self, samples: Block) -> Block | None:
        lanes = self._chooser.push(samples)
        self.warnings.extend(notice for notice in self._chooser.warnings if notice not in self.warnings)
        return lanes

    def _steady(self, frames: Iterator[tuple[Block, int]]) -> Iterator[tuple[Block, int]]:
        """Blocks of one number of channels, gated; a change of the rate is reported."""
        held_rate_hz = self.source_rate_hz
        for samples, rate_hz in frames:
            if rate_hz != held_rate_hz:
                self._once("rate_changed", f"the sample rate changes from {held_rate_hz} to {rate_hz} Hz", rate_hz)
            held_rate_hz = rate_hz
            yield gate(self._same_channels(samples), self.name), rate_hz

    def _same_channels(self, samples: Block) -> Block:
        have = samples.shape[0]
        if have == self.channels:
            return samples
        self._once("channels_changed", f"the number of channels changes from {self.channels} to {have}", have)
        if self.channels == 1:
            mixed: Block = samples.mean(axis=0, keepdims=True, dtype=np.float32)
            return mixed
        if have == 1:
            return np.repeat(samples, self.channels, axis=0)
        self._complete = self._complete and have < self.channels
        fitted = np.zeros((self.channels, samples.shape[1]), np.float32)
        fitted[: min(have, self.channels)] = samples[: self.channels]
        return fitted

    def _once(self, code: str, text: str, value: float) -> None:
        if all(notice.code != code for notice in self.warnings):
            self.warnings.append(Notice(code, text, value))

    def _bounded(self, blocks: Iterator[tuple[Block, int]]) -> Iterator[tuple[Block, int]]:
        """Blocks up to the limit of decoded seconds; each is metered on its way."""
        limit_s = self._limits.max_duration_s
        for samples, rate_hz in blocks:
            left = int((limit_s - self.duration_s) * rate_hz + 0.5)
            within = samples[:, :left] if samples.shape[1] > left else samples
            if within.shape[1]:
                self._read[rate_hz] = self._read.get(rate_hz, 0) + within.shape[1]
                if rate_hz == self.source_rate_hz:
                    self._meter.push(within[0])
                yield within, rate_hz
            if samples.shape[1] > left:
                self._complete = False
                self._once("limit", f"reading stopped at the limit of {limit_s:g} s", limit_s)
                return

    def close(self) -> None:
        """Close the decoder and what was opened here."""
        for closer in self._closers:
            closer.close()
        self._closers = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_recording(
    recording: Recording, *, sample_rate_hz: int, limits: Limits | None = None, channel: ChannelPolicy = "auto"
) -> OpenRecording:
    """Open a recording and decode its first samples.

    Args:
        recording: A path, the bytes of a file, an open binary file, or `PCM`.
        sample_rate_hz: The rate that is wanted.
        limits: The bounds on untrusted input.
        channel: Which channels.

    Raises:
        InputError: With one of the codes ``missing``, ``unreadable``, ``empty``, ``directory``, ``not_audio``,
            ``no_audio_track``, ``forbidden_format``, ``not_finite``, ``no_samples``, ``too_many_channels``,
            ``bad_rate``, ``no_channel``.
    """
    return OpenRecording(recording, sample_rate_hz=sample_rate_hz, limits=limits or Limits(), channel=channel)


def _if_any(samples: Block) -> Iterator[Block]:
    if samples.shape[1]:
        yield samples
