"""Finished runs and bundles: their nets, to start from or to learn from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from glottis.bundle import open_bundle
from glottis.bundle.manifest import MANIFEST
from glottis.bundle.store import SHIPPED
from glottis.errors import RecipeError, one_line
from glottis.nets import build_net
from glottis.nets.contract import Countermeasure
from glottis.nets.of_bundle import torch_net
from glottis.nets.ssl import SSLNet
from glottis.training import checkpoint
from glottis.training.checkpoint import CHOSEN, KEPT
from glottis.training.losses import log_odds
from glottis.training.recipe import Recipe, make_recipe

_NEAR = 1e-5
"""How near the scores of two nets with the same weights and settings are, on any device."""


class Finished(NamedTuple):
    """A run that has chosen its weights, or a bundle.

    Attributes:
        net: In evaluation mode.
        sample_rate_hz: Of its samples.
        window_samples: Of the windows that it is, or will be, exported with.
        recipe: Of a run; None for a bundle.
    """

    net: Countermeasure
    sample_rate_hz: int
    window_samples: int
    recipe: Recipe | None


def build_recipe_net(recipe: Recipe) -> Countermeasure:
    """The net that a recipe trains, with new weights; on embeddings without its encoder."""
    net = build_whole_net(recipe)
    if recipe.data.embeddings and isinstance(net, SSLNet):
        net.drop_encoder()
    return net


def build_whole_net(recipe: Recipe) -> Countermeasure:
    """The net of a recipe as it is exported, with new weights."""
    return build_net(recipe.net["name"], recipe.net_args)


def finished(model: str | Path) -> Finished:
    """The chosen net of a run, or the trainable net of a bundle.

    Args:
        model: The run's output folder, with its recipe and its chosen weights in it; or the path or the name of a
            bundle with its net in it; or ``default``, the shipped bundle.

    Raises:
        RecipeError: There is no finished run.
        BundleError: The bundle holds no net that can be built.
    """
    path = Path(model)
    named = str(model) == SHIPPED or (not path.exists() and len(path.parts) == 1)
    if named or path.is_file() or (path / MANIFEST).exists():
        bundle = open_bundle(model)
        return Finished(torch_net(bundle), bundle.manifest.sample_rate_hz, bundle.manifest.window_samples, None)
    chosen = checkpoint.load(path / CHOSEN)
    if chosen is None or not (path / KEPT).exists():
        raise RecipeError(f"{path} holds no run with a chosen checkpoint", hint="train it first")
    recipe = make_recipe(json.loads((path / KEPT).read_text())["recipe"])
    net = build_whole_net(recipe)
    net.load_state_dict(chosen["net"], strict=not recipe.data.embeddings)
    return Finished(net.eval(), recipe.sample_rate_hz, round(recipe.export.window_s * recipe.sample_rate_hz), recipe)


def start_from(net: Countermeasure, model: str | Path) -> None:
    """Take over the weights of a finished run or a bundle of the same net; see `finished`.

    Raises:
        RecipeError: It is another net, or one with other settings.
    """
    found = finished(model)
    try:
        net.load_state_dict(found.net.state_dict())
    except RuntimeError as error:
        said = one_line(error)
        raise RecipeError(
            f"schedule.start {model} is another net than the recipe's: {said}", hint="give net the settings it has"
        ) from error
    quiet = 1e-3 * torch.randn(1, found.window_samples, generator=torch.Generator().manual_seed(0))
    device = next(net.parameters()).device
    with torch.inference_mode():
        ours, theirs = (one.eval().to(device)(quiet.to(device))[0] for one in (net, found.net))
    if not torch.allclose(ours, theirs, rtol=_NEAR, atol=_NEAR):
        raise RecipeError(
            f"schedule.start {model} scores otherwise than the recipe's net with its weights",
            hint="give net all settings that stand in its recipe.json or bundle.json",
        )


def soft_targets(recipe: Recipe, device: torch.device) -> Callable[[Tensor], Tensor | None]:
    """A function from crops ``(batch, n)`` to the teacher's probabilities of bona fide ``(batch,)``, or to None.

    Raises:
        RecipeError: The teacher hears another rate, or no crops of this length; or there is no finished run.
        BundleError: The teacher is a bundle without its net.
    """
    if not recipe.distil.teacher:
        return lambda _samples: None
    known = finished(recipe.distil.teacher)
    teacher = known.net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def listen(samples: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.sigmoid(log_odds(teacher.outputs(teacher.embed(samples)).float()))

    if known.sample_rate_hz != recipe.sample_rate_hz:
        raise RecipeError(f"distil.teacher hears {known.sample_rate_hz} Hz, the recipe {recipe.sample_rate_hz} Hz")
    try:
        listen(torch.zeros(1, round(recipe.data.crop_s * recipe.sample_rate_hz), device=device))
    except RuntimeError as error:
        raise RecipeError(
            f"distil.teacher {recipe.distil.teacher} cannot hear crops of {recipe.data.crop_s} s: {error}",
            hint=f"data.crop_s = {known.window_samples / known.sample_rate_hz}",
        ) from error
    return listen
