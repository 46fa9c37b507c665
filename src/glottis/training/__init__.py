"""From a recipe and a corpus to a bundle."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

import glottis
from glottis.augment import Chain
from glottis.corpora import Trial
from glottis.errors import RecipeError
from glottis.training.batches import ChainAugment
from glottis.training.em import fit_mixtures
from glottis.training.exporter import corpora_of, export_bundle
from glottis.training.loop import fit_net
from glottis.training.on_embeddings import head_recipe, open_embedded, with_encoder
from glottis.training.recipe import Recipe, read_recipe
from glottis.training.speech_head import add_speech
from glottis.training.store import open_tables

__all__ = ["Recipe", "read_recipe", "train"]


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
    if recipe.data.embeddings:
        return _train_on_embeddings(recipe, output, progress)
    cache = Path(recipe.data.cache)
    training = open_tables(recipe.data.train, "train", cache, recipe.sample_rate_hz)
    dev = open_tables((recipe.data.dev,), "dev", cache, recipe.sample_rate_hz)
    augment = ChainAugment(Chain.from_dict(dict(recipe.augment)), recipe.sample_rate_hz) if recipe.augment else None
    fit = fit_mixtures if recipe.net["name"] == "gmm" else fit_net
    net = whole = fit(recipe, train=training, dev=dev, augment=augment, output=output, progress=progress)
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
    return _export(recipe, whole, net, dev.trials, output)


def _train_on_embeddings(recipe: Recipe, output: Path, progress: Callable[[dict[str, Any]], None]) -> Path:
    head = head_recipe(recipe)
    training = open_embedded(recipe, recipe.data.train, "train")
    dev = open_embedded(recipe, (recipe.data.dev,), "dev")
    found = fit_net(head, train=training, dev=dev, augment=None, output=output, progress=progress)
    net = with_encoder(recipe, found.state_dict())
    return _export(recipe, net, net, dev.trials, output)


def _export(recipe: Recipe, whole: nn.Module, net: nn.Module, trials: Sequence[Trial], output: Path) -> Path:
    return export_bundle(
        whole,
        output / "bundle",
        trainable=net,
        root=Path(recipe.data.dev).parent,
        trials=trials,
        recipe=recipe,
        trained_on=corpora_of(recipe),
    )


def _keep_recipe(recipe: Recipe, output: Path) -> None:
    versions = {"glottis": glottis.__version__, "torch": torch.__version__, "python": platform.python_version()}
    resolved = json.dumps({"recipe": recipe.to_dict(), "versions": versions}, indent=1)
    kept = output / "recipe.json"
    if kept.exists() and json.loads(kept.read_text())["recipe"] != json.loads(resolved)["recipe"]:
        raise RecipeError(f"{output} holds a run of another recipe", hint="choose another output folder")
    kept.write_text(resolved + "\n")
