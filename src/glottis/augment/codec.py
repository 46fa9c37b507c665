"""Lossy codecs, encoded and decoded in memory, with their delay taken out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.error import FFmpegError
from numpy.typing import NDArray

from glottis.augment._spectrum import good_size, resample
from glottis.augment.transform import Transform
from glottis.errors import RecipeError
from glottis.verdict import Samples

FRAME_SAMPLES = 1152
"""The longest frame of the codecs below; the end is padded by two of them, so that nothing is swallowed."""

PROBE_SAMPLES = 12_000
"""Length of the noise by which a codec's delay is measured."""


@dataclass(frozen=True)
class Format:
    """What a codec is called in FFmpeg and what it can do.

    Attributes:
        encoder: Name of the encoder.
        decoder: Name of the decoder.
        sample_format: What the encoder takes.
        rates_hz: Sample rates to draw from; the encoder runs at one of them.
        bit_rates: Bits per second to draw from; empty where the format has only one.
        options: Settings of the encoder.
    """

    encoder: str
    decoder: str
    sample_format: str
    rates_hz: tuple[int, ...]
    bit_rates: tuple[int, ...] = ()
    options: tuple[tuple[str, str], ...] = ()


FORMATS: dict[str, Format] = {
    "mp3": Format(
        "libmp3lame",
        "mp3float",
        "fltp",
        (16000, 24000),
        (16000, 24000, 32000, 48000, 64000),
        (("compression_level", "7"),),
    ),
    "aac": Format("aac", "aac", "fltp", (16000, 24000), (16000, 24000, 32000, 48000, 64000), (("aac_coder", "fast"),)),
    "opus": Format(
        "libopus",
        "opus",
        "flt",
        (16000,),
        (16000, 24000, 32000, 48000),
        (("application", "audio"), ("compression_level", "0")),
    ),
    "opus_voip": Format(
        "libopus",
        "opus",
        "flt",
        (8000, 16000),
        (8000, 12000, 16000, 24000),
        (("application", "voip"), ("compression_level", "0")),
    ),
    "amr_nb": Format("libopencore_amrnb", "amrnb", "s16", (8000,), (4750, 5900, 6700, 7400, 7950, 10200, 12200)),
    "g711_alaw": Format("pcm_alaw", "pcm_alaw", "s16", (8000,)),
    "g711_mulaw": Format("pcm_mulaw", "pcm_mulaw", "s16", (8000,)),
    "g722": Format("g722", "g722", "s16", (16000,)),
}
"""Name of a codec in recipes to its format; the encoders run at their fastest sound setting."""


