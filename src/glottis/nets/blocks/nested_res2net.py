"""Nes2Net: Res2Nets inside a Res2Net, on the wide frames of a speech encoder without narrowing them first.

Source: Liu et al., "Nes2Net: a lightweight nested architecture for foundation model driven speech anti-spoofing", 2025,
and Liu-Tianchi/Nes2Net_ASVspoof_ITW, whose names the parameters have. That code is Nes2Net-X; the plain form, which
adds where this one weighs, follows the paper and ECAPA's Res2Net.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError
from glottis.nets.blocks.pooling import AttentiveStatistics

HIDDEN = 128


class _Squeeze(nn.Module):
    """Squeeze and excitation over time, named as published."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = channels // reduction
        self.se = nn.Sequential(
            *(nn.AdaptiveAvgPool1d(1), nn.Conv1d(channels, hidden, 1), nn.ReLU()),
            *(nn.Conv1d(hidden, channels, 1), nn.Sigmoid()),
        )

    def forward(self, frames: Tensor) -> Tensor:
        """Scale each channel by a gate between 0 and 1."""
        scaled: Tensor = frames * self.se(frames)
        return scaled


class Res2NetBlock(nn.Module):
    """Channels in groups, each of which hears those before it: ``(batch, c, t)``, the same.

    Args:
        channels: c.
        groups: How many; the last one goes on as it is.
        dilation: Of the convolutions of three frames.
        reduction: Of the squeeze.
        weighted: Whether a group keeps all that came before it side by side, and ends in a learned sum (Nes2Net-X);
            otherwise what came before is added to it.
    """

    def __init__(self, channels: int, groups: int, dilation: int, reduction: int, *, weighted: bool) -> None:
        super().__init__()
        self.width, self.weighted = channels // groups, weighted
        self.conv1, self.bn1 = nn.Conv1d(channels, channels, 1), nn.BatchNorm1d(channels)
        norm = nn.BatchNorm2d if weighted else nn.BatchNorm1d
        self.convs = nn.ModuleList(_conv(self.width, dilation, weighted=weighted) for _ in range(groups - 1))
        self.bns = nn.ModuleList(norm(self.width) for _ in range(groups - 1))
        if weighted:
            self.weighted_sum = nn.ParameterList(
                torch.full((1, 1, 1, count), 1 / count) for count in range(2, groups + 1)
            )
        self.conv3, self.bn3 = nn.Conv1d(channels, channels, 1), nn.BatchNorm1d(channels)
        self.se = _Squeeze(channels, reduction)

    def forward(self, frames: Tensor) -> Tensor:
        """See the class."""
        *groups, last = torch.split(self.bn1(functional.relu(self.conv1(frames))), self.width, dim=1)
        heard = self._beside(groups, last) if self.weighted else self._added(groups)
        joined = torch.cat([*heard, last], dim=1)
        told: Tensor = self.se(self.bn3(functional.relu(self.conv3(joined)))) + frames
        return told

    def _beside(self, groups: list[Tensor], last: Tensor) -> Iterator[Tensor]:
        maps = last[..., None]
        for i, group in enumerate(groups):
            maps = torch.cat([maps, group[..., None]], dim=3)
            maps = self.bns[i](functional.relu(self.convs[i](maps)))
            yield (maps * self.weighted_sum[i]).sum(dim=3)

    def _added(self, groups: list[Tensor]) -> Iterator[Tensor]:
        heard: Tensor | None = None
        for i, group in enumerate(groups):
            heard = self.bns[i](functional.relu(self.convs[i](group if heard is None else heard + group)))
            yield heard


def _conv(width: int, dilation: int, *, weighted: bool) -> nn.Module:
    """Over three frames, of maps ``(batch, c, t, columns)`` or of frames ``(batch, c, t)``."""
    if weighted:
        return nn.Conv2d(width, width, (3, 1), dilation=(dilation, 1), padding=(dilation, 0))
    return nn.Conv1d(width, width, 3, dilation=dilation, padding=dilation)


class NestedRes2Net(nn.Module):
    """Frames ``(batch, d, t)`` to an embedding: groups of channels, each a Res2Net that hears the one before it.

    Args:
        features: d.
        groups: Of the channels.
        scale: Groups inside each.
        dilation: See `Res2NetBlock`.
        reduction: See `Res2NetBlock`.
        weighted: See `Res2NetBlock`.
        pooling: ``mean`` over time, or ``attentive`` statistics.

    Raises:
        RecipeError: The features cannot be parted so, or the pooling is unknown.
    """

    def __init__(
        self,
        features: int,
        *,
        groups: int = 8,
        scale: int = 8,
        dilation: int = 2,
        reduction: int = 1,
        weighted: bool = True,
        pooling: str = "mean",
    ) -> None:
        super().__init__()
        if features % (groups * scale) or pooling not in ("mean", "attentive"):
            raise RecipeError(
                f"{features} features in {groups} groups of {scale}, pooling {pooling!r}",
                hint="groups times scale must divide the features; pooling is mean or attentive",
            )
        self.part = features // groups
        self.Build_in_Res2Nets = nn.ModuleList(
            Res2NetBlock(self.part, scale, dilation, reduction, weighted=weighted) for _ in range(groups - 1)
        )
        self.bns = nn.ModuleList(nn.BatchNorm1d(self.part) for _ in range(groups - 1))
        self.bn = nn.BatchNorm1d(features)
        self.pooling = AttentiveStatistics(features, HIDDEN) if pooling == "attentive" else None
        self.width = features if self.pooling is None else 2 * features

    def forward(self, frames: Tensor) -> Tensor:
        """See the class."""
        *groups, last = torch.split(frames, self.part, dim=1)
        told, before = [], torch.zeros_like(last)
        for group, block, norm in zip(groups, self.Build_in_Res2Nets, self.bns, strict=True):
            before = norm(functional.relu(block(group + before)))
            told.append(before)
        maps = functional.relu(self.bn(torch.cat([*told, last], dim=1)))
        embedding: Tensor = maps.mean(dim=2) if self.pooling is None else self.pooling(maps)
        return embedding
