"""One recording, many ways to hand it in: the same windows, the same scores, bit for bit."""

from __future__ import annotations

import io
import wave
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import av
import numpy as np
import pytest

from glottis.audio import PCM
from glottis.bundle import open_bundle, write_ensemble
from glottis.detector import Detector
from glottis.testing import tiny_bundle, tone, voice

RATES_HZ = (16_000, 8_000, 44_100)
CHUNKS = (1, 7, 511, 512, 513, 16_000, 10**9)


@pytest.fixture(scope="module", params=["one net", "an ensemble"])
def bundle(request, tmp_path_factory):
    """A bundle, alone or joined with one of other windows, whose net is the same, and with the shipped one."""
    folder = tmp_path_factory.mktemp("agreement")
    tiny = tiny_bundle(folder / "tiny", window_samples=9_000, hop_samples=7_001)
    if request.param == "one net":
        return tiny
    other = tiny_bundle(folder / "other", window_samples=20_500, hop_samples=10_000)
    fields = {name: open_bundle(tiny).manifest.to_dict()[name] for name in ("version", "calibration", "decision")}
    bundles = [open_bundle(path) for path in (tiny, other, None)]
    return write_ensemble(folder / "both", bundles, [0.5, 1.0, 0.7], -0.2, {"name": "both", **fields})


@pytest.fixture(scope="module")
def detector(bundle):
    return Detector(bundle)


@pytest.fixture(scope="module")
def recordings():
    """Of ugly lengths, with pauses, at several rates."""
    lengths_s = (0.31, 0.5625, 1.0001, 2.77, 5.3)
    return [PCM(voice(length, rate, seed=rate), rate) for rate in RATES_HZ for length in lengths_s]


def what_was_found(verdict):
    return replace(verdict, elapsed_s=0.0, source="", codec=None)


def stored(samples, rate_hz, kind):
    """The bytes of a WAV or FLAC file of 16 bits."""
    whole = np.round(samples * 32_000).astype("<i2")
    out = io.BytesIO()
    if kind == "wav":
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate_hz)
            file.writeframes(whole.tobytes())
        return out.getvalue()
    with av.open(out, "w", format="flac") as file:
        stream = file.add_stream("flac", rate=rate_hz, layout="mono", format="s16")
        for at in range(0, len(whole), 4_096):
            frame = av.AudioFrame.from_ndarray(whole[None, at : at + 4_096].copy(), format="s16", layout="mono")
            frame.sample_rate, frame.pts = rate_hz, at
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_stream_is_the_whole(detector, rate_hz, chunk):
    samples = voice(2.0004, rate_hz, seed=3)
    with detector.stream(rate_hz) as live:
        given = [window for at in range(0, len(samples), chunk) for window in live.feed(samples[at : at + chunk])]
        verdict = live.finish()
    whole = detector.scan(PCM(samples, rate_hz))
    assert any(window.score is not None for window in whole.windows)
    assert what_was_found(verdict) == what_was_found(whole)
    assert tuple(given) == whole.windows[: len(given)]


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_wav_flac_and_samples_are_one(detector, rate_hz):
    samples = voice(3.3, rate_hz, seed=4)
    as_wav, as_flac = (detector.scan(stored(samples, rate_hz, kind)) for kind in ("wav", "flac"))
    as_samples = detector.scan(PCM(np.round(samples * 32_000).astype(np.int16), rate_hz))
    assert (as_wav.codec, as_flac.codec) == ("pcm_s16le", "flac")
    assert what_was_found(as_wav) == what_was_found(as_flac) == what_was_found(as_samples)


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_threads_and_company_change_nothing(bundle, detector, recordings, threads):
    alone = [what_was_found(detector.scan(recording)) for recording in recordings]
    crowd = Detector(bundle, threads=threads)
    assert [what_was_found(crowd.scan(recording)) for recording in recordings] == alone
    assert [what_was_found(verdict) for verdict in crowd.scan_many(recordings)] == alone
    backwards = crowd.scan_many([*reversed(recordings), b"no audio"])
    assert [what_was_found(verdict) for verdict in list(backwards)[-2::-1]] == alone


def test_a_detector_may_be_shared(detector, recordings):
    alone = [what_was_found(detector.scan(recording)) for recording in recordings]
    with ThreadPoolExecutor(6) as pool:
        assert [what_was_found(verdict) for verdict in pool.map(detector.scan, recordings)] == alone


def test_two_channels_that_differ_are_each_as_if_alone(detector):
    one, other = voice(4.1, seed=5), voice(4.1, seed=6) + 0.1 * tone(6_000, 4.1)
    verdicts = detector.scan_channels(PCM(np.stack([one, other], axis=1), 16_000))
    assert [verdict.channel for verdict in verdicts] == [0, 1]
    assert [verdict.windows for verdict in verdicts] == [
        detector.scan(PCM(side, 16_000)).windows for side in (one, other)
    ]


def test_a_shipped_sort_of_file_scans_the_same_twice(detector):
    data = stored(voice(2.0), 16_000, "flac")
    assert what_was_found(detector.scan(data)) == what_was_found(detector.scan(io.BytesIO(data)))
