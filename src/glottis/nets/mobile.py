"""MobileNetV2 and EfficientNet-B0 on a spectrum: image backbones of few multiplications.

Sources: Sandler et al., "MobileNetV2", 2018; Tan and Le, "EfficientNet", 2019. Used for this task by Pham et al.,
"Deepfake audio detection using spectrogram-based feature and ensemble of deep learning models", 2024. With three
channels of input their sizes are those of the papers, which a test holds.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from glottis.errors import RecipeError
from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import USUAL_HZ, SpecAugment, find_frontend
from glottis.nets.heads import make_head


class Stage(NamedTuple):
    """A row of the papers' tables."""

    expansion: int
    channels: int
    repeats: int
    stride: int
    kernel: int


LAST = 1280
STAGES = {
    "mobilenet_v2": (
        Stage(1, 16, 1, 1, 3),
        Stage(6, 24, 2, 2, 3),
        Stage(6, 32, 3, 2, 3),
        Stage(6, 64, 4, 2, 3),
        Stage(6, 96, 3, 1, 3),
        Stage(6, 160, 3, 2, 3),
        Stage(6, 320, 1, 1, 3),
    ),
    "efficientnet_b0": (
        Stage(1, 16, 1, 1, 3),
        Stage(6, 24, 2, 2, 3),
        Stage(6, 40, 2, 2, 5),
        Stage(6, 80, 3, 2, 3),
        Stage(6, 112, 3, 1, 5),
        Stage(6, 192, 4, 2, 5),
        Stage(6, 320, 1, 1, 3),
    ),
}


def _unit(
    c_in: int, c_out: int, act: type[nn.Module] | None, *, kernel: int = 1, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    layers = [
        nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(c_out),
    ]
    return nn.Sequential(*layers, *([act()] if act else []))


class _Squeeze(nn.Module):
    """Squeeze and excitation of EfficientNet: a quarter of the block's own input channels, SiLU."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.Conv2d(channels, hidden, 1), nn.SiLU(), nn.Conv2d(hidden, channels, 1), nn.Sigmoid()
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Scale each channel by a gate between 0 and 1."""
        scaled: Tensor = maps * self.gate(maps.mean(dim=(2, 3), keepdim=True))
        return scaled


class InvertedResidual(nn.Module):
    """Wider, a convolution for each channel, narrower; the input is added where the shape stays."""

    def __init__(self, c_in: int, stage: Stage, stride: int, act: type[nn.Module], *, squeeze: bool) -> None:
        super().__init__()
        wide = c_in * stage.expansion
        self.adds = stride == 1 and c_in == stage.channels
        parts: list[nn.Module] = [] if stage.expansion == 1 else [_unit(c_in, wide, act)]
        parts.append(_unit(wide, wide, act, kernel=stage.kernel, stride=stride, groups=wide))
        if squeeze:
            parts.append(_Squeeze(wide, c_in // 4))
        self.parts = nn.Sequential(*parts, _unit(wide, stage.channels, None))

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.parts(maps)
        return maps + out if self.adds else out


class Mobile(Countermeasure):
    """The backbone, the mean over its last map, a linear layer.

    Args:
        backbone: ``mobilenet_v2`` or ``efficientnet_b0``.
        frontend: A key of `glottis.nets.frontends.FRONTENDS`: ``mel80``, ``lfb80``, ``cqt``, ...
        channels: Of the input; the front-end's map is given to each.
        dropout: Before the last layer.
        head: A key of `glottis.nets.heads.HEADS`.
        mask_bands: See `SpecAugment`.
        mask_frames: See `SpecAugment`.
        sample_rate_hz: Of the samples.
    """

    def __init__(
        self,
        *,
        backbone: str = "mobilenet_v2",
        frontend: str = "mel80",
        channels: int = 1,
        dropout: float = 0.2,
        head: str = "two_logits",
        mask_bands: int = 0,
        mask_frames: int = 0,
        sample_rate_hz: int = USUAL_HZ,
    ) -> None:
        super().__init__()
        if backbone not in STAGES:
            raise RecipeError(f"unknown backbone {backbone!r}", hint=f"one of {', '.join(STAGES)}")
        self.head_kind, self.channels = head, channels
        self.frontend = find_frontend(frontend, sample_rate_hz)
        self.mask = SpecAugment(mask_bands, mask_frames)
        self.scale = nn.BatchNorm2d(1)
        efficient = backbone == "efficientnet_b0"
        act: type[nn.Module] = nn.SiLU if efficient else nn.ReLU6
        width = 32
        stages: list[nn.Module] = [_unit(channels, width, act, kernel=3, stride=2)]
        for stage in STAGES[backbone]:
            rows = []
            for i in range(stage.repeats):
                stride = stage.stride if i == 0 else 1
                rows.append(InvertedResidual(width, stage, stride, act, squeeze=efficient))
                width = stage.channels
            stages.append(nn.Sequential(*rows))
        self.features = nn.Sequential(*stages, _unit(width, LAST, act))
        self.output = make_head(head, LAST, dropout)

    def blocks(self) -> list[nn.Module]:
        """See `Countermeasure`."""
        return list(self.features)

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`; ``(batch, 1280)``."""
        maps = self.scale(self.mask(self.frontend(samples))).expand(-1, self.channels, -1, -1)
        embedding: Tensor = self.features(maps).mean(dim=(2, 3))
        return embedding

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        found: Tensor = self.output(embedding)
        return found
