"""A look at the dev split: one window a clip, pooled and within-source EER."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from glottis.errors import RecipeError
from glottis.metrics import eer, mean_eer_within
from glottis.training.recipe import Recipe
from glottis.training.store import Clips
from glottis.verdict import Label

ROWS = 16


@dataclass(frozen=True, slots=True)
class Check:
    """EER as fractions: over all clips, and the mean inside each source that has both labels."""

    pooled: float
    within: float

    @property
    def figure(self) -> float:
        """What the checkpoint is chosen by: the mean of the two, lower is better."""
        return (self.pooled + self.within) / 2

    def to_dict(self) -> dict[str, Any]:
        """The two figures, for the log."""
        return {"dev_pooled_eer": self.pooled, "dev_within_eer": self.within}


def check_net(net: nn.Module, dev: Clips, recipe: Recipe) -> Check:
    """Score the dev clips and measure.

    Raises:
        RecipeError: The net has run away: its scores are no numbers.
    """
    scores = score_store(net, dev, round(recipe.export.window_s * recipe.sample_rate_hz))
    if not np.isfinite(scores).all():
        raise RecipeError(
            "the net gives no finite scores any more", hint="a lower optimiser.learning_rate, or a wider precision"
        )
    bonafide, sources = facts(dev)
    return Check(eer(scores[bonafide], scores[~bonafide]), mean_eer_within(scores, bonafide, sources))


def facts(store: Clips) -> tuple[NDArray[np.bool_], NDArray[np.str_]]:
    """Which clips are bona fide, and the source of each."""
    bonafide = np.array([t.label == Label.BONAFIDE for t in store.trials])
    return bonafide, np.array([t.source for t in store.trials])


@torch.inference_mode()
def score_store(net: nn.Module, store: Clips, window_samples: int) -> NDArray[np.float64]:
    """The score of the first window of each clip, shape ``(clips,)``."""
    net.eval()
    device = next(net.parameters()).device
    scores = []
    for first in range(0, len(store), ROWS):
        clips = [store.crop(i, window_samples, None) for i in range(first, min(first + ROWS, len(store)))]
        score, _ = net(torch.from_numpy(np.stack(clips)).to(device))
        scores.append(score.float().cpu().numpy())
    return np.concatenate(scores).astype(np.float64)
