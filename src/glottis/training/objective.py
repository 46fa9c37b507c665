"""What a run minimises: the loss against the labels, a teacher's opinion, and what blocks teach one another."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.nets.contract import Countermeasure
from glottis.training.adversarial import attack_some
from glottis.training.finished import soft_targets
from glottis.training.losses import build_loss, log_odds
from glottis.training.recipe import Recipe
from glottis.training.self_distil import SelfDistillation, hear


class Objective(nn.Module):
    """The loss of a batch by the net in it; what it learns beside the net's parameters is not exported.

    Args:
        net: The net that is trained.
        recipe: What to do.
        device: Where the net is.
    """

    def __init__(self, net: Countermeasure, recipe: Recipe, device: torch.device) -> None:
        super().__init__()
        self.net = net
        self._loss_of = build_loss(recipe.loss, net.head_kind)
        self._teacher, self._weight = soft_targets(recipe, device), recipe.distil.weight
        self.students = (
            SelfDistillation(net, recipe.self_distil, recipe.sample_rate_hz, recipe.schedule.steps)
            if recipe.self_distil.on
            else None
        )
        self._adversarial = recipe.adversarial
        self.to(device)

    def forward(self, samples: Tensor, bonafide: Tensor, step: int) -> Tensor:
        """The loss of samples ``(batch, n)`` with labels ``(batch,)`` at a step, a scalar in float32."""
        net = self.net
        if self._adversarial.share > 0:
            samples = attack_some(net, samples, bonafide, self._adversarial)
        soft = self._teacher(samples)
        if self.students is None:
            embedding = net.embed(samples)
            outputs = net.outputs(embedding).float()
            loss = self._loss_of(outputs, embedding.float(), bonafide, step=step)
        else:
            taught = hear(net, samples)
            outputs, above = taught.outputs, self.students.listen(net, samples) or taught
            loss = self.students(taught, above, step, lambda out, tap: self._loss_of(out, tap, bonafide, step=step))
        if soft is not None:
            beside = functional.binary_cross_entropy_with_logits(log_odds(outputs), soft)
            loss = torch.lerp(loss, beside, self._weight)
        return loss
