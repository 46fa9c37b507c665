"""The training loop: one function, from a recipe to the chosen weights."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from glottis.errors import RecipeError
from glottis.training import checkpoint
from glottis.training.batches import Augment, Batches
from glottis.training.finished import build_recipe_net, start_from
from glottis.training.freezing import Freezing
from glottis.training.objective import Objective
from glottis.training.rates import rate
from glottis.training.recipe import Optimiser, Recipe
from glottis.training.store import Clips
from glottis.training.validate import Check, check_net

BF16_FLAGS = ("avx512_bf16", "amx_bf16")

Progress = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class Choice:
    """Which look at dev was the best, lower being better, and how many were poorer since."""

    patience: int
    best: float = math.inf
    poorer: int = 0

    def is_better(self, figure: float) -> bool:
        """Whether it is the best so far; it is remembered."""
        better = figure < self.best
        self.best, self.poorer = (figure, 0) if better else (self.best, self.poorer + 1)
        return better

    @property
    def exhausted(self) -> bool:
        """Whether patience is over."""
        return 0 < self.patience <= self.poorer


def fit_net(  # noqa: PLR0915  # one function, readable in one sitting
    recipe: Recipe,
    *,
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
        train: The clips to learn from.
        dev: The clips that choose the checkpoint.
        augment: Applied to each training crop, blind to its label.
        output: The run's folder.
        progress: Called with each line of the log.
    """
    schedule, settings = recipe.schedule, recipe.optimiser
    torch.set_num_threads(schedule.threads)
    torch.manual_seed(schedule.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net = build_recipe_net(recipe).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    objective = Objective(net, recipe, device)
    learned = [*net.parameters(), *objective.parameters()]
    optimiser = _optimiser(learned, settings)
    freezing = Freezing(net, recipe.freeze, schedule.steps)
    if recipe.schedule.start:
        start_from(net, recipe.schedule.start)
    average = checkpoint.MovingAverage(net, settings.ema)
    bf16 = wants_bf16(schedule.bf16, device)

    start, choice = 0, Choice(patience=recipe.stop.patience)
    if (state := checkpoint.load(output / "last.pt")) is not None:
        net.load_state_dict(state["net"])
        average.weights, average.steps = state["average"], state["step"] // settings.accumulate
        optimiser.load_state_dict(state["optimiser"])
        objective.load_state_dict(state["objective"])
        start, choice.best, choice.poorer = state["step"], state["best"], state["poorer"]
        torch.set_rng_state(state["rng"])
        start = schedule.steps if choice.exhausted else start

    batches = Batches(
        train,
        steps=schedule.steps,
        batch=settings.batch,
        crop_samples=round(recipe.data.crop_s * recipe.sample_rate_hz),
        pair_share=recipe.data.pair_share,
        seed=schedule.seed,
        augment=augment,
    )
    judge = build_recipe_net(recipe).to(device)
    losses: list[float] = []
    began = time.monotonic()
    with (output / "log.jsonl").open("a") as log:
        for step, (samples, bonafide) in enumerate(_load(batches, start, recipe.data.workers), start + 1):
            net.train()
            freezing.apply(step)
            for group in optimiser.param_groups:
                group["lr"] = settings.learning_rate * rate(step, schedule)
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                loss = objective(net, samples.to(device), bonafide.to(device), step)
            (loss / settings.accumulate).backward()
            if step % settings.accumulate == 0:
                nn.utils.clip_grad_norm_(learned, settings.clip_norm)
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)
                average.update(net)
            losses.append(loss.item())
            line: dict[str, Any] = {"step": step, "of": schedule.steps, "seconds": round(time.monotonic() - began, 1)}
            if step % schedule.check_every == 0 or step == schedule.steps:
                judge.load_state_dict(average.weights)
                found: Check = check_net(judge, dev, recipe)
                line |= {"loss": float(np.mean(losses)), **found.to_dict()}
                losses.clear()
                if choice.is_better(found.figure):
                    checkpoint.save(output / "best.pt", {"net": average.weights, "step": step, "figure": found.figure})
                state = {"net": net.state_dict(), "average": average.weights, "optimiser": optimiser.state_dict()}
                state["objective"] = objective.state_dict()
                checkpoint.save(
                    output / "last.pt",
                    state | {"step": step, "best": choice.best, "poorer": choice.poorer, "rng": torch.get_rng_state()},
                )
                log.write(json.dumps(line) + "\n")
                log.flush()
            progress(line)
            if choice.exhausted:
                break
    chosen = checkpoint.load(output / "best.pt")
    if chosen is None:
        raise RecipeError("no checkpoint was ever chosen", hint="schedule.steps must be at least 1")
    judge.load_state_dict(chosen["net"])
    return judge.eval().cpu()


def _optimiser(learned: Sequence[nn.Parameter], settings: Optimiser) -> torch.optim.Optimizer:
    kinds: dict[str, Any] = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
    if settings.name not in kinds:
        raise RecipeError(f"unknown optimiser.name {settings.name!r}", hint=f"one of {', '.join(kinds)}")
    found: torch.optim.Optimizer = kinds[settings.name](
        learned,
        settings.learning_rate,
        betas=settings.betas,
        eps=settings.eps,
        weight_decay=settings.weight_decay,
        amsgrad=settings.amsgrad,
    )
    return found


def wants_bf16(choice: str, device: torch.device) -> bool:
    """Whether to multiply in bfloat16: ``auto`` only where the hardware does it (elsewhere it is emulated, slowly)."""
    if choice not in ("auto", "on", "off"):
        raise RecipeError(f"schedule.bf16 must be auto, on or off, got {choice!r}")
    if choice != "auto":
        return choice == "on"
    cpu = Path("/proc/cpuinfo")
    return device.type == "cuda" or (cpu.exists() and any(word in cpu.read_text() for word in BF16_FLAGS))


def _load(batches: Batches, start: int, workers: int) -> Iterator[tuple[Tensor, Tensor]]:
    rest = Subset(batches, range(start, len(batches)))
    loader = DataLoader(
        rest, batch_size=None, num_workers=workers, prefetch_factor=4 if workers else None, worker_init_fn=_one_thread
    )
    yield from loader


def _one_thread(_worker: int) -> None:
    torch.set_num_threads(1)
