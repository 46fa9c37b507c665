"""A net teaches its own earlier blocks while it learns; what it needs for that is gone at the end.

Source: Xue et al., "Learning from yourself: a self-distillation method for fake speech detection", 2023: every block
gets a classifier, the deepest teaches the others by its logits and by its features. What the paper leaves open
(temperature, projections, reductions) is settled in docs/systems.md. The average of the net's own past as the teacher:
Tarvainen and Valpola, "Mean teachers are better role models", 2017.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from glottis.errors import RecipeError
from glottis.nets.contract import Countermeasure
from glottis.nets.heads import make_head
from glottis.training.losses import soft_loss
from glottis.training.recipe import SelfDistil

TEACHERS = ("deepest", "next", "progressive", "average")
BY_THE_NEXT = ("next", "progressive")
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


def hear(net: Countermeasure, samples: Tensor) -> Taught:
    """What a net gives on samples ``(batch, n)``, all but the maps in float32."""
    embedding, maps, taps = net.embed_and_tap(samples)
    return Taught(maps, [tap.float() for tap in taps], net.outputs(embedding).float(), embedding.float())


class SelfDistillation(nn.Module):
    """The students: a classifier, and a projection to its teacher's width, for each block but the last.

    Its parameters are trained beside the net's and never exported; nor is the average, if that is what teaches.

    Args:
        net: Whose `blocks` teach one another.
        settings: The recipe's.
        sample_rate_hz: Of the samples, to find the blocks' widths.
        steps: Of the run: over them the students of ``progressive`` join, the deepest first.

    Raises:
        RecipeError: The net has fewer than two blocks, or a setting is unknown.
    """

    def __init__(self, net: Countermeasure, settings: SelfDistil, sample_rate_hz: int, steps: int) -> None:
        super().__init__()
        if settings.teacher not in TEACHERS or settings.align not in ALIGNMENTS:
            raise RecipeError(
                f"self_distil.teacher {settings.teacher!r}, self_distil.align {settings.align!r}",
                hint=f"{', '.join(TEACHERS)}; {', '.join(ALIGNMENTS)}",
            )
        if len(net.blocks()) < LEAST_BLOCKS:
            raise RecipeError(f"{type(net).__name__} has no blocks that could teach one another")
        self.settings, self.steps = settings, steps
        widths = _widths(net, sample_rate_hz)
        last = len(widths) - 1
        self.teacher_of = [i + 1 if settings.teacher in BY_THE_NEXT else last for i in range(last)]
        self.classifiers = nn.ModuleList(make_head(net.head_kind, width) for width in widths[:-1])
        projects = settings.align == "projection"
        pairs = [(widths[i], widths[above]) for i, above in enumerate(self.teacher_of) if projects]
        self.projections = nn.ModuleList(nn.Linear(width, above, bias=False) for width, above in pairs)
        self.doubts = nn.Parameter(torch.zeros(3)) if settings.dynamic else None
        self.average: AveragedModel | None = None
        if settings.teacher == "average":
            moving = get_ema_multi_avg_fn(settings.decay)  # type: ignore[no-untyped-call]  # torch leaves it untyped
            self.average = AveragedModel(net, multi_avg_fn=moving)
            self.average.requires_grad_(requires_grad=False)

    def forward(self, taught: Taught, above: Taught, step: int, loss_of: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """The whole loss of a batch.

        Args:
            taught: What the net gave.
            above: What teaches: that, or what `listen` gave.
            step: Of the run, from 1.
            loss_of: The loss of some outputs and their embedding against the labels.
        """
        settings = self.settings
        learning = range(self._first(step), len(self.classifiers))
        students = [classify(tap) for classify, tap in zip(self.classifiers, taught.taps[:-1], strict=True)]
        hard = loss_of(taught.outputs, taught.embedding)
        if settings.hard_students:
            hard = hard + sum_of(loss_of(students[i], taught.taps[i]) for i in learning)
        logits = [*students, above.outputs]
        lessons = [(students[i], logits[self.teacher_of[i]]) for i in learning]
        if above is not taught:
            lessons.append((taught.outputs, above.outputs))
        soft = sum_of(soft_loss(student, teacher, settings.temperature) for student, teacher in lessons)
        feature = sum_of(self._distance(i, taught, above) for i in learning)
        if self.doubts is not None:
            pairs = zip(self.doubts, (hard, soft, feature), strict=True)
            return sum_of(torch.exp(-doubt) * loss + doubt for doubt, loss in pairs)
        return settings.alpha * hard + (1 - settings.alpha) * soft + settings.beta * feature

    @torch.no_grad()
    def listen(self, net: Countermeasure, samples: Tensor) -> Taught | None:
        """What the average gives on samples ``(batch, n)``, after a step towards the net; None without one."""
        if self.average is None:
            return None
        self.average.update_parameters(net)
        return hear(cast("Countermeasure", self.average.module).eval(), samples)

    def _first(self, step: int) -> int:
        """The first block that learns at a step: all do, or one more with each equal part of the run."""
        count = len(self.classifiers)
        if self.settings.teacher != "progressive":
            return 0
        return count - min(count, 1 + (step - 1) * count // self.steps)

    def _distance(self, block: int, taught: Taught, above: Taught) -> Tensor:
        """How far a block's features are from its teacher's, which get no gradient."""
        teacher = self.teacher_of[block]
        if self.settings.align == "attention":
            wanted = _when(above.maps[teacher].detach())
            return functional.mse_loss(_when(taught.maps[block], wanted.shape[1]), wanted)
        tap, goal = taught.taps[block], above.taps[teacher].detach()
        if self.settings.align == "similarity":
            return functional.mse_loss(_alike(tap), _alike(goal))
        return functional.mse_loss(self.projections[block](tap), goal)


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
