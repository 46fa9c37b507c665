"""A live recording: chunks of any size in, windows out as they are done, a verdict at the end."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from glottis.audio import BandwidthMeter, StreamResampler
from glottis.audio.source import check_rate, gate, to_float
from glottis.detector.judge import Facts, judge
from glottis.detector.model import Model
from glottis.detector.pipeline import Pipeline
from glottis.errors import ConfigError, InputError
from glottis.verdict import Samples, Verdict, Window


class Stream:
    """Made by `Detector.stream`; a context manager. Its windows and scores are those of the whole file.

    One thread at a time may use it.

    Args:
        model: The detector's model.
        sample_rate_hz: Of the chunks.
        prior_spoof: The user's prior, or None.
        name: What the verdict calls it.
    """

    def __init__(self, model: Model, sample_rate_hz: int, prior_spoof: float | None, name: str) -> None:
        self._name = name
        self._rate_hz = check_rate(sample_rate_hz, name)
        self._resampler = StreamResampler(self._rate_hz, model.manifest.sample_rate_hz, 1)
        self._bandwidth = BandwidthMeter(self._rate_hz)
        self._pipeline = Pipeline(model)
        self._model = model
        self._prior_spoof = prior_spoof
        self._began = time.perf_counter()
        self._samples = 0
        self._finished = False

    def feed(self, chunk: NDArray[Any]) -> list[Window]:
        """Take samples ``(n,)``, floats or integers, n >= 0; give the windows that they complete, in order.

        Raises:
            InputError: ``not_audio`` or ``not_finite``; the chunk was not taken.
            BundleError: The model fails on a window; the stream is over, for what is left is not the whole.
            ConfigError: The stream is finished.
        """
        self._check_open()
        samples = self._samples_of(chunk)
        self._samples += len(samples)
        self._finished = True
        self._bandwidth.push(samples)
        windows = self._pipeline.push(self._resampler.push(samples[None])[0])
        self._finished = False
        return windows

    def _samples_of(self, chunk: Any) -> Samples:
        try:
            chunk = np.asarray(chunk)
        except (TypeError, ValueError) as error:
            raise InputError(f"{self._name}: a chunk must be (n,), got {type(chunk)}", code="not_audio") from error
        if chunk.ndim != 1:
            raise InputError(f"{self._name}: a chunk must be (n,), got shape {chunk.shape}", code="not_audio")
        try:
            return gate(to_float(chunk), self._name)
        except TypeError as error:
            raise InputError(f"{self._name}: no samples: {chunk.dtype}", code="not_audio") from error

    def finish(self) -> Verdict:
        """Flush and judge.

        Raises:
            InputError: ``no_samples``: nothing was fed.
            BundleError: The model fails on a window.
            ConfigError: The stream is finished.
        """
        self._check_open()
        self._finished = True
        if not self._samples:
            raise InputError(f"{self._name}: holds no samples", code="no_samples", hint="feed it before finish()")
        self._pipeline.push(self._resampler.finish()[0])
        self._pipeline.finish()
        facts = Facts(
            source=self._name,
            sample_rate_hz=self._rate_hz,
            codec=None,
            bandwidth_hz=self._bandwidth.bandwidth_hz,
            duration_s=self._samples / self._rate_hz,
            began=self._began,
        )
        return judge(self._model, self._pipeline, facts, self._prior_spoof)

    def _check_open(self) -> None:
        if self._finished:
            raise ConfigError("the stream is finished", code="finished", hint="open another: detector.stream(...)")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finished = True
