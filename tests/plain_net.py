"""A net of a user's own that draws nothing and takes no statistics of a batch: each row is heard by itself."""

from __future__ import annotations

from torch import Tensor, nn

from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import LogSpectrum


class PlainNet(Countermeasure):
    """A log spectrum, two convolutions with group normalisation, the mean, a linear layer.

    Args:
        width: Of the convolutions.
        idle: Whether there is a layer that nothing uses.
    """

    head_kind = "logit"

    def __init__(self, *, width: int = 8, idle: bool = False) -> None:
        super().__init__()
        self.frontend = LogSpectrum()
        self.stages = nn.Sequential(
            nn.Sequential(nn.Conv2d(1, width, 3, (4, 2), 1), nn.GroupNorm(2, width), nn.ReLU()),
            nn.Sequential(nn.Conv2d(width, width, 3, (4, 2), 1), nn.GroupNorm(2, width), nn.ReLU()),
        )
        self.idle = nn.Linear(2, 2) if idle else None
        self.output = nn.Linear(width, 1)

    def blocks(self) -> list[nn.Module]:
        """See `Countermeasure`."""
        return list(self.stages)

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`."""
        embedding: Tensor = self.stages(self.frontend(samples)).mean(dim=(2, 3))
        return embedding

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        logit: Tensor = self.output(embedding)
        return logit
