"""What a run needs to go on after a kill, written so that a kill while writing harms nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

CHOSEN, LAST, KEPT = "best.pt", "last.pt", "recipe.json"
"""What a run leaves: its chosen weights, all that it needs to go on, and its recipe."""


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
