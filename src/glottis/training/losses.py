"""Losses: what the last layer gave, the embedding, the labels and the step, to a scalar.

Each fits some last layers (`glottis.nets.heads`), and says so. Column 0 of two outputs is spoof, column 1 bona fide.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from glottis.errors import RecipeError
from glottis.training.recipe import Loss


class LossFunction(Protocol):
    """A loss, ready to be called."""

    def __call__(self, outputs: Tensor, embedding: Tensor, bonafide: Tensor, *, step: int) -> Tensor:
        """The mean over a batch.

        Args:
            outputs: Of the last layer, ``(batch, 1)`` or ``(batch, 2)``.
            embedding: Its input, ``(batch, d)``.
            bonafide: 1 for bona fide, 0 for spoof, ``(batch,)``.
            step: Of the training, from 1.
        """
        ...


def bce(loss: Loss) -> LossFunction:
    """Binary cross-entropy with the score as logit; the targets are moved from 0 and 1 by half of `smoothing`."""

    def compute(outputs: Tensor, embedding: Tensor, bonafide: Tensor, *, step: int) -> Tensor:
        del embedding, step
        target = bonafide * (1 - loss.smoothing) + loss.smoothing / 2
        return functional.binary_cross_entropy_with_logits(outputs[:, -1], target)

    return compute


def weighted_ce(loss: Loss) -> LossFunction:
    """Cross-entropy of two logits, each class weighted: by 0.1 and 0.9 in the ASVspoof baselines."""

    def compute(outputs: Tensor, embedding: Tensor, bonafide: Tensor, *, step: int) -> Tensor:
        del embedding, step
        weight = torch.tensor([loss.weight_spoof, loss.weight_bonafide], device=outputs.device)
        return functional.cross_entropy(outputs, bonafide.long(), weight, label_smoothing=loss.smoothing)

    return compute


def a_softmax(loss: Loss) -> LossFunction:
    """A-softmax (Liu et al., SphereFace, 2017): the angle to the right class counts four times, as far as lambda lets.

    lambda = max(5, 1500 / (1 + 0.1 step)). The public code of the F0-subband systems makes its loss anew for each
    batch, so that lambda stays at that of step 1 and the margin is all but off: `anneal` = "first" does so.
    """

    def compute(outputs: Tensor, embedding: Tensor, bonafide: Tensor, *, step: int) -> Tensor:
        length = embedding.norm(dim=1, keepdim=True).clamp(min=1e-12)
        cosine = (outputs / length).clamp(-1, 1)
        fold = torch.floor(4 * torch.acos(cosine.detach()) / 3.14159265)
        multiple = 8 * cosine**4 - 8 * cosine**2 + 1
        margin = (1 - 2 * (fold % 2)) * multiple - 2 * fold
        laxity = max(5.0, 1500 / (1 + 0.1 * (1 if loss.anneal == "first" else step)))
        target = functional.one_hot(bonafide.long(), 2).bool()
        pulled = (cosine - (cosine - margin) / (1 + laxity)) * length
        return functional.cross_entropy(torch.where(target, pulled, outputs), bonafide.long())

    return compute


def am_softmax(loss: Loss) -> LossFunction:
    """AM-softmax (Wang et al., 2018): the cosine to the right class, less a margin, times a scale."""

    def compute(outputs: Tensor, embedding: Tensor, bonafide: Tensor, *, step: int) -> Tensor:
        del embedding, step
        logits = loss.scale * (outputs - loss.margin * functional.one_hot(bonafide.long(), 2))
        return functional.cross_entropy(logits, bonafide.long())

    return compute


def oc_softmax(loss: Loss) -> LossFunction:
    """OC-softmax (Zhang et al., 2021): bona fide nearer to the one centre than 0.9, spoof further from it than 0.2."""

    def compute(outputs: Tensor, embedding: Tensor, bonafide: Tensor, *, step: int) -> Tensor:
        del embedding, step
        cosine = outputs[:, 0]
        short = torch.where(bonafide.bool(), loss.margin_bonafide - cosine, cosine - loss.margin_spoof)
        return functional.softplus(loss.scale * short).mean()

    return compute


def p2sgrad(loss: Loss) -> LossFunction:
    """P2SGrad as a mean squared error between cosines and one-hot labels (Wang and Yamagishi, 2021)."""
    del loss

    def compute(outputs: Tensor, embedding: Tensor, bonafide: Tensor, *, step: int) -> Tensor:
        del embedding, step
        return functional.mse_loss(outputs, functional.one_hot(bonafide.long(), 2).to(outputs.dtype))

    return compute


@dataclass(frozen=True, slots=True)
class Entry:
    """A loss and the last layers that it fits."""

    make: Callable[[Loss], LossFunction]
    heads: tuple[str, ...]


LOSSES = {
    "bce": Entry(bce, ("logit", "two_logits")),
    "weighted_ce": Entry(weighted_ce, ("two_logits",)),
    "a_softmax": Entry(a_softmax, ("angular",)),
    "am_softmax": Entry(am_softmax, ("cosine",)),
    "oc_softmax": Entry(oc_softmax, ("one_centre",)),
    "p2sgrad": Entry(p2sgrad, ("cosine",)),
}


def build_loss(loss: Loss, head_kind: str) -> LossFunction:
    """The loss that a recipe names, for a net with such a last layer.

    Raises:
        RecipeError: It is unknown, or does not fit the last layer.
    """
    if loss.name not in LOSSES:
        raise RecipeError(f"unknown loss {loss.name!r}", hint=f"one of {', '.join(sorted(LOSSES))}")
    entry = LOSSES[loss.name]
    if head_kind not in entry.heads:
        fitting = ", ".join(name for name, one in LOSSES.items() if head_kind in one.heads)
        raise RecipeError(
            f"loss {loss.name} does not fit a net that ends in {head_kind}",
            hint=f"set net.head to {' or '.join(entry.heads)}, or loss.name to one of: {fitting}",
        )
    return entry.make(loss)


def log_odds(outputs: Tensor) -> Tensor:
    """What outputs say of bona fide against spoof: ``(batch, 1)`` itself, of ``(batch, 2)`` the difference."""
    return outputs[:, 0] if outputs.shape[1] == 1 else outputs[:, 1] - outputs[:, 0]


def soft_loss(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """How far a student's logits ``(batch, k)`` are from a teacher's: T^2 KL(softmax(t / T) || softmax(s / T)).

    Of one column the second logit is 0. The mean over the batch; the teacher gets no gradient. Source: Hinton et al.,
    "Distilling the knowledge in a neural network", 2015.
    """
    if student.shape[1] == 1:
        student, teacher = (functional.pad(one, (1, 0)) for one in (student, teacher))
    logs = (student / temperature).log_softmax(dim=1)
    target = (teacher.detach() / temperature).log_softmax(dim=1)
    distance = functional.kl_div(logs, target, reduction="batchmean", log_target=True)
    return math.pow(temperature, 2) * distance
