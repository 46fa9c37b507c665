"""The detector: recordings in, verdicts out, one by one or many side by side."""

from __future__ import annotations

import itertools
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from functools import lru_cache
from types import TracebackType
from typing import Self

from glottis.audio import ChannelPolicy, Limits, OpenRecording, Recording, name_of, open_recording
from glottis.bundle import Bundle, open_bundle
from glottis.config import Device
from glottis.detector.crew import Crew
from glottis.detector.judge import Facts, judge
from glottis.detector.model import Model
from glottis.detector.pipeline import Pipeline
from glottis.detector.stream import Stream
from glottis.errors import ConfigError, GlottisError
from glottis.verdict import Decision, Failed, Notice, Verdict

_SUSPECT_FIRST = (Decision.SPOOF, Decision.INCONCLUSIVE, Decision.BONAFIDE, Decision.NO_SPEECH)
_AHEAD = 2
_OF_ANOTHER_PROCESS: list[Model | None] = []


class Detector:
    """A bundle, ready to judge. Threads may share it; after a fork the child opens it anew.

    On the CPU results are bit-equal whatever `threads` is, in whatever order and company the recordings come.

    Args:
        model: The path or the name of a bundle, or None for the shipped one.
        threads: How many threads work at most on one call: recordings side by side, and the windows of one.
        prior_spoof: The probability of spoof before listening, over 0 and under 1; by default the bundle's.
        limits: The bounds on untrusted input.
        device: ``cpu``, ``cuda``, ``tensorrt``, or ``auto``: CUDA where it works, else the CPU.

    Raises:
        BundleError: The bundle is missing, damaged, or does not fit its manifest.
        ConfigError: `threads` is under 1, the prior is impossible, or the device is not there (``device``).
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        threads: int = 1,
        prior_spoof: float | None = None,
        limits: Limits | None = None,
        device: Device = "cpu",
    ) -> None:
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
            raise ConfigError(f"threads must be a whole number of at least 1, got {threads!r}", code="setting")
        _check_prior(prior_spoof)
        self.threads = threads
        self._prior_spoof = prior_spoof
        self._limits = limits or Limits()
        self._bundle = open_bundle(model)
        self._device = device
        self._model: Model | None = Model(self._bundle, device)
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
            prior_spoof: For this recording.

        Raises:
            InputError: It cannot be read.
            ConfigError: The prior or the channel is impossible, or the detector is closed.
        """
        return _most_suspect(self.scan_channels(recording, channel=channel, prior_spoof=prior_spoof))

    def scan_channels(
        self, recording: Recording, *, channel: ChannelPolicy = "auto", prior_spoof: float | None = None
    ) -> list[Verdict]:
        """Judge each channel of one recording, if they differ; else give one verdict. See `scan`."""
        self._check(channel, prior_spoof)
        if self.threads == 1:
            return self._scan(recording, channel, prior_spoof, None)
        with Crew(self.threads) as crew:
            return crew.do(self._scan, recording, channel, prior_spoof, crew)

    def scan_many(
        self,
        recordings: Iterable[Recording],
        *,
        channel: ChannelPolicy = "auto",
        prior_spoof: float | None = None,
    ) -> Iterator[Verdict | Failed]:
        """Judge many recordings side by side; the results come in their order.

        Each recording gives one verdict, or one for each channel where they differ (then `Verdict.channel` says
        which), or one `Failed` where it cannot be scanned: no recording ends the others. They are asked for as they
        are needed, at most two for each thread ahead of the results. An error of `recordings` itself comes after the
        results of all that it gave.

        Raises:
            ConfigError: The prior or the channel is impossible, or the detector is closed.
        """
        self._check(channel, prior_spoof)
        return self._many(iter(recordings), channel, prior_spoof)

    def stream(self, sample_rate_hz: int, *, prior_spoof: float | None = None, name: str = "<stream>") -> Stream:
        """A live recording of one channel, fed chunk by chunk.

        Args:
            sample_rate_hz: Of the chunks, 4,000 to 192,000.
            prior_spoof: For this recording.
            name: What the verdict calls it.

        Raises:
            InputError: The rate is out of range.
            ConfigError: The prior is impossible, or the detector is closed.
        """
        self._check("auto", prior_spoof)
        return Stream(self._open(), sample_rate_hz, self._prior(prior_spoof), name)

    def _many(
        self, recordings: Iterator[Recording], channel: ChannelPolicy, prior_spoof: float | None
    ) -> Iterator[Verdict | Failed]:
        if self.threads == 1:
            for recording in recordings:
                yield from self._scan_or_fail(recording, channel, prior_spoof, None)
            return
        waiting: deque[Future[list[Verdict] | list[Failed]]] = deque()
        failure: Exception | None = None
        with Crew(self.threads) as crew:
            while True:
                try:
                    for recording in itertools.islice(recordings, _AHEAD * self.threads - len(waiting)):
                        waiting.append(crew.start(self._scan_or_fail, recording, channel, prior_spoof, crew))
                except Exception as error:  # noqa: BLE001 (raised below, where one thread would have met it)
                    failure, recordings = error, iter(())
                if not waiting:
                    break
                yield from waiting.popleft().result()
        if failure is not None:
            raise failure

    def _scan_or_fail(
        self, recording: Recording, channel: ChannelPolicy, prior_spoof: float | None, crew: Crew | None
    ) -> list[Verdict] | list[Failed]:
        try:
            return self._scan(recording, channel, prior_spoof, crew)
        except GlottisError as error:
            return [Failed(name_of(recording), error.code, error.message, error.hint)]
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 (one recording must not end the others)
            text = f"{name_of(recording)}: {type(error).__name__}: {error}"
            return [Failed(name_of(recording), "internal", text, "this is a bug of Glottis: please report it")]

    def _scan(
        self, recording: Recording, channel: ChannelPolicy, prior_spoof: float | None, crew: Crew | None
    ) -> list[Verdict]:
        """The main way."""
        began = time.perf_counter()
        model = self._open()
        rate_hz = model.manifest.sample_rate_hz
        lanes: list[Pipeline] = []
        with open_recording(recording, sample_rate_hz=rate_hz, limits=self._limits, channel=channel) as reading:
            for block in reading.blocks():
                if crew is not None and crew.left:
                    raise CancelledError
                lanes = lanes or [Pipeline(model, crew) for _ in reading.lanes]
                for lane, samples in zip(lanes, block, strict=True):
                    lane.push(samples)
            lanes = lanes or [Pipeline(model) for _ in reading.lanes]
            for lane in lanes:
                lane.finish()
            return [
                judge(model, lane, _facts(reading, number, began), self._prior(prior_spoof))
                for lane, number in zip(lanes, reading.lanes, strict=True)
            ]

    def _open(self) -> Model:
        """The model, opened anew in a forked process: another thread may have held a lock of the old one.

        The old one is kept, so that nothing of it is freed there.
        """
        model = self._model
        if model is None:
            raise ConfigError("the detector is closed", code="closed", hint="open another")
        if self._process != os.getpid():
            _OF_ANOTHER_PROCESS.append(model)
            model = Model(self._bundle, self._device)
            self._model, self._process = model, os.getpid()
        return model

    def _check(self, channel: ChannelPolicy, prior_spoof: float | None) -> None:
        self._open()
        _check_prior(prior_spoof)
        number = isinstance(channel, int) and not isinstance(channel, bool)
        if not number and not (isinstance(channel, str) and channel in ("auto", "mix", "each")):
            raise ConfigError(f"channel must be auto, mix, each or a number, got {channel!r}", code="setting")

    def _prior(self, prior_spoof: float | None) -> float | None:
        return self._prior_spoof if prior_spoof is None else prior_spoof

    def close(self) -> None:
        """Let go of the model; streams that are open keep it."""
        if self._model is not None and self._process != os.getpid():
            _OF_ANOTHER_PROCESS.append(self._model)
        self._model = None

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


