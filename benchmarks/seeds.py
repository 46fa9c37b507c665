"""Runs that went on from one net, by the same recipe with other seeds, against that net on dev.

usage: python benchmarks/seeds.py CORPUS BEFORE RUN [RUN ...] [--json results/further.json]

BEFORE is a bundle or a finished run. One window a clip. Differences are a run's chosen weights minus BEFORE, and the
mean over the runs minus BEFORE; their intervals resample sources.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from glottis.training.finished import finished
from glottis.training.store import open_tables
from glottis.training.validate import facts, score_store
from short_runs import RATE_HZ, Scores, figures, pooled_difference, within_difference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("before", type=Path)
    parser.add_argument("runs", type=Path, nargs="+", metavar="run")
    parser.add_argument("--json", type=Path)
    a = parser.parse_args()
    torch.set_num_threads(1)
    dev = open_tables([str(a.corpus / "trials.csv")], "dev", Path(".cache/clips"), RATE_HZ)
    bonafide, sources = facts(dev)

    def heard(model: Path) -> Scores:
        known = finished(model)
        return score_store(known.net, dev, known.window_samples)

    def against(after: Sequence[Scores]) -> dict[str, Any]:
        return {
            "pooled_difference": asdict(pooled_difference(after, [before], bonafide, sources)),
            "within_difference": asdict(within_difference(after, [before], bonafide, sources)),
        }

    before = heard(a.before)
    found = [heard(run) for run in a.runs]
    result = {
        "before": figures(before, bonafide, sources),
        "runs": [
            {"checks": checks(run), **figures(scores, bonafide, sources), **against([scores])}
            for run, scores in zip(a.runs, found, strict=True)
        ],
        "mean": against(found),
    }
    text = json.dumps(result, indent=1)
    print(text)
    if a.json:
        a.json.write_text(text + "\n", encoding="utf-8")


def checks(run: Path) -> list[dict[str, float]]:
    """What a run found at each look at dev."""
    lines = map(json.loads, (run / "log.jsonl").read_text(encoding="utf-8").splitlines())
    return [{name: line[name] for name in ("step", "loss", "dev_pooled_eer", "dev_within_eer")} for line in lines]


if __name__ == "__main__":
    main()
