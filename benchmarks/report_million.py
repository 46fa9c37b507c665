"""How long a report on a million trials takes to make, how large it is, and how long a browser takes to open it.

usage: python benchmarks/report_million.py [--trials N] [--chromium chromium] [--json FILE]

Two systems of Gaussian scores, 13 attacks, 100 speakers; a tenth bona fide. Reading the files is part of it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def make(folder: Path, count: int) -> list[str]:
    rng = np.random.default_rng(0)
    bonafide = rng.random(count) < 0.1  # noqa: PLR2004
    with (folder / "protocol.txt").open("w") as out:
        for i, real in enumerate(bonafide.tolist()):
            attack = "-" if real else f"A{7 + i % 13:02d}"
            out.write(f"S{i % 100:03d} T{i:07d} - {attack} {'bonafide' if real else 'spoof'}\n")
    names = []
    for k in range(2):
        scores = rng.normal(np.where(bonafide, 2.5 + 0.2 * k, -2.5), 1.5)
        path = folder / f"system{k}.txt"
        path.write_text("".join(f"T{i:07d} {score:.6f}\n" for i, score in enumerate(scores.tolist())))
        names.append(str(path))
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1_000_000)
    parser.add_argument("--chromium")
    parser.add_argument("--json", type=Path)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = make(folder, a.trials)
        page = folder / "report.html"
        command = [sys.executable, "-m", "glottis", "evaluate", files[0], "--protocol", str(folder / "protocol.txt")]
        began = time.perf_counter()
        subprocess.run([*command, "--by", "attack", "--html", str(page)], check=True, stdout=subprocess.DEVNULL)
        result = {"trials": a.trials, "one_system_s": time.perf_counter() - began, "bytes": page.stat().st_size}
        began = time.perf_counter()
        subprocess.run([*command, files[1], "--html", str(page)], check=True, stdout=subprocess.DEVNULL)
        result |= {"two_systems_s": time.perf_counter() - began, "bytes_of_two": page.stat().st_size}
        result["peak_mib"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        if a.chromium:
            began = time.perf_counter()
            arguments = ["--headless", "--no-sandbox", "--disable-gpu", f"--screenshot={folder / 'page.png'}"]
            subprocess.run([a.chromium, *arguments, page.as_uri()], check=True, capture_output=True)
            result["browser_s"] = time.perf_counter() - began
    text = json.dumps(result, indent=1)
    print(text)
    if a.json:
        a.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
