"""From a recipe and a corpus to a bundle."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import nn

import glottis
from glottis._files import replace_file
from glottis.augment import Chain
from glottis.errors import RecipeError
from glottis.training.batches import Augment, ChainAugment
from glottis.training.checkpoint import KEPT, LAST
from glottis.training.em import fit_mixtures
from glottis.training.exporter import corpora_of, export_bundle, speech_donor
from glottis.training.loop import fit_net
from glottis.training.on_embeddings import head_recipe, open_embedded, with_encoder
from glottis.training.processes import processes
from glottis.training.recipe import Recipe, read_recipe
from glottis.training.speech_head import add_speech
from glottis.training.store import Clips, ClipStore, open_tables
from glottis.training.tensorboard import with_scalars

__all__ = ["Recipe", "read_recipe", "train"]


def train(
    recipe_path: Path,
    settings: Sequence[str] = (),
    output: Path = Path("runs/run"),
    progress: Callable[[dict[str, Any]], None] = lambda _line: None,
    *,
    tensorboard: bool = False,
) -> Path:
    """Train a bundle by a recipe; called again with the same output, it goes on where it stopped.

    Under ``torchrun`` each process calls this; see `glottis.training.processes`. Each waits for the bundle.

    Args:
        recipe_path: The TOML file.
        settings: ``table.key=value``, laid over the recipe.
        output: The run's folder: resolved recipe, log, checkpoints, and ``bundle/``.
        progress: Called after each step with a line of facts.
        tensorboard: Whether the loss of each step and the figures of each check are written into ``tensorboard/`` too.

    Returns:
        The bundle's folder.

    Raises:
        RecipeError: The recipe does not fit, or `output` holds a run of another recipe.
        CorpusError: A trial list does not fit.
        BundleError: A bundle that the recipe names does not open.
        MissingExtra: TensorBoard is wanted and not installed.
    """
    recipe = read_recipe(recipe_path, settings)
    _check_speech(recipe)
    learned = head_recipe(recipe) if recipe.data.embeddings else recipe
    with processes(recipe) as fabric, ExitStack() as stack:
        if fabric.is_global_zero:
            output.mkdir(parents=True, exist_ok=True)
            _keep_recipe(recipe, output)
            if tensorboard:
                progress = stack.enter_context(with_scalars(progress, output / "tensorboard"))
        with fabric.rank_zero_first(local=True):  # decodes; the others find the cache
            training, dev = _clips(recipe)
        augment = ChainAugment(Chain.from_dict(dict(recipe.augment)), recipe.sample_rate_hz) if recipe.augment else None
        net = (fit_mixtures if recipe.net["name"] == "gmm" else fit_net)(
            learned,
            fabric=fabric,
            train=training,
            dev=dev,
            augment=augment,
            output=output,
            progress=progress if fabric.is_global_zero else lambda _line: None,
        )
        if fabric.is_global_zero:
            _export(recipe, net, output, training=training, dev=dev, augment=augment)
        fabric.barrier()
    return output / "bundle"


def _check_speech(recipe: Recipe) -> None:
    """Refuse before the hours of training what would be refused after them."""
    speech_donor(recipe)
    if recipe.export.no_speech and not Path(recipe.export.no_speech).is_dir():
        raise RecipeError(
            f"export.no_speech {recipe.export.no_speech} is no folder",
            hint='gather sounds without speech there, or take over an output: export.speech_of = "default"',
        )


def _clips(recipe: Recipe) -> tuple[Clips, Clips]:
    """What there is to learn from, and to choose by."""
    data, dev = recipe.data, (recipe.data.dev,)
    if data.embeddings:
        return open_embedded(recipe, data.train, "train"), open_embedded(recipe, dev, "dev")
    cache, rate_hz = Path(data.cache), recipe.sample_rate_hz
    return open_tables(data.train, "train", cache, rate_hz), open_tables(dev, "dev", cache, rate_hz)


def _export(
    recipe: Recipe, net: nn.Module, output: Path, *, training: Clips, dev: Clips, augment: Augment | None
) -> None:
    if recipe.data.embeddings:
        net = with_encoder(recipe, net.state_dict())
    whole = net
    if recipe.export.no_speech and isinstance(training, ClipStore):
        whole = add_speech(
            net,
            training,
            Path(recipe.export.no_speech),
            window_samples=round(recipe.export.window_s * recipe.sample_rate_hz),
            sample_rate_hz=recipe.sample_rate_hz,
            augment=augment,
            seed=recipe.schedule.seed,
        )
    export_bundle(
        whole,
        output / "bundle",
        trainable=net,
        root=Path(recipe.data.dev).parent,
        trials=dev.trials,
        recipe=recipe,
        trained_on=corpora_of(recipe),
    )


def _keep_recipe(recipe: Recipe, output: Path) -> None:
    versions = {"glottis": glottis.__version__, "torch": torch.__version__, "python": platform.python_version()}
    resolved = json.dumps({"recipe": recipe.to_dict(), "versions": versions}, indent=1)
    kept = output / KEPT
    begun = kept.exists() and (output / LAST).exists()  # what never came to a check claims nothing
    if begun and json.loads(kept.read_text())["recipe"] != json.loads(resolved)["recipe"]:
        raise RecipeError(f"{output} holds a run of another recipe", hint="choose another output folder")
    replace_file(kept, f"{resolved}\n".encode())
