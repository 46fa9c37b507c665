"""What a test of Glottis, or of something built on it, needs: sounds by formula, a fake scorer, a tiny bundle."""

from __future__ import annotations

import csv
import os
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glottis._extras import need
from glottis.bundle import write_bundle
from glottis.verdict import Samples


class FakeScorer:
    """A `Scorer` by formula: ten times the deviation of a window's samples, minus 1.

    Attributes:
        sample_rate_hz: The rate of the samples that it takes.
        window_samples: The length of one window.
        calls: How often it was asked.
    """

    def __init__(self, sample_rate_hz: int = 16_000, window_samples: int = 16_000) -> None:
        self.sample_rate_hz = sample_rate_hz
        self.window_samples = window_samples
        self.calls = 0

    def score(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Windows ``(batch, window_samples)`` to scores ``(batch,)``."""
        self.calls += 1
        return np.asarray(10 * windows.std(axis=1) - 1, np.float32)


def tone(frequency_hz: float, duration_s: float, sample_rate_hz: int = 16_000, *, level: float = 0.5) -> Samples:
    """A sine that starts at 0, shape ``(n,)``.

    Args:
        frequency_hz: Its frequency.
        duration_s: Its length.
        sample_rate_hz: The rate of the samples.
        level: Its greatest value, 0 to 1.
    """
    time_s = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
    return (level * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


_SLOPES = {"white": 0.0, "pink": -0.5, "brown": -1.0}


def noise(
    duration_s: float,
    sample_rate_hz: int = 16_000,
    seed: int = 0,
    colour: Literal["white", "pink", "brown"] = "white",
    *,
    level: float = 0.1,
) -> Samples:
    """Gaussian noise, shape ``(n,)``; equal seeds give equal samples.

    Args:
        duration_s: Its length.
        sample_rate_hz: The rate of the samples.
        seed: Of the random numbers.
        colour: The fall of its power with frequency: none, 3 dB or 6 dB an octave.
        level: Its standard deviation.
    """
    white = np.random.default_rng(seed).standard_normal(round(duration_s * sample_rate_hz))
    if colour == "white":
        return np.asarray(level * white, np.float32)
    spectrum = np.fft.rfft(white)
    spectrum[1:] *= np.arange(1, len(spectrum)) ** _SLOPES[colour]
    spectrum[0] = 0
    coloured = np.fft.irfft(spectrum, len(white))
    return np.asarray(level * coloured / coloured.std(), np.float32)


def voice(duration_s: float, sample_rate_hz: int = 16_000, seed: int = 0, *, level: float = 0.3) -> Samples:
    """A voice by formula, shape ``(n,)``, most of which speech detection takes for speech.

    Harmonics of a moving pitch through three moving formants, in syllables with pauses; equal seeds give equal
    samples. It may start with a pause: give it at least 2 seconds where speech is needed.

    Args:
        duration_s: Its length.
        sample_rate_hz: The rate of the samples.
        seed: Of the phases of all movements.
        level: Its greatest value, 0 to 1.
    """
    rng = np.random.default_rng(seed)
    count = round(duration_s * sample_rate_hz)
    time_s = np.arange(count) / sample_rate_hz
    pitch_hz = 120 * 2 ** (0.25 * np.sin(2 * np.pi * 0.7 * time_s + rng.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / sample_rate_hz
    samples = np.zeros(count)
    centres = [(550, 250, 1.1, 120), (1500, 600, 0.8, 200), (2500, 300, 0.5, 300)]
    formants = [(c + d * np.sin(2 * np.pi * r * time_s + rng.uniform(0, 6)), w) for c, d, r, w in centres]
    for harmonic in range(1, int(min(4000, 0.45 * sample_rate_hz) / 160)):
        at_hz = harmonic * pitch_hz
        gain = sum(1 / (1 + ((at_hz - centre) / width) ** 2) for centre, width in formants)
        samples += gain * np.sin(harmonic * phase) / np.sqrt(harmonic)
    syllables = np.clip(1.6 * np.sin(2 * np.pi * 3.1 * time_s + rng.uniform(0, 6)) + 0.4, 0, 1)
    speaks = np.sin(2 * np.pi * 0.35 * time_s + rng.uniform(0, 6)) + 0.8 > 0
    samples *= syllables * speaks
    samples += 1e-3 * rng.standard_normal(count) * np.abs(samples).max(initial=1e-9)
    return np.asarray(level * samples / max(np.abs(samples).max(initial=0.0), 1e-9), np.float32)


def write_wav(path: str | os.PathLike[str], samples: NDArray[np.float32], sample_rate_hz: int = 16_000) -> Path:
    """Write a WAV file of 16-bit PCM; the path is given back.

    Args:
        path: Where it goes; its folder must be there.
        samples: Shape ``(n,)`` or ``(n, channels)``, -1 to 1; what lies outside is clipped.
        sample_rate_hz: Their rate.
    """
    frames = samples[:, None] if samples.ndim == 1 else samples
    whole = np.clip(np.round(frames * 32768), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(frames.shape[1])
        out.setsampwidth(2)
        out.setframerate(sample_rate_hz)
        out.writeframes(whole.tobytes())
    return Path(path)


def tiny_bundle(
    folder: str | os.PathLike[str],
    *,
    window_samples: int = 16_000,
    hop_samples: int = 16_000,
    sample_rate_hz: int = 16_000,
    calibrated: bool = True,
    aggregate: Mapping[str, Any] | None = None,
    min_speech_s: float = 0.25,
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Write a bundle of about 1 KiB whose score is 4 - 20 * mean(abs(first difference)).

    So silence and deep tones are bona fide to it, and loud treble is spoof.

    Args:
        folder: Where it goes.
        window_samples: The model's window.
        hop_samples: From one window's start to the next, at most a window.
        sample_rate_hz: The rate of the samples.
        calibrated: Whether it has a calibration, which is the identity.
        aggregate: How windows become one score; by default their mean.
        min_speech_s: Seconds of speech without which a recording is not judged.
        changes: Fields of the manifest to lay over.

    Returns:
        The folder.

    Raises:
        BundleError: A field does not fit.
        MissingExtra: The package ``onnx`` is not installed (extra ``train``).
    """
    identity = {"kind": "platt", "scale": 1.0, "offset": 0.0}
    fields: dict[str, Any] = {
        "name": "tiny",
        "version": "1",
        "sample_rate_hz": sample_rate_hz,
        "window_samples": window_samples,
        "hop_samples": hop_samples,
        "min_speech_s": min_speech_s,
        "outputs": ["score"],
        "aggregate": dict(aggregate or {"kind": "mean"}),
        "calibration": {"recording": identity, "window": identity} if calibrated else None,
        "decision": {
            "cost_spoof_accepted": 1.0,
            "cost_bonafide_rejected": 1.0,
            "cost_inconclusive": 0.2,
            "prior_spoof": 0.5,
        },
    }
    files = {"model.onnx": _tiny_model(window_samples), "README.md": b"# tiny\n\nFor tests; it detects nothing.\n"}
    return write_bundle(folder, {**fields, **(changes or {})}, files)


def _tiny_model(window_samples: int) -> bytes:
    helper = need("onnx.helper", extra="train")
    numbers = need("onnx.numpy_helper", extra="train")
    floats = need("onnx", extra="train").TensorProto.FLOAT
    constants = {
        "zero": np.array([0], np.int64),
        "one": np.array([1], np.int64),
        "axis": np.array([1], np.int64),
        "last": np.array([window_samples - 1], np.int64),
        "end": np.array([window_samples], np.int64),
        "gain": np.array(-20.0, np.float32),
        "offset": np.array(4.0, np.float32),
    }
    nodes = [
        helper.make_node("Slice", ["samples", "one", "end", "axis"], ["later"]),
        helper.make_node("Slice", ["samples", "zero", "last", "axis"], ["earlier"]),
        helper.make_node("Sub", ["later", "earlier"], ["difference"]),
        helper.make_node("Abs", ["difference"], ["size"]),
        helper.make_node("ReduceMean", ["size"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("Mul", ["mean", "gain"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["score"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("samples", floats, ["batch", window_samples])],
        [helper.make_tensor_value_info("score", floats, ["batch"])],
        [numbers.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = model.SerializeToString()
    return data


def tiny_corpus(folder: str | os.PathLike[str], *, clips: int = 3, duration_s: float = 1.5) -> Path:
    """Write a corpus by formula: two sources in each of the splits train and dev, `clips` voices of each label.

    The spoofs have a weak tone at 5 kHz, so that a net can learn them. The table is one for
    `glottis.corpora.read_trials`, the recordings have 16 kHz.

    Args:
        folder: Where it goes.
        clips: Of each label, in each source.
        duration_s: Of each clip.

    Returns:
        The path of its ``trials.csv``.
    """
    columns = [
        "file",
        "split",
        "label",
        "system",
        "kind",
        "speaker",
        "language",
        "utterance",
        "origin",
        "source",
        "duration_s",
    ]
    root = Path(folder)
    rows = []
    for number, (split, source) in enumerate((s, f"{s}-{i}") for s in ("train", "dev") for i in (1, 2)):
        for label in ("bonafide", "spoof"):
            for clip in range(clips):
                samples = voice(duration_s, seed=100 * number + clip)
                if label == "spoof":
                    samples = samples + tone(5000, duration_s, level=0.02)
                file = f"{source}/{label}-{clip}.wav"
                (root / source).mkdir(parents=True, exist_ok=True)
                write_wav(root / file, samples)
                kind = "human" if label == "bonafide" else "tts"
                rows.append([file, split, label, kind, kind, str(clip), "en", "", "", source, f"{duration_s}"])
    table = root / "trials.csv"
    with table.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([columns, *rows])
    return table
