"""What stands on a self-supervised encoder: its layers' frames to an embedding.

Each takes the hidden states ``(batch, frames, d)`` of all layers, the last one last, and has `width`, that of its
embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError
from glottis.nets.aasist import GraphBackend
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


SSL_HEADS: dict[str, Callable[..., nn.Module]] = {
    "mean": MeanHead,
    "mlp": MlpHead,
    "bilstm": BilstmHead,
    "transformer": TransformerHead,
    "aasist": AasistHead,
    "layers": LayersHead,
}


def make_ssl_head(kind: str, features: int, width: int = 0) -> nn.Module:
    """A head by name, with its own width or another.

    Raises:
        RecipeError: It is unknown.
    """
    if kind not in SSL_HEADS:
        raise RecipeError(f"unknown back {kind!r}", hint=f"one of {', '.join(SSL_HEADS)}")
    return SSL_HEADS[kind](features, **({"width": width} if width else {}))
