"""Does a net that teaches its own blocks get better? ECANet18 and SENet34, three seeds each, with and without.

usage: python benchmarks/self_distillation.py CORPUS [--steps 400] [--output runs/self_distil] [--json FILE]

Both arms of a pair see the same crops in the same order. The difference is that of the means over the seeds; its
interval resamples sources, the same ones for both arms.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from short_runs import Runs, Scores, figures, pooled_difference, short_recipe, within_difference

NETS = {
    "ECANet18": {"name": "se_resnet", "depth": 18, "attention": "eca"},
    "SENet34": {"name": "se_resnet", "depth": 34, "attention": "se"},
}
SEEDS = (1, 2, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("runs/self_distil"))
    parser.add_argument("--json", type=Path)
    a = parser.parse_args()
    runs = Runs(a.corpus, a.output)
    result: dict[str, Any] = {"steps": a.steps, "batch": 32, "seeds": list(SEEDS), "nets": {}}
    for name, net in NETS.items():
        arms: dict[bool, list[Scores]] = {False: [], True: []}
        table = []
        for seed in SEEDS:
            for on in (False, True):
                recipe = partial(short_recipe, a.corpus, net, seed=seed, steps=a.steps, threads=a.threads)
                scores = runs.scores(
                    f"{name}-{seed}-{'with' if on else 'without'}",
                    recipe(loss={"name": "a_softmax"}, self_distil={"on": on}),
                )
                arms[on].append(scores)
                found = figures(scores, runs.bonafide, runs.sources)
                table.append({"seed": seed, "self_distil": on, **found})
                print(name, table[-1], flush=True)
        result["nets"][name] = {
            "runs": table,
            "pooled_difference": asdict(pooled_difference(arms[True], arms[False], runs.bonafide, runs.sources)),
            "within_difference": asdict(within_difference(arms[True], arms[False], runs.bonafide, runs.sources)),
        }
    text = json.dumps(result, indent=1)
    print(text)
    if a.json:
        a.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
