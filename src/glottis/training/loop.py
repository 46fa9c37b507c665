"""The training loop: one function, from a recipe to the chosen weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from glottis.errors import RecipeError
from glottis.training import checkpoint
from glottis.training.averaging import RENEWED_ON, WeightAverage, renew_statistics
from glottis.training.batches import Augment, Batches, Share
from glottis.training.finished import build_recipe_net, start_from
from glottis.training.freezing import Freezing
from glottis.training.objective import Objective
from glottis.training.processes import (
    by_the_first,
    draw_apart,
    mean_over_all,
    random_states,
    set_random_state,
    with_common_statistics,
)
from glottis.training.rates import rate
from glottis.training.recipe import Optimiser, Recipe
from glottis.training.store import Clips
from glottis.training.validate import check_net

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Progress = Callable[[dict[str, Any]], None]


def fit_net(  # noqa: C901, PLR0915  # one function, readable in one sitting
    recipe: Recipe,
    *,
    fabric: Fabric,
    train: Clips,
    dev: Clips,
    augment: Augment | None,
    output: Path,
    progress: Progress,
) -> nn.Module:
    """Train by the recipe and return the net with the averaged weights that were best on dev.

    Writes ``last.pt`` (goes on from there when called again), ``best.pt`` and ``log.jsonl`` into `output`.

    Args:
        recipe: What to do.
        fabric: The processes of the run, each of which calls this; the first one alone looks at dev and writes.
        train: The clips to learn from.
        dev: The clips that choose the checkpoint.
        augment: Applied to each training crop, blind to its label.
        output: The run's folder.
        progress: Called after each step with its loss, and after each check with what stands in the log.
    """
    schedule, settings = recipe.schedule, recipe.optimiser
    torch.set_num_threads(schedule.threads)
    torch.manual_seed(schedule.seed)
    net = build_recipe_net(recipe).to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    net = with_common_statistics(net, fabric)
    objective = Objective(net, recipe, fabric.device)
    freezing = Freezing(net, recipe.freeze, schedule.steps)
    if recipe.schedule.start:
        start_from(net, recipe.schedule.start)
    average = WeightAverage(net, settings.ema, round(schedule.steps * settings.swa_from) // settings.accumulate)
    learner, optimiser = fabric.setup(objective, _optimiser(objective, settings))
    precision = fabric.strategy.precision
    draw_apart(fabric, schedule.seed)

    start, choice = 0, checkpoint.Choice(patience=recipe.stop.patience)
    if state := by_the_first(fabric, lambda: checkpoint.load(output / checkpoint.LAST)):
        learner.load_state_dict(state["objective"])
        average.load(state["average"], steps=state["step"] // settings.accumulate)
        optimiser.load_state_dict(state["optimiser"])
        precision.load_state_dict(state["precision"])
        choice.best, choice.poorer = state["best"], state["poorer"]
        start = schedule.steps if choice.exhausted else state["step"]

    judge = build_recipe_net(recipe).to(fabric.device)
    draw = partial(
        Batches,
        train,
        recipe.data,
        steps=schedule.steps,
        batch=settings.batch,
        crop_samples=round(recipe.data.crop_s * recipe.sample_rate_hz),
        seed=schedule.seed,
        augment=augment,
    )
    whole = draw()
    batches = _load(draw(share=Share(fabric.global_rank, fabric.world_size)), start, recipe.data.workers)
    if state:
        set_random_state(fabric, state["random"])  # after the loader, which draws a number too
    losses: list[float] = []
    began = time.monotonic()
    for step, (samples, bonafide) in enumerate(batches, start + 1):
        learner.train()
        freezing.apply(step)
        for group in optimiser.param_groups:
            group["lr"] = settings.learning_rate * rate(step, schedule)
        gathering = step % settings.accumulate != 0
        with fabric.no_backward_sync(learner, enabled=gathering):
            loss = learner(samples.to(fabric.device), bonafide.to(fabric.device), step)
            fabric.backward(loss / settings.accumulate)
        if not gathering:
            fabric.clip_gradients(learner, optimiser, max_norm=settings.clip_norm, error_if_nonfinite=False)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            average.update(net)
        losses.append(loss.item())
        line = checkpoint.line_of(step, schedule.steps, began) | {"step_loss": losses[-1]}
        if step % schedule.check_every == 0 or step == schedule.steps:
            judge.load_state_dict(average.weights)
            if average.is_equal:
                renew_statistics(judge, net, (whole[schedule.steps + i][0] for i in range(RENEWED_ON)))
            found = by_the_first(fabric, lambda: check_net(judge, dev, recipe))
            line |= {"loss": mean_over_all(fabric, losses), **found.to_dict()}
            losses.clear()
            better = choice.is_better(found.figure)
            state = {"objective": learner.state_dict(), "average": average.weights, "optimiser": optimiser.state_dict()}
            state |= {"precision": precision.state_dict(), "random": random_states(fabric)}
            state |= {"step": step, "best": choice.best, "poorer": choice.poorer}
            if fabric.is_global_zero:
                checkpoint.keep(output, line, state, judge if better else None)
        progress(line)
        if choice.exhausted:
            break
    judge.load_state_dict(by_the_first(fabric, lambda: checkpoint.chosen(output)))
    return judge.eval().cpu()


def _optimiser(objective: nn.Module, settings: Optimiser) -> torch.optim.Optimizer:
    kinds: dict[str, Any] = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
    if settings.name not in kinds:
        raise RecipeError(f"unknown optimiser.name {settings.name!r}", hint=f"one of {', '.join(kinds)}")
    found: torch.optim.Optimizer = kinds[settings.name](
        list(objective.parameters()),
        settings.learning_rate,
        betas=settings.betas,
        eps=settings.eps,
        weight_decay=settings.weight_decay,
        amsgrad=settings.amsgrad,
    )
    return found


def _load(batches: Batches, start: int, workers: int) -> Iterator[tuple[Tensor, Tensor]]:
    rest = Subset(batches, range(start, len(batches)))
    return iter(DataLoader(rest, batch_size=None, num_workers=workers, prefetch_factor=4 if workers else None))
