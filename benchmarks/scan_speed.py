"""Scan against decoding alone, side by side in one run; start-up; peak memory.

usage: python benchmarks/scan_speed.py CLIPS [--minutes 10] [--hours 4] [--bundle B] [--json FILE]

CLIPS is a folder of spoken clips (such as ../shared/corpus/dev); the long recordings are made of them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av

import glottis
from glottis.audio import open_recording

RATE = 44100


def spoken(clips: Path, seconds: float) -> Iterator[av.AudioFrame]:
    """Frames of 44.1 kHz mono speech, clip after clip, until `seconds` are full."""
    resampler = av.AudioResampler("s16", "mono", RATE)
    left = seconds * RATE
    files = sorted(clips.rglob("*.flac"))
    while left > 0:
        for path in files:
            with av.open(str(path)) as container:
                for frame in container.decode(audio=0):
                    frame.pts = None
                    for out in resampler.resample(frame):
                        yield out
                        left -= out.samples
            if left <= 0:
                return


def make(path: Path, codec: str, clips: Path, seconds: float) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=RATE, layout="mono")
        if codec == "libmp3lame":
            stream.bit_rate = 64000
        for frame in spoken(clips, seconds):
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode(None):
            out.mux(packet)


def timed(call: object, repeats: int = 3) -> float:
    """The shortest of a few runs, in seconds."""
    best = float("inf")
    for _ in range(repeats):
        began = time.perf_counter()
        call()  # type: ignore[operator]
        best = min(best, time.perf_counter() - began)
    return best


def decode(path: Path) -> None:
    with open_recording(path, sample_rate_hz=16000) as recording:
        for _ in recording.blocks():
            pass


def child(code: str, *args: str) -> tuple[float, float]:
    """Seconds and peak MiB of a fresh interpreter."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, *args], check=True, capture_output=True, text=True)
    return time.perf_counter() - began, float(done.stdout.split()[-1])


PEAK = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--hours", type=float, default=4)
    parser.add_argument("--bundle")
    parser.add_argument("--json", type=Path)
    a = parser.parse_args()
    detector = glottis.Detector(a.bundle, threads=1)
    results: dict[str, float] = {}
    bundle = {"name": detector.bundle.manifest.name, "verdict_sha256": detector.bundle.verdict_sha256}
    with tempfile.TemporaryDirectory() as folder:
        for name, codec in (("flac", "flac"), ("mp3", "libmp3lame")):
            path = Path(folder) / f"long.{name}"
            make(path, codec, a.clips, a.minutes * 60)
            seconds = detector.scan(path).duration_s
            results[f"{name}_decode_x_realtime"] = seconds / timed(lambda path=path: decode(path))
            results[f"{name}_scan_x_realtime"] = seconds / timed(lambda path=path: detector.scan(path))
        if a.hours:
            path = Path(folder) / "hours.mp3"
            make(path, "libmp3lame", a.clips, a.hours * 3600)
            code = f"import sys, glottis; glottis.Detector(sys.argv[2] or None, threads=2).scan(sys.argv[1]); {PEAK}"
            results["hours_seconds"], results["hours_peak_mib"] = child(code, str(path), a.bundle or "")
        path = Path(folder) / "ten.wav"
        make(path, "pcm_s16le", a.clips, 10)
        command = [sys.executable, "-m", "glottis", "scan", str(path), *(["--model", a.bundle] if a.bundle else [])]
        results["command_to_verdict_s"] = timed(lambda: subprocess.run(command, check=True, capture_output=True))
    empty = timed(lambda: subprocess.run([sys.executable, "-c", ""], check=True), 5)
    results["import_s"] = timed(lambda: subprocess.run([sys.executable, "-c", "import glottis"], check=True), 5) - empty
    text = json.dumps({"bundle": bundle, **{k: round(v, 3) for k, v in results.items()}}, indent=1)
    print(text)
    if a.json:
        a.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