@dataclass(frozen=True)
class Codec(Transform):
    """The samples as they come back from a lossy codec.

    Attributes:
        name: A key of `FORMATS`.
        codec_rate_hz: The rate at which the codec runs.
        bit_rate: Bits per second, or None where the format has only one.
    """

    kind: ClassVar[str] = "codec"
    name: str
    codec_rate_hz: int
    bit_rate: int | None

    def __post_init__(self) -> None:
        if self.name not in FORMATS:
            raise RecipeError(f"unknown codec {self.name!r}", code="codec", hint=f"one of {', '.join(FORMATS)}")

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        """The samples after the codec, aligned with those that went in.

        Raises:
            RecipeError: This build of FFmpeg has no such encoder, or it refuses the rates (code ``codec``).
        """
        if not samples.size:
            return samples.copy()
        there = resample(samples, sample_rate_hz, self.codec_rate_hz)
        decoded, rate_hz = _through(self, there)
        start = _delay_samples(self)
        wanted = -(-there.size * rate_hz // self.codec_rate_hz)
        back = resample(_fitted(decoded[start:], wanted), rate_hz, sample_rate_hz)
        return _fitted(back, samples.size)


def _fitted(samples: Samples, count: int) -> Samples:
    if samples.size >= count:
        return samples[:count].copy()
    return np.concatenate([samples, np.zeros(count - samples.size, dtype=np.float32)])


def _through(codec: Codec, samples: Samples) -> tuple[Samples, int]:
    """What the decoder gives for samples at the codec's rate, with its delay, and at which rate."""
    padded = np.concatenate([samples, np.zeros(2 * FRAME_SAMPLES, dtype=np.float32)])
    try:
        encoder = _encoder(codec)
        packets = _encoded(encoder, padded, codec)
        return _decoded(codec, encoder, packets)
    except (FFmpegError, ValueError) as error:
        raise RecipeError(
            f"codec {codec.name!r} at {codec.codec_rate_hz} Hz and {codec.bit_rate} bit/s failed: {error}",
            code="codec",
            hint="see whether this build of PyAV has the encoder, and whether it takes these rates",
        ) from error


def _encoder(codec: Codec) -> AudioCodecContext:
    form = FORMATS[codec.name]
    encoder = cast("AudioCodecContext", av.CodecContext.create(form.encoder, "w"))
    encoder.sample_rate = codec.codec_rate_hz
    encoder.layout = "mono"
    encoder.format = av.AudioFormat(form.sample_format)
    encoder.thread_count = 1
    if codec.bit_rate is not None:
        encoder.bit_rate = codec.bit_rate
    encoder.options = dict(form.options)
    encoder.open()
    return encoder


def _encoded(encoder: AudioCodecContext, samples: Samples, codec: Codec) -> list[Any]:
    sample_format = FORMATS[codec.name].sample_format
    frame = av.AudioFrame.from_ndarray(_as_format(samples, sample_format)[None, :], format=sample_format, layout="mono")
    frame.sample_rate = codec.codec_rate_hz
    frame.pts = 0
    return [*encoder.encode(frame), *encoder.encode(None)]


def _as_format(samples: Samples, sample_format: str) -> NDArray[Any]:
    if not sample_format.startswith("s16"):
        return samples
    whole: NDArray[np.int16] = np.clip(np.rint(samples * np.float32(32768.0)), -32768.0, 32767.0).astype(np.int16)
    return whole


def _decoded(codec: Codec, encoder: AudioCodecContext, packets: Iterable[Any]) -> tuple[Samples, int]:
    decoder = cast("AudioCodecContext", av.CodecContext.create(FORMATS[codec.name].decoder, "r"))
    decoder.sample_rate = codec.codec_rate_hz
    decoder.layout = "mono"
    decoder.thread_count = 1
    if encoder.extradata:
        decoder.extradata = encoder.extradata
    pieces = []
    rate_hz = codec.codec_rate_hz
    for frame in _frames(decoder, packets):
        rate_hz = frame.sample_rate
        pieces.append(_from_frame(frame))
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32), rate_hz


def _frames(decoder: AudioCodecContext, packets: Iterable[Any]) -> Iterator[Any]:
    for packet in packets:
        yield from decoder.decode(packet)
    yield from decoder.decode(None)


def _from_frame(frame: av.AudioFrame) -> Samples:
    """The first channel of a frame as float32."""
    planes = frame.to_ndarray()
    channel = planes[0] if frame.format.is_planar else planes.reshape(-1, len(frame.layout.channels))[:, 0]
    if channel.dtype == np.int16:
        return channel.astype(np.float32) * np.float32(1.0 / 32768.0)
    return channel.astype(np.float32)


@lru_cache(maxsize=256)
def _delay_samples(codec: Codec) -> int:
    """By how much the decoder's output lags the input, in samples at the decoder's rate, measured on noise."""
    probe = _probe()
    decoded, rate_hz = _through(codec, probe)
    reference = resample(probe, codec.codec_rate_hz, rate_hz)
    size = good_size(reference.size + decoded.size)
    product = np.fft.rfft(decoded, size) * np.conj(np.fft.rfft(reference, size))
    match = np.fft.irfft(product, size)
    return int(np.argmax(match[: decoded.size]))


def _probe() -> Samples:
    """Loud low-passed noise in bursts, which even a speech coder keeps in time."""
    white = np.random.default_rng(7).standard_normal(PROBE_SAMPLES)
    soft = np.convolve(white, np.hanning(9), mode="same")
    bursts = 0.5 + 0.5 * np.sin(np.arange(PROBE_SAMPLES) * (2.0 * np.pi / 1500.0))
    probe: Samples = (0.3 * bursts * soft / np.abs(soft).max()).astype(np.float32)
    return probe


def draw_codec(rng: np.random.Generator, *, names: tuple[str, ...] = tuple(FORMATS)) -> Codec:
    """One of the named codecs, each as likely, at one of its rates."""
    name = names[int(rng.integers(len(names)))]
    form = FORMATS[name]
    return Codec(
        name=name,
        codec_rate_hz=int(rng.choice(form.rates_hz)),
        bit_rate=int(rng.choice(form.bit_rates)) if form.bit_rates else None,
    )
