"""Stretches of a spectrum hidden while a net learns, so that it leans on no band and no moment alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SpecAugment(nn.Module):
    """Maps ``(batch, 1, rows, frames)`` with bands and frames hidden, drawn for each item; in evaluation as they are.

    What is hidden becomes the mean of the item's map. Source: Park et al., "SpecAugment", 2019.

    Args:
        mask_bands: Most rows of a mask over frequency; 0 for none.
        mask_frames: Most frames of a mask over time; 0 for none.
        masks: How many of each.
    """

    def __init__(self, mask_bands: int = 0, mask_frames: int = 0, masks: int = 2) -> None:
        super().__init__()
        self.mask_bands, self.mask_frames, self.masks = mask_bands, mask_frames, masks

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        if not self.training or self.mask_bands == self.mask_frames == 0:
            return maps
        keep = torch.ones((), dtype=torch.bool, device=maps.device)
        for dim, most in ((2, self.mask_bands), (3, self.mask_frames)):
            if most > 0:
                keep = keep & self._kept(maps, dim, most)
        return torch.where(keep, maps, maps.mean(dim=(2, 3), keepdim=True))

    def _kept(self, maps: Tensor, dim: int, most: int) -> Tensor:
        size = maps.shape[dim]
        shape = [1, 1, 1, 1]
        shape[dim] = size
        place = torch.arange(size, device=maps.device).view(shape)
        keep = torch.ones((), dtype=torch.bool, device=maps.device)
        for _ in range(self.masks):
            length = torch.randint(0, most + 1, (len(maps), 1, 1, 1), device=maps.device)
            start = (torch.rand(len(maps), 1, 1, 1, device=maps.device) * (size - length)).long()
            keep = keep & ((place < start) | (place >= start + length))
        return keep
