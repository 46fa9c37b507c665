"""What a run needs to go on after a kill, written so that a kill while writing harms nothing."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from glottis.errors import RecipeError

CHOSEN, LAST, KEPT = "best.pt", "last.pt", "recipe.json"
"""What a run leaves: its chosen weights, all that it needs to go on, and its recipe."""


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


def line_of(step: int, steps: int, began: float) -> dict[str, Any]:
    """Where a run is, for who follows it; `began` is its start on the monotonic clock."""
    return {"step": step, "of": steps, "seconds": round(time.monotonic() - began, 1)}


def keep(output: Path, line: dict[str, Any], state: dict[str, Any], best: nn.Module | None) -> None:
    """Write what a check found, and what the run needs to go on from here; `best` if it is the best so far."""
    if best is not None:
        save(output / CHOSEN, {"net": best.state_dict(), "step": state["step"], "figure": state["best"]})
    save(output / LAST, state)
    with (output / "log.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")


def chosen(output: Path) -> dict[str, Any]:
    """The weights that were best on dev.

    Raises:
        RecipeError: None were ever chosen.
    """
    found = load(output / CHOSEN)
    if found is None:
        raise RecipeError("no checkpoint was ever chosen", hint="schedule.steps must be at least 1")
    weights: dict[str, Any] = found["net"]
    return weights


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
