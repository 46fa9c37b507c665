"""Batches as a function of the step: the same seed gives the same batch, whoever makes it and whenever."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from glottis.augment import Chain, apply
from glottis.errors import CorpusError, RecipeError
from glottis.training.recipe import Data
from glottis.training.store import Clips
from glottis.verdict import Label

Change = Callable[[NDArray[np.float32]], NDArray[np.float32]]
Augment = Callable[[np.random.Generator], Change]
"""Draws how a crop is altered; what is drawn depends on nothing but the generator."""


@dataclass(frozen=True, slots=True)
class ChainAugment:
    """A chain drawn anew for each crop; a class, so that workers can be started by any method."""

    chain: Chain
    sample_rate_hz: int

    def __call__(self, rng: np.random.Generator) -> Change:
        """How the next crop is altered."""
        return partial(apply, self.chain.draw(rng), sample_rate_hz=self.sample_rate_hz)


@dataclass(frozen=True, slots=True)
class Share:
    """Which of the processes that share each batch makes its rows: number `rank` of `of`."""

    rank: int = 0
    of: int = 1


WHOLE = Share()


class Batches(Dataset[tuple[Tensor, Tensor]]):
    """Item `step` is ``(samples (rows, n) float32, bona fide (rows,) float32)``.

    A part of each batch is pairs, one of each label from one source that has both, so that the source's recording
    chain tells nothing; the rest brings the labels to their shares. A source is drawn with its number of clips of that
    label, to the power `source_exponent`, times its weight.

    Several processes share each batch: the draws are the same in all of them, and each makes its rows alone, with its
    part of both labels.

    Args:
        store: The clips.
        data: How they are drawn.
        steps: How many items there are.
        batch: Rows of a batch.
        crop_samples: Length of a row.
        seed: Of all draws.
        augment: Applied to every row, blind to its label.
        share: Whose rows are made; by default all.

    Raises:
        RecipeError: A setting is impossible, or impossible for these clips.
        CorpusError: A label has no clip.
    """

    def __init__(
        self,
        store: Clips,
        data: Data,
        *,
        steps: int,
        batch: int,
        crop_samples: int,
        seed: int,
        augment: Augment | None,
        share: Share = WHOLE,
    ) -> None:
        self.store = store
        self.data = data
        self.steps = steps
        self.crop_samples = crop_samples
        self.seed = seed
        self.augment = augment
        self.share = share
        self.pairs, self.singles = _rows(data, batch, share)
        self.by_source: dict[str, dict[Label, NDArray[np.int64]]] = {}
        groups: dict[tuple[str, Label], list[int]] = defaultdict(list)
        for index, trial in enumerate(store.trials):
            groups[trial.source, trial.label].append(index)
        for (source, label), members in groups.items():
            self.by_source.setdefault(source, {})[label] = np.array(members)
        self.mixed = sorted(s for s, labels in self.by_source.items() if len(labels) == len(Label))
        self.sources = {label: sorted(s for s, g in self.by_source.items() if label in g) for label in Label}
        _check_sources(self)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([self.seed, step])
        chosen: list[int] = []
        for label in Label:
            chosen += self._draw(rng, self.sources[label], label, self.singles[label])
        smaller = [min(len(g) for g in self.by_source[s].values()) for s in self.mixed]
        for i in rng.choice(len(self.mixed), self.pairs, p=self._chances(self.mixed, smaller)) if self.pairs else ():
            chosen += [int(rng.choice(self.by_source[self.mixed[i]][label])) for label in Label]
        labels = np.array([self.store.trials[i].label == Label.BONAFIDE for i in chosen])
        own = np.sort(np.argsort(~labels, kind="stable")[self.share.rank :: self.share.of])
        rows = [self._row(index, rng, wanted=place in own) for place, index in enumerate(chosen)]
        samples = np.stack([row for row in rows if row is not None])
        return torch.from_numpy(samples), torch.from_numpy(labels[own].astype(np.float32))

    def _draw(self, rng: np.random.Generator, sources: list[str], label: Label, count: int) -> list[int]:
        clips = [len(self.by_source[s][label]) for s in sources]
        picked = rng.choice(len(sources), count, p=self._chances(sources, clips))
        return [int(rng.choice(self.by_source[sources[i]][label])) for i in picked]

    def _chances(self, sources: list[str], clips: list[int]) -> NDArray[np.float64]:
        weights = np.array(clips, np.float64) ** self.data.source_exponent
        weights *= [self.data.source_weights.get(source, 1.0) for source in sources]
        chances: NDArray[np.float64] = weights / weights.sum()
        return chances

    def _row(self, index: int, rng: np.random.Generator, *, wanted: bool) -> NDArray[np.float32] | None:
        """The row, or None for another process's, of which only the draws are made."""
        crop = self.store.crop(index, self.crop_samples, rng)
        change = None if self.augment is None else self.augment(rng)
        if not wanted:
            return None
        return crop if change is None else change(crop)


def _rows(data: Data, batch: int, share: Share) -> tuple[int, dict[Label, int]]:
    """How many pairs a batch has, and how many single rows of each label."""
    for name in ("pair_share", "bonafide_share", "source_exponent"):
        if not 0 <= getattr(data, name) <= 1:
            raise RecipeError(f"data.{name} is {getattr(data, name)}", hint="it must be 0 to 1")
    if batch % share.of:
        raise RecipeError(
            f"optimiser.batch {batch} cannot be shared by {share.of} processes", hint="choose a multiple of them"
        )
    pairs = int(batch * data.pair_share) // 2
    bonafide = round(batch * data.bonafide_share)
    singles = {Label.BONAFIDE: bonafide - pairs, Label.SPOOF: batch - bonafide - pairs}
    if not 0 < bonafide < batch or min(singles.values()) < 0:
        raise RecipeError(
            f"data.bonafide_share {data.bonafide_share} does not go with batches of {batch}, of which {2 * pairs} rows "
            "are pairs of both labels",
            hint="every batch needs both labels; a lower data.pair_share leaves more room",
        )
    return pairs, singles


def _check_sources(batches: Batches) -> None:
    """Whether from these clips can be drawn as the recipe says."""
    data = batches.data
    for label, sources in batches.sources.items():
        if not sources:
            raise CorpusError(f"no clip to train on is {label}", hint="data.train needs both labels in the split train")
    if batches.pairs and not batches.mixed:
        raise RecipeError(
            f"data.pair_share is {data.pair_share}, and no source has both labels", hint="data.pair_share = 0"
        )
    for name, weight in data.source_weights.items():
        if name not in batches.by_source:
            raise RecipeError(
                f"data.source_weights: no clip to train on is of {name!r}",
                hint=f"sources: {', '.join(sorted(batches.by_source)[:8])}",
            )
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < np.inf:
            raise RecipeError(f"data.source_weights: {name} is {weight!r}", hint="a number, 0 or more")
    for sources in (*batches.sources.values(), *([batches.mixed] if batches.pairs else [])):
        if not any(data.source_weights.get(source, 1.0) for source in sources):
            raise RecipeError("data.source_weights leaves no source to draw from", hint="give one more than 0")
