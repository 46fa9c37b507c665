"""Batches as a function of the step: the same seed gives the same batch, whoever makes it and whenever."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from glottis.augment import Chain, apply
from glottis.training.store import Clips
from glottis.verdict import Label

Augment = Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class ChainAugment:
    """A chain drawn anew for each crop; a class, so that workers can be started by any method."""

    chain: Chain
    sample_rate_hz: int

    def __call__(self, samples: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """The crop, altered."""
        return apply(self.chain.draw(rng), samples, self.sample_rate_hz)


class Batches(Dataset[tuple[Tensor, Tensor]]):
    """Item `step` is ``(samples (batch, n) float32, bona fide (batch,) float32)``.

    A part of each batch is pairs, one of each label from one source that has both, so that the source's
    recording chain tells nothing; the rest is half of each label. A clip is drawn with weight one over the root
    of its source's clips of that label.

    Args:
        store: The clips.
        steps: How many items there are.
        batch: Rows of an item; even.
        crop_samples: Length of a row.
        pair_share: Share of the rows that are pairs.
        seed: Of all draws.
        augment: Applied to every row, blind to its label.
    """

    def __init__(
        self,
        store: Clips,
        *,
        steps: int,
        batch: int,
        crop_samples: int,
        pair_share: float,
        seed: int,
        augment: Augment | None,
    ) -> None:
        self.store = store
        self.steps = steps
        self.crop_samples = crop_samples
        self.seed = seed
        self.augment = augment
        self.pairs = int(batch * pair_share) // 2
        self.singles = batch // 2 - self.pairs
        self.by_source: dict[str, dict[Label, NDArray[np.int64]]] = {}
        groups: dict[tuple[str, Label], list[int]] = defaultdict(list)
        for index, trial in enumerate(store.trials):
            groups[trial.source, trial.label].append(index)
        for (source, label), members in groups.items():
            self.by_source.setdefault(source, {})[label] = np.array(members)
        self.mixed = sorted(s for s, labels in self.by_source.items() if len(labels) == len(Label))
        self.sources = {label: sorted(s for s, g in self.by_source.items() if label in g) for label in Label}

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([self.seed, step])
        chosen: list[int] = []
        for label in Label:
            chosen += self._draw(rng, self.sources[label], label, self.singles)
        pair_sources = [self.mixed[i] for i in rng.choice(len(self.mixed), self.pairs, p=self._mixed_weights())]
        for source in pair_sources:
            chosen += [int(rng.choice(self.by_source[source][label])) for label in Label]
        rows = np.stack([self._row(index, rng) for index in chosen])
        bonafide = [float(self.store.trials[i].label == Label.BONAFIDE) for i in chosen]
        return torch.from_numpy(rows), torch.tensor(bonafide)

    def _mixed_weights(self) -> NDArray[np.float64]:
        smaller = np.array([min(len(g) for g in self.by_source[s].values()) for s in self.mixed])
        weights: NDArray[np.float64] = np.sqrt(smaller) / np.sqrt(smaller).sum()
        return weights

    def _draw(self, rng: np.random.Generator, sources: list[str], label: Label, count: int) -> list[int]:
        weights = np.sqrt([len(self.by_source[s][label]) for s in sources])
        picked = rng.choice(len(sources), count, p=weights / weights.sum())
        return [int(rng.choice(self.by_source[sources[i]][label])) for i in picked]

    def _row(self, index: int, rng: np.random.Generator) -> NDArray[np.float32]:
        clip = self.store.crop(index, self.crop_samples, rng)
        return clip if self.augment is None else self.augment(clip, rng)
