"""A bundle whose net has fewer channels, tuned beside the whole one, which teaches it (Hinton et al., 2015)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from glottis.augment import Chain
from glottis.bundle import Bundle, copy_bundle
from glottis.bundle.store import README
from glottis.errors import RecipeError
from glottis.nets.contract import Countermeasure
from glottis.nets.of_bundle import torch_net
from glottis.training import checkpoint
from glottis.training.batches import ChainAugment
from glottis.training.checkpoint import CHOSEN, KEPT
from glottis.training.exporter import MODEL, SPEECH, WEIGHTS, to_onnx, weights_of
from glottis.training.graft import graft
from glottis.training.loop import fit_net
from glottis.training.narrow import narrow
from glottis.training.processes import processes
from glottis.training.recipe import Recipe, lay_over, make_recipe, parse_setting
from glottis.training.store import open_tables

Progress = Callable[[dict[str, Any]], None]

TUNING: dict[str, Any] = {
    "distil": {"weight": 1.0},
    "optimiser": {"ema": 0.99},
    "schedule": {"steps": 500},
}
"""Where the tuning of a pruned net differs from a recipe's defaults; dev is seen when it ends, and decides nothing."""


@dataclass(frozen=True, slots=True)
class Pruning:
    """How much goes, and how what is left is tuned.

    Attributes:
        keep: The share of each stage's channels that stays.
        table: The table of trials on whose splits ``train`` and ``dev`` it is tuned; see `TUNING`.
        settings: ``table.key=value``, laid over the recipe of the tuning: ``schedule.steps=1000``.
        progress: Called after each step of the tuning.
    """

    keep: float
    table: Path
    settings: Sequence[str] = ()
    progress: Progress = lambda _line: None


def prune(bundle: Bundle, folder: Path, pruning: Pruning) -> Path:
    """Write a bundle with the pruned net; it can be tuned further, and must be calibrated.

    The net is tuned under the augmentation and the loss of the bundle's own recipe, if it has one. Outputs that are
    not the net's, such as ``speech``, stay what they were.

    Args:
        bundle: With its net in it.
        folder: Where the new one goes.
        pruning: How.

    Raises:
        BundleError: The bundle has no net.
        RecipeError: The net cannot be pruned, or a setting does not fit.
    """
    net, manifest = torch_net(bundle), bundle.manifest
    part = dict(manifest.torch or {})
    pruned, args = narrow(net, part["net"], part.get("args", {}), pruning.keep, manifest.window_samples)
    recipe = tuning_recipe(bundle, {"name": part["net"], **args}, pruning)
    tuned = _tuned(pruned, recipe, pruning.progress)
    model = to_onnx(tuned, manifest.window_samples)
    if SPEECH in manifest.outputs:
        model = graft(model, bundle.read(MODEL), SPEECH)
    files = {MODEL: model, WEIGHTS: weights_of(tuned)}
    if README in manifest.files:
        files[README] = f"{_note(bundle, recipe)}\n{bundle.read(README).decode()}".encode()
    part |= {"args": args, "weights": WEIGHTS}
    return copy_bundle(bundle, folder, changes={"torch": part, "calibration": None, "metrics": {}}, files=files)


def tuning_recipe(bundle: Bundle, net: dict[str, Any], pruning: Pruning) -> Recipe:
    """The recipe by which a pruned net is tuned.

    Args:
        bundle: What is pruned.
        net: The pruned net's name and arguments.
        pruning: With the settings that are laid over.

    Raises:
        RecipeError: A setting does not fit.
    """
    name = bundle.manifest.recipe
    own = json.loads(bundle.read(name)) if name in bundle.manifest.files else {}
    table = {
        "data": {"train": [str(pruning.table)], "dev": str(pruning.table)},
        "net": net,
        "sample_rate_hz": bundle.manifest.sample_rate_hz,
        "export": {"window_s": bundle.manifest.window_samples / bundle.manifest.sample_rate_hz},
        **{stage: own[stage] for stage in ("augment", "loss") if stage in own},
        **{stage: dict(values) for stage, values in TUNING.items()},
    }
    table["distil"]["teacher"] = str(bundle.path)
    for setting in pruning.settings:
        lay_over(table, *parse_setting(setting))
    optimiser = table["optimiser"]
    accumulate = optimiser.get("accumulate", 1) if isinstance(optimiser, dict) else 1
    lay_over(table, "schedule.check_every", accumulate)  # until it is known that the steps are a number
    recipe = make_recipe(table)
    steps = recipe.schedule.steps
    if steps % recipe.optimiser.accumulate:
        raise RecipeError(
            f"schedule.steps {steps} is no multiple of optimiser.accumulate {accumulate}",
            hint="the tuning ends with a whole step",
        )
    return replace(recipe, schedule=replace(recipe.schedule, check_every=steps))


def _tuned(net: Countermeasure, recipe: Recipe, progress: Progress) -> Any:
    cache, rate_hz = Path(recipe.data.cache), recipe.sample_rate_hz
    with tempfile.TemporaryDirectory() as folder:
        start = Path(folder)
        checkpoint.save(start / CHOSEN, {"net": net.state_dict()})
        (start / KEPT).write_text(json.dumps({"recipe": recipe.to_dict()}))
        (run := start / "run").mkdir()
        with processes(recipe) as fabric:
            return fit_net(
                replace(recipe, schedule=replace(recipe.schedule, start=folder)),
                fabric=fabric,
                train=open_tables(recipe.data.train, "train", cache, rate_hz),
                dev=open_tables((recipe.data.dev,), "dev", cache, rate_hz),
                augment=ChainAugment(Chain.from_dict(dict(recipe.augment)), rate_hz) if recipe.augment else None,
                output=run,
                progress=progress,
            )


def _note(bundle: Bundle, recipe: Recipe) -> str:
    manifest = bundle.manifest
    return (
        f"Pruned from {manifest.name} {manifest.version} (sha256 {bundle.sha256[:12]}) to the widths "
        f"{recipe.net['widths']} and tuned for {recipe.schedule.steps} steps. What follows is the card of the whole "
        "one: its figures are not those of this bundle, which must be calibrated anew.\n"
    )