def _facts(reading: OpenRecording, lane: int | None, began: float) -> Facts:
    return Facts(
        source=reading.name,
        sample_rate_hz=reading.source_rate_hz,
        codec=reading.codec,
        bandwidth_hz=reading.bandwidth_hz,
        duration_s=reading.duration_s,
        began=began,
        channel=lane,
        complete=reading.complete,
        warnings=tuple(reading.warnings),
    )


def _most_suspect(verdicts: list[Verdict]) -> Verdict:
    def suspicion(verdict: Verdict) -> tuple[int, float]:
        evidence = verdict.score if verdict.llr is None else verdict.llr
        return _SUSPECT_FIRST.index(verdict.verdict), evidence or 0.0

    worst = min(verdicts, key=suspicion)
    others = ", ".join(f"{one.channel}: {one.verdict}" for one in verdicts if one is not worst)
    if not others:
        return worst
    text = f"the channels differ; this is channel {worst.channel}, the most suspect one (the others: {others})"
    return replace(worst, warnings=(*worst.warnings, Notice("other_channels", text, len(verdicts))))


def _check_prior(prior_spoof: float | None) -> None:
    if prior_spoof is not None and not (isinstance(prior_spoof, int | float) and 0 < prior_spoof < 1):
        raise ConfigError(f"prior_spoof must be a number over 0 and under 1, got {prior_spoof!r}", code="setting")
