"""A compact residual net on the log power spectrum, with channel attention and attentive statistics.

No paper describes exactly this net. Its parts: residual blocks with squeeze-and-excitation or ECA as in the
ASSERT and ECANet countermeasures, attentive statistics pooling as in speaker recognition. The stem strides
over frequency and time, because the first maps cost most of the arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from glottis.nets.blocks import AttentiveStatistics, ResidualBlock
from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import LogSpectrum


class SpectralResNet(Countermeasure):
    """Samples ``(batch, n)`` to ``(score (batch,), embedding (batch, 2 * frame_features))``.

    Args:
        n_fft: Window and transform of the front-end, in samples.
        hop_samples: Step between its frames.
        raise_to: See `LogSpectrum`.
        widths: Channels of each stage; each stage after the first halves frequency and time.
        blocks: Residual blocks of each stage.
        stem_kernel: Size of the first convolution.
        stem_stride: Its stride over (frequency, time).
        attention: ``se``, ``eca`` or ``none``.
        frame_features: Features of a frame before pooling.
        dropout: Before the last layer.
        mask_bands: Most frequency bins of each of two masks in training (SpecAugment); 0 for none.
        mask_frames: The same for time, in frames.
    """

    head_kind = "logit"

    def __init__(
        self,
        *,
        n_fft: int = 512,
        hop_samples: int = 160,
        raise_to: float = 0.0,
        widths: Sequence[int] = (24, 48, 64, 96),
        blocks: Sequence[int] = (1, 1, 1, 1),
        stem_kernel: int = 7,
        stem_stride: Sequence[int] = (4, 2),
        attention: str = "se",
        frame_features: int = 128,
        dropout: float = 0.2,
        mask_bands: int = 40,
        mask_frames: int = 40,
    ) -> None:
        super().__init__()
        self.frontend = LogSpectrum(n_fft, hop_samples, raise_to=raise_to)
        self.mask_bands = mask_bands
        self.mask_frames = mask_frames
        stride = (int(stem_stride[0]), int(stem_stride[1]))
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], stem_kernel, stride, stem_kernel // 2, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        )
        stages: list[nn.Module] = []
        width = widths[0]
        bands = (n_fft // 2 + 1 - 1) // stride[0] + 1
        for stage, (wanted, count) in enumerate(zip(widths, blocks, strict=True)):
            for block in range(count):
                step = 2 if stage > 0 and block == 0 else 1
                stages.append(ResidualBlock(width, wanted, step, attention))
                width, bands = wanted, (bands - 1) // step + 1
        self.stages = nn.Sequential(*stages)
        self.frames = nn.Sequential(
            nn.Conv1d(width * bands, frame_features, 1, bias=False), nn.BatchNorm1d(frame_features), nn.ReLU()
        )
        self.pooling = AttentiveStatistics(frame_features)
        self.norm = nn.BatchNorm1d(2 * frame_features)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(2 * frame_features, 1)

    def blocks(self) -> list[nn.Module]:
        """See `Countermeasure`."""
        return list(self.stages)

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`."""
        spectrum = self.frontend(samples)
        if self.training:
            spectrum = self._mask(spectrum)
        maps = self.stages(self.stem(spectrum))
        embedding: Tensor = self.norm(self.pooling(self.frames(maps.flatten(1, 2))))
        return embedding

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        logit: Tensor = self.output(self.dropout(embedding))
        return logit

    def _mask(self, spectrum: Tensor) -> Tensor:
        """Two masks over frequency and two over time, drawn for each row (Park et al., 2019); 0 is the mean."""
        keep = spectrum.new_ones(())
        for dim, most in ((2, self.mask_bands), (3, self.mask_frames)):
            if most <= 0:
                continue
            size = spectrum.shape[dim]
            shape = [1, 1, 1, 1]
            shape[dim] = size
            place = torch.arange(size, device=spectrum.device).view(shape)
            for _ in range(2):
                length = torch.randint(0, most + 1, (len(spectrum), 1, 1, 1), device=spectrum.device)
                start = (torch.rand(len(spectrum), 1, 1, 1, device=spectrum.device) * (size - length)).long()
                keep = keep * ((place < start) | (place >= start + length))
        return keep * spectrum
