"""Parts of a net that do not learn, or not yet: fine-tuning of the head alone, and gradual unfreezing."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from torch import nn

from glottis.errors import RecipeError
from glottis.training.recipe import Freeze


class Freezing:
    """Which parameters rest, by step.

    Patterns are those of shells on the names of parameters: ``encoder.*``. They thaw one after another, the first one
    at `first` of the steps and the last one at `until`, all at once where these are equal; with `until` 1 never.
    A module whose parameters all rest is in evaluation mode, so that its statistics rest too. What the net itself lets
    rest never learns.

    Args:
        net: The net.
        freeze: The recipe's table.
        steps: Of the run.

    Raises:
        RecipeError: A pattern fits no parameter.
    """

    def __init__(self, net: nn.Module, freeze: Freeze, steps: int) -> None:
        names = [name for name, _ in net.named_parameters()]
        for pattern in freeze.patterns:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise RecipeError(
                    f"freeze.patterns: {pattern!r} fits no parameter", hint=f"parameters: {', '.join(names[:6])}, ..."
                )
        self._net, self._patterns = net, freeze.patterns
        self._own = {name for name, one in net.named_parameters() if not one.requires_grad}
        count = max(1, len(freeze.patterns) - 1)
        self._thaw = [
            round(steps * (freeze.first + (freeze.until - freeze.first) * i / count)) if freeze.until < 1 else steps
            for i in range(len(freeze.patterns))
        ]

    def apply(self, step: int) -> None:
        """Let rest what rests at a step (from 1); the net is in training mode."""
        if not self._patterns:
            return
        resting = [pattern for pattern, at in zip(self._patterns, self._thaw, strict=True) if step <= at]
        for name, parameter in self._net.named_parameters():
            rests = name in self._own or any(fnmatchcase(name, pattern) for pattern in resting)
            parameter.requires_grad_(not rests)
        for module in _asleep(self._net):
            module.eval()


def _asleep(net: nn.Module) -> Iterator[nn.Module]:
    for module in net.modules():
        own = list(module.parameters())
        if own and not any(one.requires_grad for one in own):
            yield module
