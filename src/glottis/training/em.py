"""Gaussian mixtures fitted by expectation and maximisation (Dempster et al., 1977) over batches, in bounded memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from glottis.errors import RecipeError
from glottis.nets.gmm import GMM
from glottis.training import checkpoint
from glottis.training.batches import Augment, Batches
from glottis.training.finished import build_recipe_net, start_from
from glottis.training.recipe import Recipe
from glottis.training.store import Clips
from glottis.training.validate import check_net

if TYPE_CHECKING:
    from lightning_fabric import Fabric

LEAST_VARIANCE = 1e-3
"""Of a component, where the variance of all frames is 1."""

LEAST_COUNT = 1e-3
"""Of frames that fell to a component, below which it stays where it is."""

START_BATCHES = 32
"""From how many batches the normalisation and the first means are taken."""


class Sums:
    """What frames add up to: how many fell to each component, their sums, and those of their squares; in float64."""

    def __init__(self, net: GMM) -> None:
        shape = net.means.shape
        self.counts, self.firsts, self.seconds = (
            torch.zeros(size, dtype=torch.float64, device=net.means.device) for size in (shape[:2], shape, shape)
        )
        self.log_likelihood, self.frames = 0.0, 0

    @torch.no_grad()
    def add(self, net: GMM, frames: Tensor, label: int) -> None:
        """The expectation: add frames ``(n, features)`` of one class, 0 for spoof, by their shares in components."""
        joint = net.joint(frames, label)
        share = joint.softmax(dim=1)
        self.counts[label] += share.sum(dim=0)
        self.firsts[label] += share.T @ frames
        self.seconds[label] += share.T @ frames.square()
        self.log_likelihood += joint.logsumexp(dim=1).sum().item()
        self.frames += len(frames)

    @torch.no_grad()
    def maximise(self, net: GMM) -> None:
        """Set the net's mixtures to what the sums say; a component to which nothing fell stays where it is."""
        counts = self.counts.clamp(min=1e-8)[..., None]
        means = torch.where(counts > LEAST_COUNT, self.firsts / counts, net.means.double())
        variances = torch.where(counts > LEAST_COUNT, self.seconds / counts - means.square(), 1.0)
        net.means.copy_(means)
        net.log_variances.copy_(variances.clamp(min=LEAST_VARIANCE).log())
        net.log_weights.copy_(counts[..., 0].log())


def fit_mixtures(
    recipe: Recipe,
    *,
    fabric: Fabric,
    train: Clips,
    dev: Clips,
    augment: Augment | None,
    output: Path,
    progress: Callable[[dict[str, Any]], None],
) -> nn.Module:
    """Fit a `GMM` by the recipe and return it as it was best on dev; the counterpart of `fit_net`, with its files.

    Frames come from the same batches as those of any net. The means start at frames drawn at random; an iteration is
    ``schedule.check_every`` batches, after which the mixtures move and dev is looked at. Rates and the loss do not
    count.

    Raises:
        RecipeError: The recipe asks for what needs a gradient, or there are several processes.
    """
    _refuse(recipe)
    if fabric.world_size > 1:
        raise RecipeError("net gmm is fitted by one process", hint="leave torchrun out")
    schedule = recipe.schedule
    torch.set_num_threads(schedule.threads)
    torch.manual_seed(schedule.seed)
    net = cast("GMM", build_recipe_net(recipe)).to(fabric.device).eval()
    batches = Batches(
        train,
        recipe.data,
        steps=schedule.steps,
        batch=recipe.optimiser.batch,
        crop_samples=round(recipe.data.crop_s * recipe.sample_rate_hz),
        seed=schedule.seed,
        augment=augment,
    )
    done, choice = 0, checkpoint.Choice(patience=recipe.stop.patience)
    if (state := checkpoint.load(output / checkpoint.LAST)) is not None:
        net.load_state_dict(state["net"])
        done, choice.best, choice.poorer = state["step"], state["best"], state["poorer"]
        done = schedule.steps if choice.exhausted else done
    elif schedule.start:
        start_from(net, schedule.start)
    else:
        start(net, batches)

    sums, began = Sums(net), time.monotonic()
    rest = DataLoader(Subset(batches, range(done, len(batches))), batch_size=None, num_workers=recipe.data.workers)
    for step, (samples, bonafide) in enumerate(rest, done + 1):
        for label, frames in _by_label(net, samples, bonafide):
            sums.add(net, frames, label)
        line = checkpoint.line_of(step, schedule.steps, began)
        if step % schedule.check_every == 0 or step == schedule.steps:
            sums.maximise(net)
            found = check_net(net, dev, recipe)
            line |= {"loss": -sums.log_likelihood / sums.frames, **found.to_dict()}
            better = choice.is_better(found.figure)
            state = {"net": net.state_dict(), "step": step, "best": choice.best, "poorer": choice.poorer}
            checkpoint.keep(output, line, state, net if better else None)
            sums = Sums(net)
        progress(line)
        if choice.exhausted:
            break
    net.load_state_dict(checkpoint.chosen(output))
    return net.cpu()


@torch.no_grad()
def start(net: GMM, batches: Batches) -> None:
    """Normalise by the first batches, and put each mean at one of their frames, drawn at random."""
    count = min(START_BATCHES, len(batches))
    each = -(-net.means.shape[1] // count)
    total, first, second = 0, torch.zeros(()), torch.zeros(())
    drawn: tuple[list[Tensor], list[Tensor]] = ([], [])
    for step in range(count):
        for label, frames in _by_label(net, *batches[step]):
            exact = frames.double()
            total, first, second = total + len(frames), first + exact.sum(dim=0), second + exact.square().sum(dim=0)
            drawn[label].append(frames[torch.randperm(len(frames))[:each]])
    net.shift.copy_(first / total)
    net.scale.copy_((second / total - (first / total).square()).clamp(min=1e-8).sqrt())
    components = net.means.shape[1]
    for label, some in enumerate(drawn):
        frames = torch.cat(some)[:components] if some else net.means.new_zeros(0)
        if len(frames) < components:
            raise RecipeError(
                f"net.components {components}, but the first batches have {len(frames)} frames of a class to start at",
                hint="fewer components, a larger optimiser.batch, or more steps",
            )
        net.means[label].copy_((frames - net.shift) / net.scale)
    net.log_variances.zero_()
    net.log_weights.zero_()


@torch.no_grad()
def _by_label(net: GMM, samples: Tensor, bonafide: Tensor) -> Iterator[tuple[int, Tensor]]:
    """The frames ``(n, features)`` of each class in a batch."""
    for label in (0, 1):
        rows = samples[bonafide == label]
        if len(rows):
            yield label, net.frames(rows.to(net.means.device)).flatten(0, 1)


def _refuse(recipe: Recipe) -> None:
    asked = {
        "self_distil.on": recipe.self_distil.on,
        "distil.teacher": recipe.distil.teacher,
        "adversarial.share": recipe.adversarial.share,
        "freeze.patterns": recipe.freeze.patterns,
    }
    for name, value in asked.items():
        if value:
            raise RecipeError(f"{name} needs a gradient, and net gmm is fitted without", hint="leave it out")
