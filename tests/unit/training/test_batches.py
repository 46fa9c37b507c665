"""A batch is a function of the seed and the step, balanced over labels, half of it pairs of one source."""

import re
from functools import partial

import numpy as np
import pytest
import torch

from glottis.corpora import Trial
from glottis.errors import CorpusError, RecipeError
from glottis.training.batches import Batches, Share
from glottis.training.recipe import Data
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
    """A store's batches; what is no field of the recipe's `data` is an argument."""
    how = {"steps": 5, "batch": 8, "crop_samples": 200, "seed": 3, "augment": None}
    data = {name: settings.pop(name) for name in list(settings) if name not in {*how, "share", "clips"}}
    return Batches(settings.pop("clips", store()), Data(("a",), "b", **data), **how | settings)


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

    def augment(rng):
        seen.append(rng)
        return lambda samples: samples * 0

    samples, _ = batches(augment=augment)[0]
    assert len(seen) == 8
    assert samples.abs().max() == 0


def test_a_short_clip_is_repeated_and_a_long_one_cut():
    clip = np.arange(5, dtype=np.float32)
    assert fit(clip, 12, None).tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]
    assert fit(clip, 3, None).tolist() == [0, 1, 2]
    assert len(fit(clip, 3, np.random.default_rng(0))) == 3


def rows_of(batch):
    samples, bonafide = batch
    return sorted((round(float(row[0]) * 32767), float(label)) for row, label in zip(samples, bonafide, strict=True))


@pytest.mark.parametrize(("of", "share"), [(2, 0.5), (4, 0.5), (2, 0.25), (8, 0.5)])
def test_processes_share_each_batch_and_have_their_part_of_both_labels(of, share):
    draw = partial(batches, batch=16, bonafide_share=share, pair_share=0.25, augment=shaken)
    whole = rows_of(draw()[1])
    parts = [draw(share=Share(rank, of))[1] for rank in range(of)]
    assert sorted(row for part in parts for row in rows_of(part)) == whole
    assert {float(bonafide.sum()) for _, bonafide in parts} == {16 * share / of}


def shaken(rng):
    gain = rng.uniform(0.5, 1)
    return lambda samples: samples * np.float32(gain)


def test_what_other_processes_make_is_drawn_and_not_made():
    made = []

    def augment(rng):
        rng.random()
        return lambda samples: made.append(1) or samples

    batches(augment=augment, share=Share(0, 4))[0]
    assert len(made) == 2


@pytest.mark.parametrize(("share", "wanted"), [(0.25, 2), (0.5, 4), (0.75, 6)])
def test_the_share_of_bona_fide_is_as_it_is_set(share, wanted):
    for step in range(3):
        assert batches(bonafide_share=share, pair_share=0.25)[step][1].sum() == wanted


def clips_of(*, sources):
    """As many clips of both labels as said for each source; the first sample is the source's place, times 100."""
    trials, clips = [], []
    for place, (source, count) in enumerate(sources.items(), 1):
        for label in Label:
            for i in range(count):
                file = f"{source}{label}{i}.wav"
                facts = dict.fromkeys(("system", "kind", "speaker", "language", "utterance", "origin"), "")
                trials.append(Trial(file=file, label=label, source=source, duration_s=0.01, **facts))
                clips.append(np.full(200, 100 * place, np.int16))
    return ClipStore(tuple(trials), np.cumsum([0, *map(len, clips)]), np.concatenate(clips))


def shares(**settings):
    clips = clips_of(sources={"small": 1, "great": 16})
    found = batches(batch=1000, clips=clips, steps=1, **settings)[0][0][:, 0]
    return float((found * 32767 / 100).round().sub(1).mean())


@pytest.mark.parametrize(("exponent", "great"), [(0.0, 1 / 2), (0.5, 4 / 5), (1.0, 16 / 17)])
def test_sources_are_drawn_by_a_power_of_their_clips(exponent, great):
    assert shares(source_exponent=exponent) == pytest.approx(great, abs=0.04)


def test_a_source_weighs_what_it_is_told():
    assert shares(source_exponent=0.0, source_weights={"small": 3}) == pytest.approx(1 / 4, abs=0.04)
    assert shares(source_weights={"small": 0.0}) == 1


def test_the_default_draws_what_it_always_drew():
    samples, bonafide = batches(seed=7, steps=2)[1]
    assert (samples[:, 0] * 32767 / 100).round().long().tolist() == [6, 0, 11, 11, 0, 5, 4, 9]
    assert bonafide.tolist() == [1, 1, 0, 0, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bonafide_share": 1.0}, r"data\.bonafide_share 1\.0 does not go with batches of 8"),
        ({"bonafide_share": 0.25, "pair_share": 1.0}, "of which 8 rows are pairs"),
        ({"bonafide_share": 0.01}, "every batch needs both labels"),
        ({"pair_share": 1.5}, r"data\.pair_share is 1\.5"),
        ({"bonafide_share": -0.1}, r"data\.bonafide_share is -0\.1"),
        ({"source_exponent": 2.0}, r"data\.source_exponent is 2\.0"),
        ({"source_weights": {"nobody": 2.0}}, r"data\.source_weights: no clip to train on is of 'nobody'"),
        ({"source_weights": {"mixed": -1.0}}, "mixed is -1"),
        ({"source_weights": {"mixed": "much"}}, "mixed is 'much'"),
        ({"source_weights": {"mixed": 0}}, "leaves no source to draw from"),
        ({"share": Share(0, 3)}, r"optimiser\.batch 8 cannot be shared by 3 processes"),
    ],
)
def test_an_impossible_value_is_refused(settings, message):
    with pytest.raises(RecipeError) as raised:
        batches(**settings)
    assert re.search(message, f"{raised.value.message}; {raised.value.hint}")


def test_pairs_need_a_source_with_both_labels_and_batches_need_both():
    apart = store()
    some = [i for i, trial in enumerate(apart.trials) if trial.source != "mixed"]
    clips = ClipStore(tuple(apart.trials[i] for i in some), np.arange(len(some) + 1) * 200, np.zeros(200 * len(some)))
    with pytest.raises(RecipeError, match="no source has both labels"):
        batches(clips=clips)
    assert batches(clips=clips, pair_share=0.0)[0][0].shape == (8, 200)
    people = ClipStore(tuple(t for t in clips.trials if t.label == Label.BONAFIDE), clips.starts, clips.samples)
    with pytest.raises(CorpusError, match="no clip to train on is spoof"):
        batches(clips=people, pair_share=0.0)
