"""Files of every format, encoded here."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest


def speechlike(seconds, rate_hz, seed=0):
    """Bursts of harmonics with pauses; float32, peak about 0.5."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / rate_hz
    voice = sum(np.sin(k * phase) / k for k in range(1, 12))
    syllables = np.clip(np.sin(2 * np.pi * 3 * t), 0, 1) * (np.sin(2 * np.pi * 0.3 * t + 1) > -0.6)
    return (0.25 * voice * syllables + 0.002 * rng.standard_normal(len(t))).astype(np.float32)


def encode(samples, rate_hz, container, codec, layout=None):
    """Encode (n,) or (channels, n) float32 into the bytes of a file."""
    planes = np.atleast_2d(samples)
    layout = layout or {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 6: "5.1", 8: "7.1"}[len(planes)]
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate_hz, layout=layout)
        context = stream.codec_context
        if codec == "vorbis":
            context.options = {"strict": "-2"}
        if codec.startswith("wma"):
            context.bit_rate = 64_000
        context.open()
        frame = av.AudioFrame.from_ndarray(planes.T.reshape(1, -1).copy(), format="flt", layout=layout)
        frame.sample_rate = rate_hz
        frame.pts = 0
        converter = av.AudioResampler(
            format=context.format, layout=layout, rate=rate_hz, frame_size=context.frame_size or None
        )
        for piece in [*converter.resample(frame), *converter.resample(None)]:
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return file.getvalue()


@pytest.fixture(scope="session")
def voice_of():
    return speechlike


@pytest.fixture(scope="session")
def encoder():
    return encode


@pytest.fixture(scope="session")
def wav(encoder, voice_of):
    """Three seconds at 16 kHz, 16 bits, mono."""
    return encoder(voice_of(3, 16_000), 16_000, "wav", "pcm_s16le")
