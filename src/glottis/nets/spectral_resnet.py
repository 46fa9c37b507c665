"""A compact residual net on the log power spectrum, with channel attention and attentive statistics.

No paper describes exactly this net. Its parts: residual blocks with squeeze-and-excitation or ECA as in the
ASSERT and ECANet countermeasures, attentive statistics pooling as in speaker recognition. The stem strides
over frequency and time, because the first maps cost most of the arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from glottis.nets.blocks import AttentiveStatistics, ResidualBlock
from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import USUAL_HZ, LogSpectrum, SpecAugment


class SpectralResNet(Countermeasure):
    """Samples ``(batch, n)`` to ``(score (batch,), embedding (batch, 2 * frame_features))``.

    Args:
        n_fft: Window and transform of the front-end, in samples at 16 kHz.
        hop_samples: Step between its frames, likewise.
        raise_to: See `LogSpectrum`.
        widths: Channels of each stage; each stage after the first halves frequency and time.
        blocks: Residual blocks of each stage.
        stem_kernel: Size of the first convolution.
        stem_stride: Its stride over (frequency, time).
        attention: ``se``, ``eca`` or ``none``.
        frame_features: Features of a frame before pooling.
        dropout: Before the last layer.
        mask_bands: See `SpecAugment`.
        mask_frames: See `SpecAugment`.
        sample_rate_hz: Of the samples.
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
        sample_rate_hz: int = USUAL_HZ,
    ) -> None:
        super().__init__()
        self.frontend = LogSpectrum(n_fft, hop_samples, raise_to=raise_to, sample_rate_hz=sample_rate_hz)
        self.mask = SpecAugment(mask_bands, mask_frames)
        stride = (int(stem_stride[0]), int(stem_stride[1]))
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], stem_kernel, stride, stem_kernel // 2, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        )
        stages: list[nn.Module] = []
        width = widths[0]
        bands = (self.frontend.spectrum.bins - 1) // stride[0] + 1
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
        maps = self.stages(self.stem(self.mask(self.frontend(samples))))
        embedding: Tensor = self.norm(self.pooling(self.frames(maps.flatten(1, 2))))
        return embedding

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        logit: Tensor = self.output(self.dropout(embedding))
        return logit
