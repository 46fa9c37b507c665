"""How the learning rate goes over a run, as a share of the recipe's."""

from __future__ import annotations

import math

from glottis.errors import RecipeError
from glottis.training.recipe import Schedule

SHAPES = ("one_cycle", "constant", "cosine", "noam", "halving")


def rate(step: int, schedule: Schedule) -> float:
    """The share of the learning rate at a step (from 1).

    All but ``constant`` and ``halving`` rise over `warmup` of the steps (``cosine`` not). ``one_cycle``: a straight
    rise, then half a cosine down to 0. ``cosine``: half a cosine down to `last`. ``noam``: a straight rise, then as
    one over the root of the step (Vaswani et al., 2017). ``halving``: halved every `halve_every` steps.

    Raises:
        RecipeError: The shape is unknown.
    """
    rise = max(1, round(schedule.steps * schedule.warmup))
    if schedule.shape == "constant":
        return 1.0
    if schedule.shape == "halving":
        return float(0.5 ** ((step - 1) // schedule.halve_every))
    if schedule.shape == "noam":
        return min(step / rise, math.sqrt(rise / step))
    if schedule.shape == "cosine":
        fallen = 0.5 * (1 + math.cos(math.pi * (step - 1) / max(1, schedule.steps - 1)))
        return schedule.last + (1 - schedule.last) * fallen
    if schedule.shape != "one_cycle":
        raise RecipeError(f"unknown schedule.shape {schedule.shape!r}", hint=f"one of {', '.join(SHAPES)}")
    if step <= rise:
        return step / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, schedule.steps - rise)))
