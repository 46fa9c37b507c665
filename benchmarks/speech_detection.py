"""Who takes what for speech: the WebRTC detector, Glottis's meter, a scan with the model's output, Silero.

usage: python benchmarks/speech_detection.py CORPUS MUSIC [--silero silero_vad.onnx] [--bundle B] [--json FILE]

Recordings: the corpus's dev clips; silence, noise and tones by formula, 10 s each; and from each file under MUSIC
(instrumental, none that the output was trained on) up to three stretches of 30 s. results/speech.json heard music of
the Debian packages ardentryst, boswars-data, brainparty-data, btanks-data, enigma-data, hex-a-hop-data, lugaru-data,
starfighter-data, supertux-data, tuxfootball, warzone2100-music and xmoto-data: the sound files in a folder called
music, and of boswars, brainparty and btanks those over 400 kB. A recording counts as speech where at least the
bundle's `min_speech_s` of it is taken for speech, and for a scan where it is not `no_speech`. The cost is that of the
detection alone, beside the seconds of sound.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import webrtcvad
from numpy.typing import NDArray

import glottis
from glottis.audio import PCM, SpeechMeter, open_recording
from glottis.corpora import load_clip, read_trials
from glottis.testing import noise, tone
from glottis.verdict import Decision

RATE_HZ = 16_000
STRETCH_S = 30
STRETCHES = 3
MADE_S = 10.0
CHUNK = 512
CONTEXT = 64
Samples = NDArray[np.float32]


def webrtc(samples: Samples) -> float:
    """Seconds of 30 ms frames that the detector alone, in its strictest mode, takes for speech."""
    vad, frame = webrtcvad.Vad(3), RATE_HZ * 3 // 100
    whole = np.clip(samples * 32768, -32768, 32767).astype("<i2")
    count = sum(vad.is_speech(whole[i : i + frame].tobytes(), RATE_HZ) for i in range(0, len(whole) - frame + 1, frame))
    return count * frame / RATE_HZ


def meter(samples: Samples) -> float:
    """Seconds of speech by `SpeechMeter`."""
    one = SpeechMeter(RATE_HZ)
    one.push(samples)
    one.finish()
    return one.speech_s


def silero(path: Path) -> Callable[[Samples], float]:
    """Seconds of 32 ms chunks to which Silero gives at least 0.5."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    rate = np.array(RATE_HZ, np.int64)

    def seconds(samples: Samples) -> float:
        state, context, count = np.zeros((2, 1, 128), np.float32), np.zeros(CONTEXT, np.float32), 0
        for start in range(0, len(samples) - CHUNK + 1, CHUNK):
            chunk = samples[start : start + CHUNK]
            fed = np.concatenate([context, chunk])[None]
            out, state = session.run(None, {"input": fed, "state": state, "sr": rate})
            context, count = chunk[-CONTEXT:], count + (float(out[0, 0]) >= 0.5)  # noqa: PLR2004 (its own threshold)
        return count * CHUNK / RATE_HZ

    return seconds


def recordings(corpus: Path, music: Path) -> Iterator[tuple[str, Samples]]:
    """(what it is, samples)."""
    for trial in read_trials(corpus / "trials.csv", split="dev"):
        yield "dev speech", load_clip(trial.path(corpus), RATE_HZ)
    rng = np.random.default_rng(0)
    for index in range(100):
        yield "silence", noise(MADE_S, RATE_HZ, seed=index, level=10 ** float(rng.uniform(-6, -4)))
        white = noise(MADE_S, RATE_HZ, seed=index, level=0.1)
        yield "noise", white if index % 2 else np.cumsum(white - white.mean(), dtype=np.float32) * np.float32(0.01)
        yield "tones", tone(float(rng.uniform(80, 4000)), MADE_S, RATE_HZ, level=10 ** float(rng.uniform(-2, -0.1)))
    for path in sorted(path for path in music.rglob("*") if path.is_file()):
        for stretch in stretches(path):
            yield "music", stretch


def stretches(path: Path) -> Iterator[Samples]:
    """Stretches from a file, one in two."""
    held, made = np.zeros(0, np.float32), 0
    with open_recording(path, sample_rate_hz=RATE_HZ, channel="mix") as reading:
        for block in reading.blocks():
            held = np.concatenate([held, block[0]])
            if len(held) >= 2 * STRETCH_S * RATE_HZ:
                yield held[: STRETCH_S * RATE_HZ]
                held, made = np.zeros(0, np.float32), made + 1
            if made == STRETCHES:
                return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("music", type=Path)
    parser.add_argument("--silero", type=Path)
    parser.add_argument("--bundle")
    parser.add_argument("--json", type=Path)
    a = parser.parse_args()
    detector = glottis.Detector(a.bundle)
    least_s = detector.bundle.manifest.min_speech_s

    def scanned(samples: Samples) -> float:
        verdict = detector.scan(PCM(samples, RATE_HZ), channel="mix")
        return 0.0 if verdict.verdict == Decision.NO_SPEECH else verdict.speech_s

    ways: dict[str, Callable[[Samples], float]] = {
        "webrtcvad, mode 3": webrtc,
        "SpeechMeter": meter,
        "glottis.scan": scanned,
    }
    if a.silero:
        ways["silero"] = silero(a.silero)
    took: dict[str, float] = defaultdict(float)
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    total: dict[str, int] = defaultdict(int)
    seconds = 0.0
    for kind, samples in recordings(a.corpus, a.music):
        total[kind] += 1
        seconds += len(samples) / RATE_HZ
        for name, way in ways.items():
            began = time.process_time()
            counts[name][kind] += way(samples) >= least_s
            took[name] += time.process_time() - began
    result: dict[str, Any] = {
        "bundle": {"name": detector.bundle.manifest.name, "verdict_sha256": detector.bundle.verdict_sha256},
        "recordings": dict(total),
        "taken_for_speech": {n: {k: counts[n][k] / total[k] for k in total} for n in ways},
        "x_realtime": {name: seconds / took[name] for name in ways if name != "glottis.scan"},
    }
    text = json.dumps(result, indent=1)
    print(text)
    if a.json:
        a.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
