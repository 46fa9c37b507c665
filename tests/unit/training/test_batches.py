"""A batch is a function of the seed and the step, balanced over labels, half of it pairs of one source."""

import numpy as np
import torch

from glottis.corpora import Trial
from glottis.training.batches import Batches
from glottis.training.store import ClipStore, fit
from glottis.verdict import Label


def store():
    trials, clips = [], []
    for i, (source, label) in enumerate(
        [("mixed", "bonafide"), ("mixed", "spoof"), ("people", "bonafide"), ("machines", "spoof")] * 4
    ):
        trials.append(
            Trial(
                file=f"{i}.wav", label=Label(label), source=source, system="", kind="", speaker="", language="",
                utterance="", origin="", duration_s=0.01,
            )
        )  # fmt: skip
        clips.append(np.full(160 + i, i * 100, np.int16))
    starts = np.cumsum([0, *map(len, clips)])
    return ClipStore(tuple(trials), starts, np.concatenate(clips))


def batches(**settings):
    defaults = {"steps": 5, "batch": 8, "crop_samples": 200, "pair_share": 0.5, "seed": 3, "augment": None}
    return Batches(store(), **defaults | settings)


def test_the_same_seed_and_step_give_the_same_batch():
    one, two = batches(), batches()
    assert all(torch.equal(a, b) for a, b in zip(one[2], two[2], strict=True))
    assert not torch.equal(one[2][0], one[3][0])
    assert not torch.equal(one[2][0], batches(seed=4)[2][0])


def test_half_of_each_batch_is_bona_fide():
    for step in range(5):
        samples, bonafide = batches()[step]
        assert samples.shape == (8, 200)
        assert samples.dtype == torch.float32
        assert bonafide.sum() == 4


def test_pairs_come_from_one_source_that_has_both_labels():
    samples, bonafide = batches(pair_share=1.0)[0]
    indices = (samples[:, 0] * 32767 / 100).round().long().tolist()
    sources = [store().trials[i].source for i in indices]
    assert set(sources) == {"mixed"}
    assert bonafide.tolist() == [1.0, 0.0] * 4


def test_augmentation_does_not_see_the_label():
    seen = []

    def augment(samples, rng):
        seen.append(rng)
        return samples * 0

    samples, _ = batches(augment=augment)[0]
    assert len(seen) == 8
    assert samples.abs().max() == 0


def test_a_short_clip_is_repeated_and_a_long_one_cut():
    clip = np.arange(5, dtype=np.float32)
    assert fit(clip, 12, None).tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]
    assert fit(clip, 3, None).tolist() == [0, 1, 2]
    assert len(fit(clip, 3, np.random.default_rng(0))) == 3
