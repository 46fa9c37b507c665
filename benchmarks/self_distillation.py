"""Does a net that teaches its own blocks get better? ECANet18 and SENet34, three seeds each, with and without.

usage: python benchmarks/self_distillation.py CORPUS [--steps 400] [--output runs/self_distil] [--json FILE]

Both arms of a pair see the same crops in the same order. The difference is that of the means over the seeds; its
interval resamples sources, the same ones for both arms.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.metrics import eer, mean_eer_within
from short_runs import Runs, short_recipe

NETS = {
    "ECANet18": {"name": "se_resnet", "depth": 18, "attention": "eca"},
    "SENet34": {"name": "se_resnet", "depth": 34, "attention": "se"},
}
SEEDS = (1, 2, 3)
RESAMPLES = 500


class _Drawn:
    """The facts of a draw."""

    def __init__(self, bonafide: NDArray[np.bool_], sources: NDArray[np.str_]) -> None:
        self.bonafide, self.sources = bonafide, sources


def difference(
    picked: NDArray[np.intp], arms: dict[bool, list[NDArray[np.float64]]], runs: Runs | _Drawn, *, within: bool
) -> float:
    """Mean over the seeds of the EER with, minus that without, on some clips."""
    bonafide, sources = runs.bonafide[picked], runs.sources[picked]
    means = {}
    for arm, found in arms.items():
        scores = [one[picked] for one in found]
        means[arm] = np.mean(
            [
                mean_eer_within(one, bonafide, sources) if within else eer(one[bonafide], one[~bonafide])
                for one in scores
            ]
        )
    return float(means[True] - means[False])


def interval(runs: Runs, arms: dict[bool, list[NDArray[np.float64]]], *, within: bool) -> dict[str, float]:
    """The difference with its 95 % interval; sources are drawn with replacement, each draw a source of its own."""
    every = np.arange(len(runs.bonafide))
    names = np.unique(runs.sources)
    groups = {name: np.flatnonzero(runs.sources == name) for name in names}
    rng, found = np.random.default_rng(0), []
    for _ in range(RESAMPLES):
        drawn = rng.choice(names, names.size)
        picked = np.concatenate([groups[name] for name in drawn])
        labels = np.repeat(np.arange(names.size).astype(str), [groups[name].size for name in drawn])
        again = _Drawn(runs.bonafide[picked], labels)
        moved = {arm: [scores[picked] for scores in of_arm] for arm, of_arm in arms.items()}
        found.append(difference(np.arange(picked.size), moved, again, within=within))
    low, high = np.quantile(found, [0.025, 0.975])
    return {"value": difference(every, arms, runs, within=within), "low": float(low), "high": float(high)}


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
        arms: dict[bool, list[NDArray[np.float64]]] = {False: [], True: []}
        table = []
        for seed in SEEDS:
            for on in (False, True):
                recipe = partial(short_recipe, a.corpus, net, seed=seed, steps=a.steps, threads=a.threads)
                scores = runs.scores(
                    f"{name}-{seed}-{'with' if on else 'without'}",
                    recipe(loss={"name": "a_softmax"}, self_distil={"on": on}),
                )
                arms[on].append(scores)
                table.append({"seed": seed, "self_distil": on, **runs.figures(scores)})
                print(name, table[-1], flush=True)
        result["nets"][name] = {
            "runs": table,
            "pooled_difference": interval(runs, arms, within=False),
            "within_difference": interval(runs, arms, within=True),
        }
    text = json.dumps(result, indent=1)
    print(text)
    if a.json:
        a.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
