"""LCNN with a bidirectional LSTM on LFCC: the strong classical baseline of ASVspoof 2021.

Source: Wang and Yamagishi, "A comparative study on recent neural spoofing countermeasures", 2021, and
nii-yamagishilab/project-NN-Pytorch-scripts; `transform` and the rest hold its layers in its order.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import Cepstra
from glottis.nets.heads import make_head

NARROWED = 16


class MaxFeatureMap(nn.Module):
    """The larger of the two halves of the channels: ``(batch, 2 c, h, w)`` to ``(batch, c, h, w)``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        return torch.maximum(maps[:, : self.channels], maps[:, self.channels :])


def _conv(c_in: int, c_out: int, size: int) -> list[nn.Module]:
    return [nn.Conv2d(c_in, c_out, size, padding=size // 2), MaxFeatureMap(c_out // 2)]


def _norm(channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels, affine=False)


class LCNN(Countermeasure):
    """Light CNN, two BLSTMs with a shortcut around them, the mean over time.

    Args:
        n_fft: Of the LFCC.
        bins: How many of the lowest bins the LFCC use: with 1,024 and 256 those of the 2021 baseline, up to 4 kHz; by
            default all of 512.
        head: A key of `glottis.nets.heads.HEADS`; published with one logit, cosine heads and P2SGrad among others.
        dropout: Before the LSTMs.
    """

    def __init__(self, *, n_fft: int = 512, bins: int | None = None, head: str = "logit", dropout: float = 0.7) -> None:
        super().__init__()
        self.head_kind = head
        self.frontend = Cepstra(20, "linear", n_fft=n_fft, bins=bins)
        width = 3 * 20 // NARROWED * 32
        self.transform = nn.Sequential(
            *(*_conv(1, 64, 5), nn.MaxPool2d(2)),
            *(*_conv(32, 64, 1), _norm(32), *_conv(32, 96, 3), nn.MaxPool2d(2), _norm(48)),
            *(*_conv(48, 96, 1), _norm(48), *_conv(48, 128, 3), nn.MaxPool2d(2)),
            *(*_conv(64, 128, 1), _norm(64), *_conv(64, 64, 3), _norm(32)),
            *(*_conv(32, 64, 1), _norm(32), *_conv(32, 64, 3), nn.MaxPool2d(2)),
            nn.Dropout(dropout),
        )
        self.lstms = nn.ModuleList(nn.LSTM(width, width // 2, bidirectional=True) for _ in range(2))
        self.output = make_head(head, width)

    def blocks(self) -> list[nn.Module]:
        """See `Countermeasure`."""
        return [one for one in self.transform if isinstance(one, nn.MaxPool2d)]

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`; ``(batch, 96)``."""
        maps = self.transform(self.frontend(samples).transpose(1, 2)[:, None])
        frames = maps.permute(2, 0, 1, 3).flatten(2)
        out = frames
        for lstm in self.lstms:
            out, _ = lstm(out)
        embedding: Tensor = (out + frames).mean(dim=0)
        return embedding

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        found: Tensor = self.output(embedding)
        return found
