"""Last layers, each made for a family of losses: an embedding ``(batch, d)`` to ``(batch, 1)`` or ``(batch, 2)``.

Column 0 of two is spoof, column 1 bona fide.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError


class Linear(nn.Module):
    """Dropout and a linear layer: one logit, or two."""

    def __init__(self, features: int, outputs: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(features, outputs)

    def forward(self, embedding: Tensor) -> Tensor:
        """See the class."""
        logits: Tensor = self.linear(self.dropout(embedding))
        return logits


class Angular(nn.Module):
    """cos(x, w) |x| for two unit columns: what A-softmax asks of its layer (Liu et al., SphereFace, 2017).

    Columns are made unit length in each pass, so that the optimiser may move them freely.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(functional.normalize(torch.empty(features, 2).uniform_(-1, 1), dim=0))

    def forward(self, embedding: Tensor) -> Tensor:
        """See the class."""
        return embedding @ functional.normalize(self.weight, dim=0)


class Cosine(nn.Module):
    """Cosines to the centres of two classes, for AM-softmax and P2SGrad; or to that of bona fide alone (OC-softmax)."""

    def __init__(self, features: int, centres: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.kaiming_uniform_(torch.empty(centres, features), 0.25).T.contiguous())

    def forward(self, embedding: Tensor) -> Tensor:
        """See the class."""
        return functional.normalize(embedding, dim=1) @ functional.normalize(self.weight, dim=0)


HEADS: dict[str, Callable[[int, float], nn.Module]] = {
    "logit": lambda features, dropout: Linear(features, 1, dropout),
    "two_logits": lambda features, dropout: Linear(features, 2, dropout),
    "angular": lambda features, _: Angular(features),
    "cosine": lambda features, _: Cosine(features, 2),
    "one_centre": lambda features, _: Cosine(features, 1),
}
"""By kind: the width of the embedding and the dropout before a linear layer, to the layer."""


def make_head(kind: str, features: int, dropout: float = 0.0) -> nn.Module:
    """A last layer.

    Raises:
        RecipeError: The kind is unknown.
    """
    if kind not in HEADS:
        raise RecipeError(f"unknown head {kind!r}", hint=f"one of {', '.join(HEADS)}")
    return HEADS[kind](features, dropout)
