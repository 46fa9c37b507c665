"""Finished runs and bundles: their nets, to start from or to learn from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from glottis.bundle import open_bundle
from glottis.bundle.manifest import MANIFEST
from glottis.errors import RecipeError
from glottis.nets import build_net
from glottis.nets.contract import Countermeasure
from glottis.nets.of_bundle import torch_net
from glottis.nets.ssl import SSLNet
from glottis.training import checkpoint
from glottis.training.recipe import Distil, Recipe, make_recipe

SHIPPED = "default"


def build_recipe_net(recipe: Recipe) -> Countermeasure:
    """The net that a recipe trains, with new weights; on embeddings without its encoder."""
    net = build_whole_net(recipe)
    if recipe.data.embeddings and isinstance(net, SSLNet):
        net.drop_encoder()
    return net


def build_whole_net(recipe: Recipe) -> Countermeasure:
    """The net of a recipe as it is exported, with new weights."""
    return build_net(recipe.net["name"], recipe.net_args)


def finished_net(folder: str | Path) -> Countermeasure:
    """The chosen net of a run, or the trainable net of a bundle, in evaluation mode.

    Args:
        folder: The run's output folder, with ``recipe.json`` and ``best.pt`` in it; or a bundle with its net in it; or
            ``default``, the shipped bundle.

    Raises:
        RecipeError: There is no finished run.
        BundleError: The bundle holds no net that can be built.
    """
    if str(folder) == SHIPPED:
        return torch_net(open_bundle())
    folder = Path(folder)
    if (folder / MANIFEST).exists():
        return torch_net(open_bundle(folder))
    kept, chosen = folder / "recipe.json", checkpoint.load(folder / "best.pt")
    if chosen is None or not kept.exists():
        raise RecipeError(f"{folder} holds no run with a chosen checkpoint", hint="train it first")
    recipe = make_recipe(json.loads(kept.read_text())["recipe"])
    net = build_whole_net(recipe)
    net.load_state_dict(chosen["net"], strict=not recipe.data.embeddings)
    return net.eval()


def soft_targets(distil: Distil, device: torch.device) -> Callable[[Tensor], Tensor | None]:
    """A function from crops ``(batch, n)`` to the teacher's probabilities of bona fide ``(batch,)``, or to None."""
    if not distil.teacher:
        return lambda _samples: None
    teacher = finished_net(distil.teacher).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def listen(samples: Tensor) -> Tensor:
        with torch.no_grad():
            probability: Tensor = torch.sigmoid(teacher(samples)[0].float())
        return probability

    return listen
