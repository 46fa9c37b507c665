"""What a run needs to go on after a kill, written so that a kill while writing harms nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn


class MovingAverage:
    """An exponential moving average of a net's weights; buffers are copied.

    The decay grows with the steps, as (1 + n) / (10 + n), up to `decay`, so that the first weights are forgotten.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.weights = {name: value.detach().clone() for name, value in net.state_dict().items()}

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Move towards the net's weights."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                self.weights[name].lerp_(value, 1 - decay)
            else:
                self.weights[name].copy_(value)


def save(path: Path, state: dict[str, Any]) -> None:
    """Write beside the old file, then put it in its place."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def load(path: Path) -> dict[str, Any] | None:
    """The saved state, or None where there is no file. Only tensors and plain values are read."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state
