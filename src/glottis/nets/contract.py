"""What every countermeasure here is: samples to an embedding, an embedding to the outputs of its last layer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


class Countermeasure(nn.Module):
    """Samples ``(batch, n)`` to ``(score (batch,), embedding (batch, d))``; a higher score is more bona fide.

    Attributes:
        head_kind: What `outputs` gives, so that a loss can be asked whether it fits: a key of
            `glottis.nets.heads.HEADS`.
    """

    head_kind: str

    @abstractmethod
    def embed(self, samples: Tensor) -> Tensor:
        """Samples ``(batch, n)`` to the input of the last layer, ``(batch, d)``."""

    @abstractmethod
    def outputs(self, embedding: Tensor) -> Tensor:
        """The last layer: ``(batch, 1)``, or ``(batch, 2)`` for spoof and bona fide."""

    def portable(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """The settings by which the net was built, as they stand in a bundle: none names a file."""
        return dict(args)

    def blocks(self) -> list[nn.Module]:
        """The blocks that can teach one another, from the first to the deepest; most nets have some."""
        return []

    def embed_and_tap(self, samples: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """The embedding, what each block gave on the way, time last, and the means of that, ``(batch, width)``."""
        maps: list[Tensor] = []
        handles = [
            block.register_forward_hook(lambda _module, _inputs, found: maps.append(self.time_last(found)))
            for block in self.blocks()
        ]
        try:
            embedding = self.embed(samples)
        finally:
            for handle in handles:
                handle.remove()
        return embedding, maps, [one.flatten(2).mean(dim=2) for one in maps]

    def time_last(self, found: Tensor) -> Tensor:
        """What a block gave as ``(batch, width, ..., time)``."""
        return found

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """See the class. Of two outputs the score is that of bona fide."""
        embedding = self.embed(samples)
        return self.outputs(embedding)[:, -1], embedding
