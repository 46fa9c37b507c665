from __future__ import annotations

import subprocess
import sys
import wave

import pytest

from glottis.testing import voice

pytest.importorskip("resource")

MINUTES = 8

MEASURE = """
import resource, sys
from glottis import Detector
detector = Detector(sys.argv[1], threads=2)
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
detector.scan(sys.argv[2])
before = peak()
verdict = detector.scan(sys.argv[3])
print(verdict.duration_s, len(verdict.windows), peak() - before)
"""


def write_minutes(path, minutes):
    minute = (voice(60.0) * 32_000).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        for _ in range(minutes):
            out.writeframes(minute)
    return path


def test_eight_minutes_take_no_more_than_a_minute(bundle, tmp_path):
    """As float32 it would be 31 MB; what grows is the time line and the marks of speech."""
    files = [write_minutes(tmp_path / f"{minutes}.wav", minutes) for minutes in (1, MINUTES)]
    told = subprocess.run(
        [sys.executable, "-c", MEASURE, bundle, *files], check=True, timeout=120, capture_output=True, text=True
    )
    duration_s, windows, grown = map(float, told.stdout.split())
    assert (duration_s, windows) == (60 * MINUTES, 60 * MINUTES)
    assert grown < 10e6
