"""From a recipe and a corpus to a bundle."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import glottis
from glottis.augment import Chain, apply
from glottis.corpora import Trial, read_trials
from glottis.errors import RecipeError
from glottis.training.exporter import export_bundle
from glottis.training.loop import fit_net
from glottis.training.recipe import Recipe, read_recipe
from glottis.training.speech_head import add_speech
from glottis.training.store import ClipStore, open_store

__all__ = ["Recipe", "read_recipe", "train"]


@dataclass(frozen=True, slots=True)
class _Augment:
    """A chain drawn anew for each crop; a class, so that workers can be started by any method."""

    chain: Chain
    sample_rate_hz: int

    def __call__(self, samples: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        return apply(self.chain.draw(rng), samples, self.sample_rate_hz)


def train(
    recipe_path: Path,
    settings: Sequence[str] = (),
    output: Path = Path("runs/run"),
    progress: Callable[[dict[str, Any]], None] = lambda _line: None,
) -> Path:
    """Train a bundle by a recipe; called again with the same output, it goes on where it stopped.

    Args:
        recipe_path: The TOML file.
        settings: ``table.key=value``, laid over the recipe.
        output: The run's folder: resolved recipe, log, checkpoints, and ``bundle/``.
        progress: Called after each step with a line of facts.

    Returns:
        The bundle's folder.

    Raises:
        RecipeError: The recipe does not fit, or `output` holds a run of another recipe.
        CorpusError: A trial list does not fit.
    """
    recipe = read_recipe(recipe_path, settings)
    output.mkdir(parents=True, exist_ok=True)
    _keep_recipe(recipe, output)
    cache = Path(recipe.data.cache)
    training = _clips(recipe.data.train, "train", cache, recipe.sample_rate_hz)
    dev = _clips((recipe.data.dev,), "dev", cache, recipe.sample_rate_hz)
    augment = _Augment(Chain.from_dict(dict(recipe.augment)), recipe.sample_rate_hz) if recipe.augment else None
    net = whole = fit_net(recipe, train=training, dev=dev, augment=augment, output=output, progress=progress)
    if recipe.export.no_speech:
        whole = add_speech(
            net,
            training,
            Path(recipe.export.no_speech),
            window_samples=round(recipe.export.window_s * recipe.sample_rate_hz),
            sample_rate_hz=recipe.sample_rate_hz,
            augment=augment,
            seed=recipe.schedule.seed,
        )
    names = [Path(table).parent.name for table in recipe.data.train]
    return export_bundle(
        whole,
        output / "bundle",
        trainable=net,
        root=Path(recipe.data.dev).parent,
        trials=dev.trials,
        recipe=recipe,
        trained_on=names,
    )


def _clips(tables: Sequence[str], split: str, cache: Path, sample_rate_hz: int) -> ClipStore:
    trials: list[tuple[Path, Trial]] = []
    for table in map(Path, tables):
        trials += [(table.parent, trial) for trial in read_trials(table, split=split)]
    return open_store(trials, cache, sample_rate_hz)


def _keep_recipe(recipe: Recipe, output: Path) -> None:
    versions = {"glottis": glottis.__version__, "torch": torch.__version__, "python": platform.python_version()}
    resolved = json.dumps({"recipe": recipe.to_dict(), "versions": versions}, indent=1)
    kept = output / "recipe.json"
    if kept.exists() and json.loads(kept.read_text())["recipe"] != json.loads(resolved)["recipe"]:
        raise RecipeError(f"{output} holds a run of another recipe", hint="choose another output folder")
    kept.write_text(resolved + "\n")
