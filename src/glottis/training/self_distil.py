"""A net teaches its own earlier blocks while it learns; what it needs for that is gone at the end.

Source: Xue et al., "Learning from yourself: a self-distillation method for fake speech detection", 2023: every block
gets a classifier, the deepest teaches the others by its logits and by its features. What the paper leaves open
(temperature, projections, reductions) is settled in docs/systems.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError
from glottis.nets.contract import Countermeasure
from glottis.nets.heads import make_head
from glottis.training.losses import soft_loss
from glottis.training.recipe import SelfDistil

TEACHERS = ("deepest", "next")
ALIGNMENTS = ("projection", "attention", "similarity")
LEAST_BLOCKS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What a net gave on a batch.

    Attributes:
        maps: Of each block, ``(batch, width, ..., time)``.
        taps: Their means, ``(batch, width)``.
        outputs: Of its own last layer.
        embedding: The input of that.
    """

    maps: Sequence[Tensor]
    taps: Sequence[Tensor]
    outputs: Tensor
    embedding: Tensor


class SelfDistillation(nn.Module):
    """The students: a classifier, and a projection to the last block's width, for each block but the last.

    Its parameters are trained beside the net's and never exported.

    Args:
        net: Whose `blocks` teach one another.
        settings: The recipe's.
        sample_rate_hz: Of the samples, to find the blocks' widths.

    Raises:
        RecipeError: The net has fewer than two blocks, or a setting is unknown.
    """

    def __init__(self, net: Countermeasure, settings: SelfDistil, sample_rate_hz: int) -> None:
        super().__init__()
        if settings.teacher not in TEACHERS or settings.align not in ALIGNMENTS:
            raise RecipeError(
                f"self_distil.teacher {settings.teacher!r}, self_distil.align {settings.align!r}",
                hint=f"{' or '.join(TEACHERS)}; {', '.join(ALIGNMENTS)}",
            )
        if len(net.blocks()) < LEAST_BLOCKS:
            raise RecipeError(f"{type(net).__name__} has no blocks that could teach one another")
        self.settings = settings
        widths = _widths(net, sample_rate_hz)
        self.classifiers = nn.ModuleList(make_head(net.head_kind, width) for width in widths[:-1])
        projects = settings.align == "projection"
        self.projections = nn.ModuleList(nn.Linear(width, widths[-1], bias=False) for width in widths[:-1] if projects)
        self.doubts = nn.Parameter(torch.zeros(3)) if settings.dynamic else None

    def forward(self, taught: Taught, loss_of: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """The whole loss of a batch; `loss_of` is that of some outputs and their embedding against the labels."""
        settings, taps, outputs = self.settings, taught.taps, taught.outputs
        students = [classify(tap) for classify, tap in zip(self.classifiers, taps[:-1], strict=True)]
        hard = loss_of(outputs, taught.embedding)
        if settings.hard_students:
            hard = hard + sum_of(loss_of(student, tap) for student, tap in zip(students, taps[:-1], strict=True))
        deeper = [*students[1:], outputs] if settings.teacher == "next" else [outputs] * len(students)
        soft = sum_of(soft_loss(s, t, settings.temperature) for s, t in zip(students, deeper, strict=True))
        feature = self._features(taught.maps, taps)
        if self.doubts is not None:
            pairs = zip(self.doubts, (hard, soft, feature), strict=True)
            return sum_of(torch.exp(-doubt) * loss + doubt for doubt, loss in pairs)
        return settings.alpha * hard + (1 - settings.alpha) * soft + settings.beta * feature

    def _features(self, maps: Sequence[Tensor], taps: Sequence[Tensor]) -> Tensor:
        """How far the earlier blocks' features are from the last one's, which gets no gradient."""
        kind, last = self.settings.align, taps[-1].detach()
        if kind == "projection":
            return sum_of(
                functional.mse_loss(project(tap), last)
                for project, tap in zip(self.projections, taps[:-1], strict=True)
            )
        if kind == "similarity":
            return sum_of(functional.mse_loss(_alike(tap), _alike(last)) for tap in taps[:-1])
        wanted = _when(maps[-1].detach())
        return sum_of(functional.mse_loss(_when(one, wanted.shape[1]), wanted) for one in maps[:-1])


def sum_of(losses: Iterable[Tensor]) -> Tensor:
    """Their sum."""
    return torch.stack(list(losses)).sum()


def _alike(features: Tensor) -> Tensor:
    """Which rows of a batch resemble one another (Tung and Mori, 2019): ``(batch, batch)``, rows of length 1."""
    flat = functional.normalize(features, dim=1)
    return functional.normalize(flat @ flat.T, dim=1)


def _when(maps: Tensor, frames: int | None = None) -> Tensor:
    """The energy of maps over time, of length 1 (attention transfer, Zagoruyko and Komodakis, 2017)."""
    energy = maps.square().flatten(1, -2).mean(dim=1)
    if frames is not None:
        energy = functional.adaptive_avg_pool1d(energy[:, None], frames)[:, 0]
    return functional.normalize(energy, dim=1)


@torch.no_grad()
def _widths(net: Countermeasure, sample_rate_hz: int) -> list[int]:
    was = net.training
    device = next(net.parameters()).device
    _, _, taps = net.eval().embed_and_tap(torch.zeros(1, 5 * sample_rate_hz, device=device))
    net.train(was)
    return [tap.shape[1] for tap in taps]
