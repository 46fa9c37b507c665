"""Losses: ``(score (batch,), bona fide (batch,))`` to a scalar."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from glottis.errors import RecipeError
from glottis.training.recipe import Loss


def bce(loss: Loss) -> Callable[[Tensor, Tensor], Tensor]:
    """Binary cross-entropy with logits; the targets are moved from 0 and 1 by half of `smoothing`."""

    def compute(score: Tensor, bonafide: Tensor) -> Tensor:
        target = bonafide * (1 - loss.smoothing) + loss.smoothing / 2
        return functional.binary_cross_entropy_with_logits(score, target)

    return compute


LOSSES = {"bce": bce}


def build_loss(loss: Loss) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss that a recipe names.

    Raises:
        RecipeError: It is unknown.
    """
    if loss.name not in LOSSES:
        raise RecipeError(f"unknown loss {loss.name!r}", hint=f"one of {', '.join(sorted(LOSSES))}")
    return LOSSES[loss.name](loss)
