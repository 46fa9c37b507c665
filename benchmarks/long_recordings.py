"""Long recordings built by rule from the dev clips: how often is the verdict right, and what is found of a splice?

usage: python benchmarks/long_recordings.py CORPUS [--bundle B] [--json FILE]

Same-source concatenations of one label (30 s, 5 min, 30 min), and genuine ones of 30 s and 5 min into which one
spoof clip of the same source (1 to 4 s) is spliced. Clips are drawn with a fixed seed; each recording is scanned
from samples, as `glottis scan` would scan the file.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import glottis
from glottis.audio import PCM
from glottis.corpora import Trial, load_clip, read_trials
from glottis.verdict import Label, Verdict

RATE = 16000
LEAST_CLIPS = 5


@dataclass(frozen=True)
class Long:
    """A built recording; `splice_s` is where its fake part lies, if it is a splice."""

    kind: str
    source: str
    seconds: int
    samples: NDArray[np.float32]
    splice_s: tuple[float, float] | None = None


def build(root: Path, trials: list[Trial], seconds: int, seed: int = 1) -> Iterator[Long]:
    """One recording of each kind and source, `seconds` long."""
    groups: dict[str, dict[Label, list[Trial]]] = defaultdict(lambda: defaultdict(list))
    for trial in trials:
        groups[trial.source][trial.label].append(trial)
    for source, labels in sorted(groups.items()):
        rng = np.random.default_rng([seed, seconds, len(source), sum(map(ord, source))])
        for label, members in sorted(labels.items()):
            if len(members) < LEAST_CLIPS:
                continue
            clips = [load_clip(root / t.file, RATE) for t in members]
            wanted, parts = seconds * RATE, []
            while sum(map(len, parts)) < wanted:
                parts.append(clips[rng.integers(len(clips))])
            whole = np.concatenate(parts)[:wanted]
            yield Long(str(label), source, seconds, whole)
            fakes = labels.get(Label.SPOOF, [])
            if label == Label.BONAFIDE and len(fakes) >= LEAST_CLIPS and seconds <= 300:
                fake = load_clip(root / fakes[rng.integers(len(fakes))].file, RATE)
                start = int(rng.integers(len(whole) - len(fake)))
                spliced = np.concatenate([whole[:start], fake, whole[start + len(fake) :]])
                yield Long("splice", source, seconds, spliced, (start / RATE, (start + len(fake)) / RATE))


def found(verdict: Verdict, span: tuple[float, float]) -> bool:
    """Whether a spoof segment touches the spliced part."""
    return any(s.start_s < span[1] and s.end_s > span[0] for s in verdict.spoof_segments)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--bundle")
    parser.add_argument("--lengths", type=int, nargs="*", default=[30, 300, 1800])
    parser.add_argument("--json", type=Path)
    a = parser.parse_args()
    detector = glottis.Detector(a.bundle, threads=2)
    trials = read_trials(a.corpus / "trials.csv", split="dev")
    rows: list[dict[str, Any]] = []
    for seconds in a.lengths:
        for long in build(a.corpus, trials, seconds):
            verdict = detector.scan(PCM(long.samples, RATE))
            row = {"kind": long.kind, "source": long.source, "seconds": seconds, "verdict": str(verdict.verdict)}
            row |= {"score": verdict.score, "llr": verdict.llr, "windows": [w.score for w in verdict.windows]}
            row["segments_s"] = sum(s.end_s - s.start_s for s in verdict.spoof_segments)
            if long.splice_s:
                row["found"] = found(verdict, long.splice_s)
            rows.append(row)
    table = []
    for seconds in a.lengths:
        for kind in ("bonafide", "spoof", "splice"):
            mine = [r for r in rows if r["kind"] == kind and r["seconds"] == seconds]
            if mine:
                counts = {v: sum(r["verdict"] == v for r in mine) for v in ("bonafide", "spoof", "inconclusive")}
                line = {"seconds": seconds, "kind": kind, "recordings": len(mine)} | counts
                if kind == "splice":
                    line["found"] = sum(r["found"] for r in mine)
                table.append(line)
                print(json.dumps(line))
    if a.json:
        a.json.write_text(json.dumps({"table": table, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
