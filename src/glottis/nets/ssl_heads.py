"""What stands on a self-supervised encoder: its layers' frames to an embedding.

Each takes the hidden states ``(batch, frames, d)`` of all layers, the last one last, and has `width`, that of its
embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError
from glottis.nets.aasist import GraphBackend
from glottis.nets.blocks.conformer import ClassTokenEncoder
from glottis.nets.blocks.nested_res2net import NestedRes2Net
from glottis.nets.blocks.pooling import AttentiveStatistics
from glottis.nets.blocks.raw_residual import RawResidual

Hidden = Sequence[Tensor]


class MeanHead(nn.Module):
    """The mean over time of a projection of every frame: what `transformers` calls sequence classification.

    Args:
        features: d.
        width: Of the projection.
    """

    def __init__(self, features: int, width: int = 256) -> None:
        super().__init__()
        self.projector, self.width = nn.Linear(features, width), width

    def forward(self, hidden: Hidden) -> Tensor:
        """See the module."""
        embedding: Tensor = self.projector(hidden[-1]).mean(dim=1)
        return embedding


class MlpHead(nn.Module):
    """The mean over time through two layers with a ReLU between them."""

    def __init__(self, features: int, width: int = 256) -> None:
        super().__init__()
        self.layers, self.width = nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Dropout(0.1)), width

    def forward(self, hidden: Hidden) -> Tensor:
        """See the module."""
        embedding: Tensor = self.layers(hidden[-1].mean(dim=1))
        return embedding


class AttentiveHead(nn.Module):
    """Attentive statistics over time of a projection of every frame."""

    def __init__(self, features: int, width: int = 256) -> None:
        super().__init__()
        self.projector, self.pooling, self.width = nn.Linear(features, width), AttentiveStatistics(width), 2 * width

    def forward(self, hidden: Hidden) -> Tensor:
        """See the module."""
        embedding: Tensor = self.pooling(self.projector(hidden[-1]).transpose(1, 2))
        return embedding


class BilstmHead(nn.Module):
    """A bidirectional LSTM over the frames; the mean over time."""

    def __init__(self, features: int, width: int = 256) -> None:
        super().__init__()
        self.lstm, self.width = nn.LSTM(features, width // 2, batch_first=True, bidirectional=True), width

    def forward(self, hidden: Hidden) -> Tensor:
        """See the module."""
        frames, _ = self.lstm(hidden[-1])
        embedding: Tensor = frames.mean(dim=1)
        return embedding


class TransformerHead(nn.Module):
    """Two layers of self-attention over projected frames; the mean over time."""

    def __init__(self, features: int, width: int = 256) -> None:
        super().__init__()
        self.projector, self.width = nn.Linear(features, width), width
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.1, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, hidden: Hidden) -> Tensor:
        """See the module."""
        embedding: Tensor = self.layers(self.projector(hidden[-1])).mean(dim=1)
        return embedding


class AasistHead(GraphBackend):
    """AASIST on the frames of an encoder (Tak et al., 2022; TakHemlata/SSL_Anti-spoofing), named as published.

    The embedding is the input of the published last layer. `spectral` nodes come from 128 projected features.
    """

    def __init__(self, features: int) -> None:
        super().__init__(64, 42, ratios=(0.5, 0.5, 0.5))
        self.width = 160
        self.LL = nn.Linear(features, 128)
        self.first_bn, self.first_bn1 = nn.BatchNorm2d(1), nn.BatchNorm2d(64)
        widths = (1, 32, 32, 64, 64, 64, 64)
        self.encoder = nn.Sequential(
            *(
                nn.Sequential(RawResidual(c_in, c_out, first=i == 0, pool=False))
                for i, (c_in, c_out) in enumerate(pairwise(widths))
            )
        )
        self.attention = nn.Sequential(nn.Conv2d(64, 128, 1), nn.SELU(), nn.BatchNorm2d(128), nn.Conv2d(128, 64, 1))

    def forward(self, hidden: Hidden) -> Tensor:
        """See the module."""
        maps = functional.max_pool2d(self.LL(hidden[-1]).transpose(1, 2)[:, None], 3)
        maps = self.encoder(functional.selu(self.first_bn(maps)))
        maps = functional.selu(self.first_bn1(maps))
        weight = self.attention(maps)
        spectral = (maps * weight.softmax(dim=3)).sum(dim=3).transpose(1, 2)
        temporal = (maps * weight.softmax(dim=2)).sum(dim=2).transpose(1, 2)
        return self.read(spectral, temporal)


class LayersHead(nn.Module):
    """Every layer weighed by a gate of its mean, their sum squeezed to one vector: SLS (Zhang et al., 2024).

    The published last step is fixed to 201 frames (64,600 samples) and 1,024 features; here to `frames`.

    Args:
        features: d.
        frames: How many there are.
        width: Of the embedding.
    """

    def __init__(self, features: int, frames: int = 201, width: int = 1024) -> None:
        super().__init__()
        self.width = width
        self.fc0 = nn.Linear(features, 1)
        self.first_bn = nn.BatchNorm2d(1)
        self.fc1 = nn.Linear((frames // 3) * (features // 3), width)

    def forward(self, hidden: Hidden) -> Tensor:
        """See the module."""
        layers = torch.stack(list(hidden[1:] if len(hidden) > 1 else hidden), dim=1)
        gate = torch.sigmoid(self.fc0(layers.mean(dim=2)))[:, :, None]
        maps = functional.selu(self.first_bn((layers * gate).sum(dim=1)[:, None]))
        return functional.selu(self.fc1(functional.max_pool2d(maps, 3).flatten(1)))


class ConformerHead(nn.Module):
    """Projected frames and a class token through a Conformer, named as published.

    With relative positions this is XLSR-Conformer (Rosello et al., 2023), with head tokens its form with
    temporal-channel modelling (Truong et al., 2024). The embedding is the input of the published ``conformer.fc5``.

    Args:
        features: d.
        width: Of a projected frame and of the embedding.
        attention: See `ClassTokenEncoder`.
        blocks: See `ClassTokenEncoder`.
        heads: See `ClassTokenEncoder`.
        kernel: See `ClassTokenEncoder`.
    """

    def __init__(
        self,
        features: int,
        width: int = 144,
        *,
        attention: str = "relative",
        blocks: int = 4,
        heads: int = 4,
        kernel: int = 31,
    ) -> None:
        super().__init__()
        self.width = width
        self.LL = nn.Linear(features, width)
        self.first_bn = nn.BatchNorm2d(1)
        self.conformer = ClassTokenEncoder(width, blocks, heads, kernel, attention=attention)

    def forward(self, hidden: Hidden) -> Tensor:
        """See the module."""
        frames = functional.selu(self.first_bn(self.LL(hidden[-1])[:, None]))[:, 0]
        embedding: Tensor = self.conformer(frames)
        return embedding


class Nes2NetHead(nn.Module):
    """A nested Res2Net on the frames as they are, named as published; the embedding is the input of its ``fc``.

    Args:
        features: d.
        settings: See `NestedRes2Net`.
    """

    def __init__(self, features: int, **settings: Any) -> None:
        super().__init__()
        self.Nested_Res2Net_TDNN = NestedRes2Net(features, **settings)
        self.width = self.Nested_Res2Net_TDNN.width

    def forward(self, hidden: Hidden) -> Tensor:
        """See the module."""
        embedding: Tensor = self.Nested_Res2Net_TDNN(hidden[-1].transpose(1, 2))
        return embedding


SSL_HEADS: dict[str, Callable[..., nn.Module]] = {
    "mean": MeanHead,
    "mlp": MlpHead,
    "attentive": AttentiveHead,
    "bilstm": BilstmHead,
    "transformer": TransformerHead,
    "conformer": ConformerHead,
    "aasist": AasistHead,
    "layers": LayersHead,
    "nes2net": Nes2NetHead,
}


def make_ssl_head(kind: str, features: int, width: int = 0, settings: Mapping[str, Any] | None = None) -> nn.Module:
    """A head by name, with its own width or another, and with what further settings it has.

    Raises:
        RecipeError: It is unknown, or has no such setting.
    """
    if kind not in SSL_HEADS:
        raise RecipeError(f"unknown back {kind!r}", hint=f"one of {', '.join(SSL_HEADS)}")
    given = {**({"width": width} if width else {}), **(settings or {})}
    try:
        return SSL_HEADS[kind](features, **given)
    except TypeError as error:
        raise RecipeError(
            f"back {kind}: {error}", hint="set net.back_width and net.back_args to what it has"
        ) from error
