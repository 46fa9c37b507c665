"""Short training runs on the same crops, and what scores on dev say of runs; what several benchmarks share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from glottis.augment import Chain
from glottis.metrics import Interval, bootstrap_any, bootstrap_mean, eer, eers_within, mean_eer_within
from glottis.training.batches import ChainAugment
from glottis.training.loop import fit_net
from glottis.training.processes import processes
from glottis.training.recipe import Recipe, make_recipe
from glottis.training.store import open_tables
from glottis.training.validate import facts, score_store

AUGMENT = {"room": 0.2, "noise": 0.4, "equaliser": 0.4, "band_limit": 0.25, "gain": 0.8, "codec": 0.3}
RATE_HZ = 16_000
RESAMPLES = 500
Scores = NDArray[np.float64]


def short_recipe(corpus: Path, net: dict[str, Any], *, seed: int, steps: int, threads: int, **tables: Any) -> Recipe:
    """A recipe that trains for some steps and looks at dev once, at the end."""
    table = {
        "data": {"train": [str(corpus / "trials.csv")], "dev": str(corpus / "trials.csv"), "crop_s": 4.0},
        "net": net,
        "augment": AUGMENT,
        "optimiser": {"batch": 32, "learning_rate": 1e-3, "ema": 0.99},
        "schedule": {"steps": steps, "check_every": steps, "seed": seed, "threads": threads},
    }
    for name, values in tables.items():
        table[name] = {**table.get(name, {}), **values}
    return make_recipe(table)


class Runs:
    """Runs on one corpus; a run that was done is read, not repeated.

    Args:
        corpus: The shared corpus's folder.
        output: Where runs are kept.
    """

    def __init__(self, corpus: Path, output: Path) -> None:
        self.output = output
        cache = Path(".cache/clips")
        self.train = open_tables([str(corpus / "trials.csv")], "train", cache, RATE_HZ)
        self.dev = open_tables([str(corpus / "trials.csv")], "dev", cache, RATE_HZ)
        self.bonafide, self.sources = facts(self.dev)

    def scores(self, name: str, recipe: Recipe) -> Scores:
        """The dev scores of a run, one for each clip."""
        folder = self.output / name
        kept = folder / "scores.npy"
        if not kept.exists():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "recipe.json").write_text(json.dumps({"recipe": recipe.to_dict()}, indent=1))
            augment = ChainAugment(Chain.from_dict(dict(recipe.augment)), RATE_HZ)
            losses: list[float] = []
            with processes(recipe) as fabric:
                net = fit_net(
                    recipe,
                    fabric=fabric,
                    train=self.train,
                    dev=self.dev,
                    augment=augment,
                    output=folder,
                    progress=lambda line: losses.append(line["step_loss"]),
                )
            (folder / "losses.json").write_text(json.dumps(losses))
            np.save(kept, score_store(net, self.dev, round(recipe.export.window_s * RATE_HZ)))
        found: Scores = np.load(kept)
        return found

    def losses(self, name: str) -> list[float]:
        """The loss of each step of a run."""
        found: list[float] = json.loads((self.output / name / "losses.json").read_text())
        return found


def figures(scores: Scores, bonafide: NDArray[np.bool_], sources: NDArray[np.str_]) -> dict[str, float]:
    """Pooled and within-source EER."""
    pooled = eer(scores[bonafide], scores[~bonafide])
    return {"pooled_eer": pooled, "within_eer": mean_eer_within(scores, bonafide, sources)}


def pooled_difference(
    after: Sequence[Scores], before: Sequence[Scores], bonafide: NDArray[np.bool_], sources: NDArray[np.str_]
) -> Interval:
    """Mean over runs of the pooled EER `after`, minus that `before`; whole sources are drawn, the same for both."""

    def figure(picked: NDArray[np.intp]) -> float:
        real = bonafide[picked]
        means = [np.mean([eer(one[picked][real], one[picked][~real]) for one in runs]) for runs in (after, before)]
        return float(means[0] - means[1])

    return bootstrap_any(figure, [np.arange(sources.size)], groups=[sources], resamples=RESAMPLES)


def within_difference(
    after: Sequence[Scores], before: Sequence[Scores], bonafide: NDArray[np.bool_], sources: NDArray[np.str_]
) -> Interval:
    """The same of the EERs inside the sources that have both labels; those sources are drawn."""
    means = [
        np.mean([list(eers_within(one, bonafide, sources).values()) for one in runs], axis=0)
        for runs in (after, before)
    ]
    return bootstrap_mean(means[0] - means[1], resamples=RESAMPLES)


def parameters(net: torch.nn.Module) -> int:
    """How many are learned."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)
