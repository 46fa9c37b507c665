"""The processes and devices of a run: one process, or those that `torchrun` started.

Lightning Fabric does the work. Every process has its rows of each batch and the same weights; the first one alone looks
at dev, writes and exports.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from glottis.errors import ConfigError
from glottis.training.finished import build_recipe_net
from glottis.training.objective import Objective
from glottis.training.recipe import Recipe

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Net = TypeVar("Net", bound=nn.Module)
Found = TypeVar("Found")

SEEDS_APART = 1_000_003
"""Between the seeds of two processes of a run, so that they are not those of a run with another seed."""

PATIENCE = timedelta(days=1)
"""How long processes wait for the first one, which may have to decode a corpus, or to look at a great dev split."""


@contextmanager
def processes(recipe: Recipe) -> Iterator[Fabric]:
    """Join the run's processes, each on its device.

    Raises:
        RecipeError: The precision is unknown.
        ConfigError: There are more processes than GPUs.
    """
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
    from lightning_fabric.strategies.ddp import DDPStrategy

    from glottis.training.precision import find_precision

    kind = "cuda" if torch.cuda.is_available() else "cpu"
    many = TorchElasticEnvironment.detect()
    here, everywhere = (int(os.environ[name]) if many else 1 for name in ("LOCAL_WORLD_SIZE", "WORLD_SIZE"))
    if kind == "cuda" and here > torch.cuda.device_count():
        raise ConfigError(
            f"{here} processes for {torch.cuda.device_count()} GPUs", hint="torchrun --nproc-per-node=gpu"
        )
    fabric = Fabric(
        accelerator=kind,
        devices=here,
        num_nodes=everywhere // here,
        strategy=DDPStrategy(timeout=PATIENCE, find_unused_parameters=_some_rest(recipe)) if everywhere > 1 else "auto",
        plugins=[
            find_precision(recipe.schedule.precision, kind),
            TorchElasticEnvironment() if many else LightningEnvironment(),
        ],
    )
    fabric.launch()
    yield fabric
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _some_rest(recipe: Recipe) -> bool:
    """Whether some parameters get no gradient, so that nobody may wait for it: frozen ones, and those that are dead."""
    if recipe.freeze.patterns:
        return True
    objective = Objective(build_recipe_net(recipe), recipe, torch.device("cpu"))
    learned = [one for one in objective.parameters() if one.requires_grad]
    samples = torch.randn(2, round(recipe.data.crop_s * recipe.sample_rate_hz))
    loss = objective(samples, torch.tensor([0.0, 1.0]), 1)
    return any(slope is None for slope in torch.autograd.grad(loss, learned, allow_unused=True))


def with_common_statistics(net: Net, fabric: Fabric) -> Net:
    """The net, its batch normalisation over all processes; torch can do so on GPUs alone."""
    if fabric.world_size == 1 or fabric.device.type != "cuda":
        return net
    common: Net = nn.SyncBatchNorm.convert_sync_batchnorm(net)  # type: ignore[no-untyped-call]
    return common


def by_the_first(fabric: Fabric, do: Callable[[], Found]) -> Found:
    """What the first process found, in every one; the others wait."""
    found: Found = fabric.broadcast(do() if fabric.is_global_zero else None)  # type: ignore[assignment]
    return found


def mean_over_all(fabric: Fabric, losses: Sequence[float]) -> float:
    """The mean loss of some steps over all processes."""
    own = torch.tensor(np.mean(losses), dtype=torch.float64, device=fabric.device)
    every: Tensor = fabric.all_reduce(own)  # type: ignore[assignment]  # of a tensor, a tensor
    return every.item()


def draw_apart(fabric: Fabric, seed: int) -> None:
    """From here on, what nets draw (dropout, masks) differs between the processes, for their rows do."""
    if fabric.global_rank > 0:
        torch.manual_seed(seed + SEEDS_APART * fabric.global_rank)


def random_states(fabric: Fabric) -> Tensor:
    """Where the random numbers of each process are, ``(processes, n)`` of uint8."""
    own = torch.get_rng_state()
    if fabric.device.type == "cuda":
        own = torch.cat([own, torch.cuda.get_rng_state(fabric.device)])
    every = [own] * fabric.world_size
    if fabric.world_size > 1:
        torch.distributed.all_gather_object(every, own)
    return torch.stack(every)


def set_random_state(fabric: Fabric, states: Tensor) -> None:
    """Go on with the random numbers of `random_states`; a process that was not there then keeps its own."""
    if fabric.global_rank < len(states):
        size = len(torch.get_rng_state())
        of_cpu, of_gpu = torch.split(states[fabric.global_rank], [size, states.shape[1] - size])
        torch.set_rng_state(of_cpu.clone())  # torch reads it as a struct, which must be aligned
        if fabric.device.type == "cuda" and len(of_gpu):
            torch.cuda.set_rng_state(of_gpu.clone(), fabric.device)
