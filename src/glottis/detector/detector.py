"""The detector: recordings in, verdicts out, one by one or many side by side."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from types import TracebackType
from typing import Self

from glottis.audio import ChannelPolicy, Limits, OpenRecording, Recording, name_of, open_recording
from glottis.bundle import Bundle, open_bundle
from glottis.detector.pipeline import Facts, Model, Pipeline
from glottis.detector.stream import Stream
from glottis.errors import ConfigError, GlottisError
from glottis.verdict import Decision, Failed, Notice, Verdict

SUSPECT = (Decision.SPOOF, Decision.INCONCLUSIVE, Decision.BONAFIDE, Decision.NO_SPEECH)
"""From the most suspect decision to the least."""


class Detector:
    """A bundle, ready to judge. Safe to share between threads; usable after a fork.

    Results do not depend on `threads`, on the order of the recordings, or on what else is scanned.

    Args:
        model: The path or the name of a bundle, or None for the shipped one.
        threads: How many threads work at most, at least 1: recordings side by side, or the windows of one.
        limits: The bounds on untrusted input.

    Raises:
        BundleError: The bundle is missing, damaged, or does not fit its manifest.
        ConfigError: `threads` is under 1.
    """

    def __init__(
        self, model: str | os.PathLike[str] | None = None, *, threads: int = 1, limits: Limits | None = None
    ) -> None:
        if threads < 1:
            raise ConfigError(f"threads must be at least 1, got {threads}", code="setting")
        self.threads = threads
        self._limits = limits or Limits()
        self._bundle = open_bundle(model)
        self._model: Model = Model.of(self._bundle)
        self._pool: ThreadPoolExecutor | None = None
        self._process = os.getpid()

    @property
    def bundle(self) -> Bundle:
        """The bundle that judges."""
        return self._bundle

    def scan(
        self, recording: Recording, *, channel: ChannelPolicy = "auto", prior_spoof: float | None = None
    ) -> Verdict:
        """Judge one recording; of channels that differ, the most suspect one's verdict, with a warning.

        Args:
            recording: A path, the bytes of a file, an open binary file, or `glottis.audio.PCM`.
            channel: ``auto``, ``mix``, ``each``, or a channel's number from 0.
            prior_spoof: The probability of spoof before listening, over 0 and under 1; by default the bundle's.

        Raises:
            InputError: It cannot be read.
            ConfigError: The prior is impossible.
        """
        verdicts = self.scan_channels(recording, channel=channel, prior_spoof=prior_spoof)
        first = min(verdicts, key=_suspicion)
        if len(verdicts) == 1:
            return first
        others = ", ".join(f"{v.channel}: {v.verdict}" for v in verdicts if v is not first)
        notice = Notice("other_channels", f"the channels differ; this is channel {first.channel}, the most suspect one "
                        f"(the others: {others})", len(verdicts))  # fmt: skip
        return replace(first, warnings=(*first.warnings, notice))

    def scan_channels(
        self, recording: Recording, *, channel: ChannelPolicy = "auto", prior_spoof: float | None = None
    ) -> list[Verdict]:
        """Judge each channel of one recording, if they differ; else give one verdict. See `scan`."""
        _check_prior(prior_spoof)
        pool = self._workers() if self.threads > 1 else None
        return self._scan(recording, channel, prior_spoof, pool)

    def scan_many(
        self,
        recordings: Iterable[Recording],
        *,
        channel: ChannelPolicy = "auto",
        prior_spoof: float | None = None,
    ) -> Iterator[Verdict | Failed]:
        """Judge many recordings side by side; the results come in their order, one for each channel that differs.

        A recording that cannot be scanned gives a `Failed`. The recordings are asked for as they are needed, and
        at most two for each thread are held.

        Raises:
            ConfigError: The prior is impossible.
        """
        _check_prior(prior_spoof)
        return self._many(iter(recordings), channel, prior_spoof)

    def _many(
        self, recordings: Iterator[Recording], channel: ChannelPolicy, prior_spoof: float | None
    ) -> Iterator[Verdict | Failed]:
        if self.threads == 1:
            for recording in recordings:
                yield from self._scan_or_fail(recording, channel, prior_spoof)
            return
        pool = self._workers()
        waiting: deque[Future[list[Verdict] | list[Failed]]] = deque()
        try:
            while True:
                for recording in itertools.islice(recordings, 2 * self.threads - len(waiting)):
                    waiting.append(pool.submit(self._scan_or_fail, recording, channel, prior_spoof))
                if not waiting:
                    return
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def stream(self, sample_rate_hz: int, *, prior_spoof: float | None = None, name: str = "<stream>") -> Stream:
        """A live recording of one channel, fed chunk by chunk.

        Args:
            sample_rate_hz: Of the chunks, 4,000 to 192,000.
            prior_spoof: As in `scan`.
            name: What the verdict calls it.

        Raises:
            InputError: The rate is out of range.
            ConfigError: The prior is impossible.
        """
        _check_prior(prior_spoof)
        return Stream(self._current(), sample_rate_hz, prior_spoof, name)

    def _scan_or_fail(
        self, recording: Recording, channel: ChannelPolicy, prior_spoof: float | None
    ) -> list[Verdict] | list[Failed]:
        try:
            return self._scan(recording, channel, prior_spoof, None)
        except GlottisError as error:
            return [Failed(name_of(recording), error.code, error.message, error.hint)]
        except Exception as error:  # noqa: BLE001 (one file must not end the batch)
            text = f"{name_of(recording)}: {type(error).__name__}: {error}"
            return [Failed(name_of(recording), "internal", text, "this is a bug of Glottis: please report it")]

    def _scan(
        self, recording: Recording, channel: ChannelPolicy, prior_spoof: float | None, pool: ThreadPoolExecutor | None
    ) -> list[Verdict]:
        model = self._current()
        rate_hz = model.bundle.manifest.sample_rate_hz
        pipelines: list[Pipeline] = []
        with open_recording(recording, sample_rate_hz=rate_hz, limits=self._limits, channel=channel) as reading:
            for block in reading.blocks():
                if not pipelines:
                    pipelines = [Pipeline(model, prior_spoof, pool, self.threads) for _ in reading.lanes]
                for pipeline, samples in zip(pipelines, block, strict=True):
                    pipeline.push(samples)
            pipelines = pipelines or [Pipeline(model, prior_spoof)]
            return [
                pipeline.verdict(_facts(reading, lane)) for pipeline, lane in zip(pipelines, reading.lanes, strict=True)
            ]

    def _current(self) -> Model:
        """The model; opened anew in a process that was forked, whose ONNX Runtime has lost its threads."""
        if self._process != os.getpid():
            self._model, self._pool, self._process = Model.of(self._bundle), None, os.getpid()
        return self._model

    def _workers(self) -> ThreadPoolExecutor:
        self._current()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="glottis")
        return self._pool

    def close(self) -> None:
        """End the threads; the detector can be used again."""
        if self._pool is not None and self._process == os.getpid():
            self._pool.shutdown(cancel_futures=True)
        self._pool = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def scan(recording: Recording, *, channel: ChannelPolicy = "auto", prior_spoof: float | None = None) -> Verdict:
    """Judge one recording with the shipped detector; see `Detector.scan`."""
    return _shipped().scan(recording, channel=channel, prior_spoof=prior_spoof)


@lru_cache(maxsize=1)
def _shipped() -> Detector:
    return Detector()


def _facts(reading: OpenRecording, lane: int | None) -> Facts:
    return Facts(
        source=reading.name,
        sample_rate_hz=reading.source_rate_hz,
        codec=reading.codec,
        bandwidth_hz=reading.bandwidth_hz,
        duration_s=reading.duration_s,
        channel=lane,
        complete=reading.complete,
        warnings=tuple(reading.warnings),
    )


def _suspicion(verdict: Verdict) -> tuple[int, float]:
    return SUSPECT.index(verdict.verdict), verdict.llr if verdict.llr is not None else (verdict.score or 0.0)


def _check_prior(prior_spoof: float | None) -> None:
    if prior_spoof is not None and not 0 < prior_spoof < 1:
        raise ConfigError(f"prior_spoof must be over 0 and under 1, got {prior_spoof}", code="setting")
