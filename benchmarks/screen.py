"""Is an idea worth a long run? Short runs with and without it, on sources that were left out.

usage: python benchmarks/screen.py recipes/screen.toml --arm "crops of 2 s" data.crop_s=2.0 --arm "no pairs"
    data.pair_share=0.0 [--set KEY=VALUE ...] [--folds 3] [--output runs/screen] [--json FILE] [--page PAGE]

The sources of train and dev that have enough clips of both labels are dealt into folds; each fold is scored by a net
that heard all other sources, mixed or not, and that is not chosen by it: the last step's average counts. Every arm has
the recipe's seed, so that arms with the same data see the same crops. Reported are the mean over the folds of the
pooled EER, the mean EER inside the left-out sources, and the differences from the recipe as it is, with 95 % intervals
that resample sources, the same ones for both arms. A run that was done is read, not repeated.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.augment import Chain
from glottis.corpora import Trial, read_trials
from glottis.metrics import bootstrap_any, eer, mean_eer_within
from glottis.training.batches import ChainAugment
from glottis.training.loop import fit_net
from glottis.training.processes import processes
from glottis.training.recipe import Recipe, read_recipe
from glottis.training.store import ClipStore, open_store
from glottis.training.validate import score_store
from glottis.verdict import Label
from pages import put_table
from short_runs import RESAMPLES, Scores, within_difference

LEAST, MOST = 7, 40
"""Clips of each label that a left-out source must have, and of which it is scored on at most so many."""

BASE = "the recipe as it is"


@dataclass(frozen=True)
class Part(ClipStore):
    """Some clips of a store."""

    picked: tuple[int, ...]

    def clip(self, index: int) -> NDArray[np.float32]:
        """One of them."""
        return super().clip(self.picked[index])


def part(whole: ClipStore, picked: Sequence[int]) -> Part:
    return Part(tuple(whole.trials[i] for i in picked), whole.starts, whole.samples, tuple(picked))


class Screen:
    """The corpus, its folds, and the runs.

    Args:
        recipe: The recipe as it is, for its data.
        folds: How many.
        output: Where runs are kept.
    """

    def __init__(self, recipe: Recipe, folds: int, output: Path) -> None:
        self.output = output
        tables = [(Path(table), "train") for table in recipe.data.train] + [(Path(recipe.data.dev), "dev")]
        rows = [(table.parent, trial) for table, split in tables for trial in read_trials(table, split=split)]
        self.whole = open_store(rows, Path(recipe.data.cache), recipe.sample_rate_hz)
        self.folds = [self._held(sources) for sources in dealt(self.whole.trials, folds)]
        held = [self.whole.trials[i] for fold in self.folds for i in fold]
        self.bonafide = np.array([trial.label == Label.BONAFIDE for trial in held])
        self.sources = np.array([trial.source for trial in held])
        self.fold = np.repeat(np.arange(folds), [len(fold) for fold in self.folds])

    def _held(self, sources: set[str]) -> list[int]:
        """The clips of some sources that are scored: at most `MOST` of each label and source, evenly taken."""
        groups: dict[tuple[str, Label], list[int]] = defaultdict(list)
        for index, trial in enumerate(self.whole.trials):
            if trial.source in sources:
                groups[trial.source, trial.label].append(index)
        return [i for one in groups.values() for i in one[:: -(-len(one) // MOST)]]

    def scores(self, name: str, recipe: Recipe) -> Scores:
        """The scores of all left-out clips, each by the net of its fold."""
        return np.concatenate([self._run(name, recipe, fold) for fold in range(len(self.folds))])

    def _run(self, name: str, recipe: Recipe, fold: int) -> Scores:
        folder = self.output / f"{name.replace(' ', '_')}-{fold}"
        folder.mkdir(parents=True, exist_ok=True)
        kept, told = folder / "scores.npy", folder / "recipe.json"
        text = json.dumps(recipe.to_dict(), indent=1)
        if told.exists() and told.read_text() != text:
            raise SystemExit(f"{folder} holds a run of another recipe")
        told.write_text(text)
        if not kept.exists():
            held = part(self.whole, self.folds[fold])
            out = {trial.source for trial in held.trials}
            heard = part(self.whole, [i for i, trial in enumerate(self.whole.trials) if trial.source not in out])
            augment = ChainAugment(Chain.from_dict(dict(recipe.augment)), recipe.sample_rate_hz)
            with processes(recipe) as fabric:
                net = fit_net(
                    recipe,
                    fabric=fabric,
                    train=heard,
                    dev=held,
                    augment=augment,
                    output=folder,
                    progress=lambda _: None,
                )
            np.save(kept, score_store(net, held, round(recipe.export.window_s * recipe.sample_rate_hz)))
        found: Scores = np.load(kept)
        return found

    def pooled(self, scores: Scores, picked: NDArray[np.intp]) -> float:
        """The mean over the folds of the pooled EER of some clips."""
        eers = []
        for fold in range(len(self.folds)):
            chosen = picked[self.fold[picked] == fold]
            real, fake = chosen[self.bonafide[chosen]], chosen[~self.bonafide[chosen]]
            if real.size and fake.size:
                eers.append(eer(scores[real], scores[fake]))
        return float(np.mean(eers))

    def row(self, name: str, scores: Scores, base: Scores) -> dict[str, Any]:
        """An arm's figures, and its differences from the recipe as it is."""
        every = np.arange(scores.size)
        difference = bootstrap_any(
            lambda picked: self.pooled(scores, picked) - self.pooled(base, picked),
            [every],
            groups=[self.sources],
            resamples=RESAMPLES,
        )
        return {
            "arm": name,
            "pooled_eer": self.pooled(scores, every),
            "within_eer": mean_eer_within(scores, self.bonafide, self.sources),
            "pooled_difference": asdict(difference),
            "within_difference": asdict(within_difference([scores], [base], self.bonafide, self.sources)),
        }


