"""The average of a net's weights over the steps, which is what is looked at and exported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

RENEWED_ON = 20
"""Batches on which batch statistics are taken anew."""


class WeightAverage:
    """An average of a net's weights; buffers are averaged or copied with them.

    At first it moves: its decay grows with the steps, as (1 + n) / (10 + n), up to `decay`, so that the first weights
    are forgotten. After `moving` steps it begins anew, and all weights since count alike (Izmailov et al., "Averaging
    weights leads to wider optima and better generalization", 2018).

    Args:
        net: Whose weights are averaged.
        decay: Of the moving average.
        moving: Steps that it moves.
    """

    def __init__(self, net: nn.Module, decay: float, moving: int) -> None:
        self.decay, self.moving = decay, moving
        self.steps = 0
        self.weights = {name: value.detach().clone() for name, value in net.state_dict().items()}

    @property
    def is_equal(self) -> bool:
        """Whether all weights since `moving` steps count alike."""
        return self.steps > self.moving

    def load(self, weights: Mapping[str, Tensor], steps: int) -> None:
        """Go on with an average of so many steps."""
        self.steps = steps
        for name, value in weights.items():
            self.weights[name].copy_(value)

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Take in the net's weights."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        share = 1 / (self.steps - self.moving) if self.is_equal else 1 - decay
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                self.weights[name].lerp_(value, share)
            else:
                self.weights[name].copy_(value)


@torch.no_grad()
def renew_statistics(average: nn.Module, learner: nn.Module, crops: Iterable[Tensor]) -> None:
    """Take the batch statistics of averaged weights anew: those of their mean over `crops`, each ``(batch, n)``.

    The average of statistics is not that of the averaged weights. Those that rest in the learner rest here too.
    """
    pairs = zip(average.modules(), learner.modules(), strict=True)
    moving = [one for one, twin in pairs if isinstance(one, _BatchNorm) and twin.training]
    average.eval()
    for norm in moving:
        norm.reset_running_stats()
        norm.momentum = None  # all crops count alike
        norm.train()
    device = next(average.parameters()).device
    for samples in crops if moving else ():
        average(samples.to(device))
    average.eval()
