"""A Conformer on a spectrum, with a class token.

The encoder is that of XLSR-Conformer (`glottis.nets.blocks.conformer`); no paper describes it on a spectrum.
"""

from __future__ import annotations

from torch import Tensor, nn

from glottis.nets.blocks.conformer import ClassTokenEncoder
from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import USUAL_HZ, SpecAugment, find_frontend, rows_of
from glottis.nets.heads import make_head


class Conformer(Countermeasure):
    """Frames of a spectrum, four at a time, through Conformer blocks.

    Args:
        frontend: A key of `glottis.nets.frontends.FRONTENDS`.
        blocks: How many.
        features: Of a frame.
        heads: Of each attention.
        kernel: Frames that a convolution sees; odd.
        attention: ``relative``, or ``tokens`` for one token a head; see `ClassTokenEncoder`.
        dropout: In the blocks.
        head: A key of `glottis.nets.heads.HEADS`.
        mask_bands: See `SpecAugment`.
        mask_frames: See `SpecAugment`.
        sample_rate_hz: Of the samples.
    """

    def __init__(
        self,
        *,
        frontend: str = "mel80",
        blocks: int = 4,
        features: int = 144,
        heads: int = 4,
        kernel: int = 31,
        attention: str = "relative",
        dropout: float = 0.1,
        head: str = "two_logits",
        mask_bands: int = 0,
        mask_frames: int = 0,
        sample_rate_hz: int = USUAL_HZ,
    ) -> None:
        super().__init__()
        self.head_kind = head
        self.frontend = find_frontend(frontend, sample_rate_hz)
        self.mask = SpecAugment(mask_bands, mask_frames)
        self.narrow = nn.Sequential(
            nn.BatchNorm2d(1),
            nn.Conv2d(1, 32, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, 2, 1),
            nn.ReLU(),
        )
        halved = (rows_of(self.frontend) + 1) // 2
        self.project = nn.Linear(32 * ((halved + 1) // 2), features)
        self.encoder = ClassTokenEncoder(features, blocks, heads, kernel, attention=attention, dropout=dropout)
        self.output = make_head(head, features)

    def blocks(self) -> list[nn.Module]:
        """See `Countermeasure`."""
        return list(self.encoder.encoder_blocks)

    def time_last(self, found: Tensor) -> Tensor:
        """See `Countermeasure`."""
        return found.transpose(1, 2)

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`; ``(batch, features)``."""
        maps = self.narrow(self.mask(self.frontend(samples)))
        told: Tensor = self.encoder(self.project(maps.permute(0, 3, 1, 2).flatten(2)))
        return told

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        found: Tensor = self.output(embedding)
        return found
