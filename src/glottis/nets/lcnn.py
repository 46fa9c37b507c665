"""Light CNNs: on LFCC with a bidirectional LSTM, the strong classical baseline of ASVspoof 2021, and their kin.

Sources: Lavrentyeva et al., "STC antispoofing systems for the ASVspoof2019 challenge", 2019; Wang and Yamagishi, "A
comparative study on recent neural spoofing countermeasures", 2021, and nii-yamagishilab/project-NN-Pytorch-scripts;
`transform` and the rest hold its layers in its order.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glottis.errors import RecipeError
from glottis.nets.blocks.pooling import AttentiveStatistics
from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import USUAL_HZ, Cepstra, Maps, SpecAugment, find_frontend
from glottis.nets.heads import make_head

POOLED = {"lstm": 0, "attention": 64, "fixed": 80}
"""Poolings, and the widths of their embeddings; 0 is that of the frames."""

NARROWED = 16


class MaxFeatureMap(nn.Module):
    """The larger of the two halves of the channels: ``(batch, 2 c, ...)`` to ``(batch, c, ...)``."""

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
    """Light CNN; over its frames two BLSTMs with a shortcut around them and the mean, or another pooling.

    Args:
        frontend: A key of `glottis.nets.frontends.FRONTENDS` with 16 rows or more.
        n_fft: Of the front-end ``lfcc``.
        bins: How many of the lowest bins the front-end ``lfcc`` uses: with 1,024 and 256 those of the 2021 baseline, up
            to 4 kHz; by default all of 512.
        pooling: ``lstm``; ``attention`` for attentive statistics; or ``fixed``, where all frames of a window go into
            one layer, the form of the Light CNNs of 2019 (Lavrentyeva et al.).
        window_s: Seconds of a window, to which ``fixed`` is tied.
        head: A key of `glottis.nets.heads.HEADS`; published with one logit, cosine heads and P2SGrad among others.
        dropout: After the convolutions.
        mask_bands: See `SpecAugment`.
        mask_frames: See `SpecAugment`.
        sample_rate_hz: Of the samples.

    Raises:
        RecipeError: The pooling is unknown, or the front-end has too few rows.
    """

    def __init__(
        self,
        *,
        frontend: str = "lfcc",
        n_fft: int = 512,
        bins: int | None = None,
        pooling: str = "lstm",
        window_s: float = 4.0375,
        head: str = "logit",
        dropout: float = 0.7,
        mask_bands: int = 0,
        mask_frames: int = 0,
        sample_rate_hz: int = USUAL_HZ,
    ) -> None:
        super().__init__()
        self.head_kind, self.pooling = head, pooling
        self.frontend = (
            Maps(Cepstra(20, "linear", n_fft=n_fft, bins=bins, sample_rate_hz=sample_rate_hz))
            if frontend == "lfcc"
            else find_frontend(frontend, sample_rate_hz)
        )
        self.mask = SpecAugment(mask_bands, mask_frames)
        self.transform = nn.Sequential(
            *(*_conv(1, 64, 5), nn.MaxPool2d(2)),
            *(*_conv(32, 64, 1), _norm(32), *_conv(32, 96, 3), nn.MaxPool2d(2), _norm(48)),
            *(*_conv(48, 96, 1), _norm(48), *_conv(48, 128, 3), nn.MaxPool2d(2)),
            *(*_conv(64, 128, 1), _norm(64), *_conv(64, 64, 3), _norm(32)),
            *(*_conv(32, 64, 1), _norm(32), *_conv(32, 64, 3), nn.MaxPool2d(2)),
            nn.Dropout(dropout),
        )
        rows, frames = _size(self.frontend, round(window_s * sample_rate_hz))
        width = rows // NARROWED * 32
        if pooling not in POOLED or width == 0:
            raise RecipeError(
                f"lcnn: pooling {pooling!r} over {rows} rows of {frontend}",
                hint=f"pooling: one of {', '.join(POOLED)}; {NARROWED} rows or more",
            )
        if pooling == "lstm":
            self.lstms = nn.ModuleList(nn.LSTM(width, width // 2, bidirectional=True) for _ in range(2))
        elif pooling == "attention":
            self.project = nn.Sequential(AttentiveStatistics(width), nn.Linear(2 * width, POOLED[pooling]))
        else:
            joined = nn.Linear(frames // NARROWED * width, 2 * POOLED[pooling])
            self.project = nn.Sequential(nn.Flatten(), joined, MaxFeatureMap(POOLED[pooling]))
        self.output = make_head(head, POOLED[pooling] or width)

    def blocks(self) -> list[nn.Module]:
        """See `Countermeasure`."""
        return [one for one in self.transform if isinstance(one, nn.MaxPool2d)]

    def time_last(self, found: Tensor) -> Tensor:
        """See `Countermeasure`."""
        return found.transpose(2, 3)

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`; ``(batch, 96)`` with LFCC and LSTMs."""
        maps = self.transform(self.mask(self.frontend(samples)).transpose(2, 3))
        if self.pooling == "lstm":
            return self._told(maps.permute(2, 0, 1, 3).flatten(2))
        frames = maps if self.pooling == "fixed" else maps.transpose(2, 3).flatten(1, 2)
        embedding: Tensor = self.project(frames)
        return embedding

    def _told(self, frames: Tensor) -> Tensor:
        """The mean over frames ``(t, batch, width)`` and what the LSTMs add to them."""
        out = frames
        for lstm in self.lstms:
            out, _ = lstm(out)
        return (out + frames).mean(dim=0)

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        found: Tensor = self.output(embedding)
        return found


def _size(frontend: nn.Module, samples: int) -> tuple[int, int]:
    """Rows and frames of a front-end's maps."""
    with torch.no_grad():
        rows, frames = frontend(torch.zeros(1, samples)).shape[2:]
    return rows, frames