def dealt(trials: Sequence[Trial], folds: int) -> list[set[str]]:
    """The mixed sources, dealt by size: the largest first, each to the next fold."""
    counts: dict[str, dict[Label, int]] = defaultdict(lambda: dict.fromkeys(Label, 0))
    for trial in trials:
        counts[trial.source][trial.label] += 1
    mixed = {source: min(found.values()) for source, found in counts.items() if min(found.values()) >= LEAST}
    ordered = sorted(mixed, key=lambda source: (-mixed[source], source))
    return [set(ordered[fold::folds]) for fold in range(folds)]


def table(found: dict[str, Any]) -> str:
    """The table as Markdown."""
    lines = ["| arm | settings | pooled | inside sources | change, pooled | change, inside |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for one in found["arms"]:
        changes = (
            ["", ""] if one["arm"] == BASE else [shown(one[f"{kind}_difference"]) for kind in ("pooled", "within")]
        )
        settings = ", ".join(f"`{setting}`" for setting in one["settings"])
        figures = f"{100 * one['pooled_eer']:.1f} | {100 * one['within_eer']:.1f}"
        lines.append(f"| {one['arm']} | {settings} | {figures} | {changes[0]} | {changes[1]} |")
    return "\n".join(lines)


def shown(difference: dict[str, Any]) -> str:
    """In points, with its interval."""
    value, low, high = (100 * difference[key] for key in ("value", "low", "high"))
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--arm", nargs="+", action="append", default=[], metavar=("NAME", "KEY=VALUE"))
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("runs/screen"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--page", type=Path)
    a = parser.parse_args()
    recipe = read_recipe(a.recipe, a.settings)
    screen = Screen(recipe, a.folds, a.output)
    found: dict[str, Any] = {"steps": recipe.schedule.steps, "batch": recipe.optimiser.batch, "folds": a.folds}
    found |= {"sources": len(set(screen.sources)), "clips": int(screen.sources.size), "arms": []}
    base: Scores | None = None
    for name, *settings in [[BASE], *a.arm]:
        scores = screen.scores(name, read_recipe(a.recipe, [*a.settings, *settings]))
        base = scores if base is None else base
        found["arms"].append({"settings": settings, **screen.row(name, scores, base)})
        print(table({"arms": found["arms"][-1:]}).splitlines()[-1], flush=True)
        if a.json:
            a.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if a.page:
        put_table(a.page, "screen", table(found))


if __name__ == "__main__":
    main()
