"""Long recordings built by rule from the dev clips: how often is the verdict right, and what is found of a splice?

usage: python benchmarks/long_recordings.py CORPUS [--bundle B] [--lengths 30 300 1800] [--json FILE]

Same-source concatenations of one label, and real ones into which one fake of the same source, 1 to 4 s, is spliced
(`glottis.corpora.long_recordings`, seed 1: other draws than those on which the calibration was fitted, from the same
clips). Each recording is scanned from samples, as a file would be. A splice counts as found where a spoof segment
touches it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import glottis
from glottis.audio import PCM
from glottis.corpora import LongRecording, long_recordings, read_trials
from glottis.verdict import Verdict

SEED = 1
LONGEST_SPLICED_S = 300


def row(built: LongRecording, verdict: Verdict, length_s: float) -> dict[str, Any]:
    """What is kept of one recording."""
    kept: dict[str, Any] = {
        "kind": "splice" if built.splice_s else str(built.label),
        "source": built.source,
        "length_s": length_s,
        "verdict": str(verdict.verdict),
        "llr": verdict.llr,
        "segments": len(verdict.spoof_segments),
        "segments_s": sum(one.end_s - one.start_s for one in verdict.spoof_segments),
    }
    if built.splice_s:
        start_s, end_s = built.splice_s
        kept["found"] = any(one.start_s < end_s and one.end_s > start_s for one in verdict.spoof_segments)
    return kept


def summary(rows: list[dict[str, Any]], length_s: float, kind: str) -> dict[str, Any] | None:
    """One line of the table: how many recordings of a length and kind, and what was said of them."""
    mine = [one for one in rows if one["kind"] == kind and one["length_s"] == length_s]
    if not mine:
        return None
    line: dict[str, Any] = {"length_s": length_s, "kind": kind, "recordings": len(mine)}
    line |= {said: sum(one["verdict"] == said for one in mine) for said in ("bonafide", "spoof", "inconclusive")}
    line["segments_share"] = sum(one["segments_s"] for one in mine) / (len(mine) * length_s)
    if kind == "splice":
        line["found"] = sum(one["found"] for one in mine)
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--bundle")
    parser.add_argument("--lengths", type=float, nargs="*", default=[30.0, 300.0, 1800.0])
    parser.add_argument("--json", type=Path)
    a = parser.parse_args()
    detector = glottis.Detector(a.bundle, threads=2)
    rate_hz = detector.bundle.manifest.sample_rate_hz
    trials = read_trials(a.corpus / "trials.csv", split="dev")
    rows: list[dict[str, Any]] = []
    table: list[dict[str, Any]] = []
    for length_s in a.lengths:
        splices = length_s <= LONGEST_SPLICED_S
        built = long_recordings(a.corpus, trials, length_s, sample_rate_hz=rate_hz, seed=SEED, splices=splices)
        rows += [row(one, detector.scan(PCM(one.samples, rate_hz)), length_s) for one in built]
        lines = [summary(rows, length_s, kind) for kind in ("bonafide", "spoof", "splice")]
        table += [line for line in lines if line]
        print("\n".join(json.dumps(line) for line in lines if line), flush=True)
    if a.json:
        bundle = {"name": detector.bundle.manifest.name, "verdict_sha256": detector.bundle.verdict_sha256}
        a.json.write_text(
            json.dumps({"bundle": bundle, "table": table, "rows": rows}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
