"""Whether `glottis explain` marks what matters: its own check on ten dev clips, and the fills side by side on others.

usage: python benchmarks/explain_check.py CORPUS [--bundle B] [--json results/explain.json]

The dev clips of at least 2 s are shuffled, with a fixed seed, within each label. The check runs on the first five of
each label that get a verdict; the fills are compared on the next six. A check passes where deleting the marked
tenth of the cells at once moves the llr further, and to the other side, than each of 20 random draws does.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import glottis
from glottis.corpora import Trial, read_trials
from glottis.errors import InputError
from glottis.explain import Explained, Settings, explain
from glottis.explain.spectrum import FILLS
from glottis.verdict import Label

SEED = 12
LEAST_S = 2.0
CHECKED, COMPARED = 5, 6
WANTED = 8


def shuffled(trials: list[Trial]) -> dict[Label, Iterator[Trial]]:
    """The clips of each label in a fixed random order."""
    rng = np.random.default_rng(SEED)
    order: dict[Label, Iterator[Trial]] = {}
    for label in Label:
        mine = sorted((t for t in trials if t.label == label and t.duration_s >= LEAST_S), key=lambda t: t.file)
        order[label] = iter([mine[i] for i in rng.permutation(len(mine))])
    return order


def looked_into(
    clips: Iterator[Trial], count: int, root: Path, detector: glottis.Detector, *, fills: list[str], skipped: list[str]
) -> Iterator[tuple[Trial, str, Explained]]:
    """The next `count` clips that get a verdict, each with every fill: (clip, fill, its window)."""
    found = 0
    while found < count:
        clip = next(clips)
        try:
            for fill in fills:
                found_by = explain(clip.path(root), detector, settings=Settings(fill=fill), channel="mix")
                yield clip, fill, found_by.windows[0]
            found += 1
        except InputError as error:
            if error.code != "no_speech":
                raise
            skipped.append(clip.file)


def figures(windows: list[Explained]) -> dict[str, Any]:
    """Of one fill on several windows."""
    checks = [window.check for window in windows]
    return {
        "windows": len(checks),
        "passed": sum(check.passed for check in checks),
        "marked_move_mean": float(np.mean([check.marked_move for check in checks])),
        "random_move_mean": float(np.mean([check.random_mean for check in checks])),
        "ratio_median": float(np.median([check.marked_move / max(check.random_mean, 1e-9) for check in checks])),
    }


def row(clip: Trial, window: Explained) -> dict[str, Any]:
    check = window.check
    return {
        "file": clip.file,
        "label": clip.label,
        "llr": window.llr,
        "speaks_for": window.speaks_for,
        "cells": check.cells,
        "of": check.of,
        "energy_share": check.energy_share,
        "marked_move": check.marked_move,
        "random_mean": check.random_mean,
        "random_most": max(check.random_moves),
        "passed": check.passed,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--bundle")
    parser.add_argument("--json", type=Path)
    a = parser.parse_args()
    detector = glottis.Detector(a.bundle)
    order, skipped = shuffled(read_trials(a.corpus / "trials.csv", split="dev")), []
    rows = [
        row(clip, window)
        for clips in order.values()
        for clip, _, window in looked_into(clips, CHECKED, a.corpus, detector, fills=["background"], skipped=skipped)
    ]
    by_fill: dict[str, list[Explained]] = {fill: [] for fill in FILLS}
    for clips in order.values():
        for _, fill, window in looked_into(clips, COMPARED, a.corpus, detector, fills=list(FILLS), skipped=skipped):
            by_fill[fill].append(window)
    passed = sum(one["passed"] for one in rows)
    result = {
        "bundle": {"name": detector.bundle.manifest.name, "verdict_sha256": detector.bundle.verdict_sha256},
        "seed": SEED,
        "passed": passed,
        "of": len(rows),
        "without_a_verdict": skipped,
        "clips": rows,
        "fills_on_other_clips": {fill: figures(windows) for fill, windows in by_fill.items()},
    }
    text = json.dumps(result, indent=1)
    print(text)
    if a.json:
        a.json.write_text(text + "\n", encoding="utf-8")
    return 0 if passed >= WANTED else 1


if __name__ == "__main__":
    raise SystemExit(main())
