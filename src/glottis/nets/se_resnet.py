"""SE- and ECA-ResNets of 9 to 50 layers on a spectrum: SENet and ECANet countermeasures.

Sources: Lai et al., "ASSERT", 2019 (SE-ResNet); Xue et al., "Learning from yourself", 2023 (ECANet, the F0 subband,
self-distillation between blocks). The closest public code is fchest/DKDSSD, whose SENet34 this is to the last digit;
its parameters have those names. Docs/systems.md says what of the paper is assumed.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError
from glottis.nets.blocks.attention import ECA
from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import USUAL_HZ, SpecAugment, find_frontend
from glottis.nets.heads import make_head

DEPTHS = {9: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
BOTTLENECK = 50
EXPANSION = 4
REDUCTION = 16


class _SE(nn.Module):
    """Squeeze and excitation without biases, named as published."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(1, channels // REDUCTION)
        self.fc = nn.Sequential(
            nn.Linear(channels, hidden, bias=False), nn.ReLU(), nn.Linear(hidden, channels, bias=False), nn.Sigmoid()
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Scale each channel by a gate between 0 and 1."""
        scaled: Tensor = maps * self.fc(maps.mean(dim=(2, 3)))[:, :, None, None]
        return scaled


class _Block(nn.Module):
    """Two 3 x 3 convolutions, or 1 x 1, 3 x 3 and 1 x 1 with four times the channels; attention; the shortcut."""

    def __init__(self, c_in: int, planes: int, stride: int, attention: str, *, bottleneck: bool) -> None:
        super().__init__()
        self.bottleneck = bottleneck
        c_out = planes * EXPANSION if bottleneck else planes
        sizes = (
            ((1, 1, planes), (3, stride, planes), (1, 1, c_out))
            if bottleneck
            else ((3, stride, planes), (3, 1, planes))
        )
        width = c_in
        for i, (size, step, wanted) in enumerate(sizes, 1):
            self.add_module(f"conv{i}", nn.Conv2d(width, wanted, size, step, size // 2, bias=False))
            self.add_module(f"bn{i}", nn.BatchNorm2d(wanted))
            width = wanted
        self.layers = len(sizes)
        self.se = _SE(c_out) if attention == "se" else ECA(c_out)
        self.downsample = None
        if stride != 1 or c_in != c_out:
            self.downsample = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        out = maps
        for i in range(1, self.layers + 1):
            out = self.get_submodule(f"bn{i}")(self.get_submodule(f"conv{i}")(out))
            out = functional.relu(out) if i < self.layers else self.se(out)
        return functional.relu(out + (maps if self.downsample is None else self.downsample(maps)))


class SEResNet(Countermeasure):
    """A ResNet with attention over channels, in four blocks that can teach one another.

    Args:
        depth: 9, 18, 34 or 50.
        attention: ``se`` or ``eca``.
        frontend: A key of `glottis.nets.frontends.FRONTENDS`: ``f0_subband``, ``log_spectrum``, ``lfcc``, ...
        widths: Channels (planes) of the four blocks.
        strides: Of the four blocks.
        stem_kernel: Size of the first convolution.
        stem_stride: Its stride, and whether a pooling by two follows (only if it is 2).
        head: A key of `glottis.nets.heads.HEADS`; ``angular`` for A-softmax.
        mask_bands: See `SpecAugment`.
        mask_frames: See `SpecAugment`.
        sample_rate_hz: Of the samples.
    """

    def __init__(
        self,
        *,
        depth: int = 18,
        attention: str = "eca",
        frontend: str = "f0_subband",
        widths: Sequence[int] = (16, 32, 64, 128),
        strides: Sequence[int] = (1, 2, 1, 2),
        stem_kernel: int = 7,
        stem_stride: int = 2,
        head: str = "angular",
        mask_bands: int = 0,
        mask_frames: int = 0,
        sample_rate_hz: int = USUAL_HZ,
    ) -> None:
        super().__init__()
        if depth not in DEPTHS or attention not in ("se", "eca"):
            raise RecipeError(f"depth {depth}, attention {attention!r}", hint="9, 18, 34 or 50; se or eca")
        self.frontend, self.head_kind = find_frontend(frontend, sample_rate_hz), head
        self.mask = SpecAugment(mask_bands, mask_frames)
        self.conv1 = nn.Conv2d(1, widths[0], stem_kernel, stem_stride, stem_kernel // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.pool = nn.MaxPool2d(3, 2, 1) if stem_stride > 1 else nn.Identity()
        bottleneck = depth == BOTTLENECK
        c_in = widths[0]
        self.block_widths = tuple(planes * EXPANSION if bottleneck else planes for planes in widths)
        for i, (planes, stride, count) in enumerate(zip(widths, strides, DEPTHS[depth], strict=True), 1):
            blocks = []
            for k in range(count):
                blocks.append(_Block(c_in, planes, stride if k == 0 else 1, attention, bottleneck=bottleneck))
                c_in = self.block_widths[i - 1]
            self.add_module(f"layer{i}", nn.Sequential(*blocks))
        self.classifier = make_head(head, c_in)
        _initialise(self)

    def blocks(self) -> list[nn.Module]:
        """See `Countermeasure`; the four of the paper."""
        return [self.get_submodule(f"layer{i}") for i in range(1, 5)]

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`."""
        maps: Tensor = self.pool(functional.relu(self.bn1(self.conv1(self.mask(self.frontend(samples))))))
        for block in self.blocks():
            maps = block(maps)
        return maps.mean(dim=(2, 3))

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        found: Tensor = self.classifier(embedding)
        return found


def _initialise(net: nn.Module) -> None:
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
