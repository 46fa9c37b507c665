"""A CNN with multi-head self-attention on MFCC, alone or beside wavelet packets.

No single paper settles it; AudioFakeNet and its kin (MFCC, convolutions, attention; dropout 0.3, early stopping after
5, learning rate 1e-5, the convolutions frozen at first) are followed where they agree. See docs/systems.md.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glottis.nets.blocks.pooling import AttentiveStatistics
from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import USUAL_HZ, Cepstra, SpecAugment, WaveletPackets
from glottis.nets.heads import make_head

COEFFICIENTS = 40


class CepstralAttention(Countermeasure):
    """MFCC with deltas, three convolutions, two layers of self-attention, attentive statistics.

    Args:
        wavelet: Whether log energies of wavelet packets stand beside the MFCC.
        widths: Channels of the convolutions.
        features: Of a frame afterwards.
        heads: Of the attention.
        dropout: Everywhere.
        head: A key of `glottis.nets.heads.HEADS`.
        mask_bands: See `SpecAugment`.
        mask_frames: See `SpecAugment`.
        sample_rate_hz: Of the samples.
    """

    def __init__(
        self,
        *,
        wavelet: bool = False,
        widths: tuple[int, ...] = (32, 64, 128),
        features: int = 128,
        heads: int = 4,
        dropout: float = 0.3,
        head: str = "two_logits",
        mask_bands: int = 0,
        mask_frames: int = 0,
        sample_rate_hz: int = USUAL_HZ,
    ) -> None:
        super().__init__()
        self.head_kind = head
        self.frontend = Cepstra(COEFFICIENTS, "mel", window_samples=400, sample_rate_hz=sample_rate_hz)
        self.wavelet = WaveletPackets(sample_rate_hz=sample_rate_hz) if wavelet else None
        self.mask = SpecAugment(mask_bands, mask_frames)
        rows = 3 * COEFFICIENTS + (0 if self.wavelet is None else self.wavelet.bands)
        self.scale = nn.BatchNorm1d(rows)
        layers: list[nn.Module] = []
        c_in = 1
        for c_out in widths:
            layers += [nn.Conv2d(c_in, c_out, 3, padding=1), nn.BatchNorm2d(c_out), nn.ReLU(), nn.MaxPool2d(2)]
            c_in, rows = c_out, rows // 2
        self.convolutions = nn.Sequential(*layers)
        self.project = nn.Sequential(nn.Linear(c_in * rows, features), nn.Dropout(dropout))
        layer = nn.TransformerEncoderLayer(features, heads, 2 * features, dropout, batch_first=True)
        self.attention = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.pooling = AttentiveStatistics(features)
        self.output = make_head(head, 2 * features, dropout)

    def blocks(self) -> list[nn.Module]:
        """See `Countermeasure`."""
        return [one for one in self.convolutions if isinstance(one, nn.MaxPool2d)]

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`; ``(batch, 2 * features)``."""
        rows = self.frontend(samples)
        if self.wavelet is not None:
            packets = self.wavelet(samples)
            frames = min(rows.shape[2], packets.shape[2])
            rows = torch.cat([rows[:, :, :frames], packets[:, :, :frames]], dim=1)
        maps = self.convolutions(self.mask(self.scale(rows)[:, None]))
        told = self.attention(self.project(maps.permute(0, 3, 1, 2).flatten(2)))
        embedding: Tensor = self.pooling(told.transpose(1, 2))
        return embedding

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        found: Tensor = self.output(embedding)
        return found
