"""A linear probe says of some trials what it learned from others, never from those that judge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from glottis.corpora.embeddings import keep_embeddings
from glottis.errors import ConfigError, CorpusError
from glottis.evaluation import Protocol
from glottis.evaluation.probe import probe, shared_groups
from glottis.metrics import auc

ROOT = Path("corpus")
BONAFIDE = np.arange(200) % 2 == 0
NAMES = np.array([f"{i}.wav" for i in range(200)])


def rows():
    """Layer 0 tells nothing; layer 1 the class, on one axis of eight of different sizes."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(200, 2, 3, 8)) * np.geomspace(0.1, 100, 8)
    noise[:, 1, :, 2] += np.where(BONAFIDE, 1, -1)[:, None] * 2 * np.geomspace(0.1, 100, 8)[2]
    return noise.astype(np.float32)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    made = rows()
    names = [str(ROOT / name) for name in NAMES]
    return keep_embeddings(tmp_path_factory.mktemp("kept"), names, {}, lambda todo: (made[i] for i in todo))


def trials(chosen, split="dev", source="a"):
    columns = {"split": np.full(len(NAMES[chosen]), split), "source": np.full(len(NAMES[chosen]), source)}
    return Protocol("trials", NAMES[chosen], BONAFIDE[chosen], columns)


FIRST, LAST = trials(slice(0, 100), "train"), trials(slice(100, 200))


def test_held_out_trials_are_told_apart_and_scored_in_nats(kept):
    found = probe(kept, ROOT, FIRST, LAST)
    real, fake = found.scores[LAST.bonafide], found.scores[~LAST.bonafide]
    assert found.trials.tolist() == NAMES[100:].tolist()
    assert auc(real, fake) > 0.99
    assert real.mean() > 0 > fake.mean()


def test_the_layer_may_be_chosen_and_the_last_is_the_default(kept):
    deep, shallow = (probe(kept, ROOT, FIRST, LAST, layer=layer).scores for layer in (1, 0))
    assert np.array_equal(deep, probe(kept, ROOT, FIRST, LAST).scores)
    assert abs(auc(shallow[LAST.bonafide], shallow[~LAST.bonafide]) - 0.5) < 0.2
    with pytest.raises(ConfigError, match="no layer 2"):
        probe(kept, ROOT, FIRST, LAST, layer=2)


def test_it_is_the_ridge_logistic_regression_of_scikit_learn(kept):
    linear = pytest.importorskip("sklearn.linear_model")
    x = rows()[:, 1].mean(axis=1, dtype=np.float64)
    x = (x - x[:100].mean(axis=0)) / x[:100].std(axis=0)
    theirs = linear.LogisticRegression(C=1 / (100 * 1e-2), tol=1e-12, max_iter=1000).fit(x[:100], BONAFIDE[:100])
    np.testing.assert_allclose(probe(kept, ROOT, FIRST, LAST).scores, theirs.decision_function(x[100:]), atol=1e-5)


def test_nothing_is_learned_from_what_judges_or_is_scored(kept):
    with pytest.raises(CorpusError, match="nothing is fitted on data that judge"):
        probe(kept, ROOT, trials(slice(0, 100), "eval"), LAST)
    with pytest.raises(ConfigError, match="50 trials are both"):
        probe(kept, ROOT, FIRST, trials(slice(50, 150)))


def test_sources_on_both_sides_are_named():
    assert shared_groups(FIRST, LAST) == ["a"]
    assert shared_groups(FIRST, trials(slice(100, 200), source="b")) == []


def test_a_class_that_is_missing_and_a_clip_without_an_embedding(kept):
    with pytest.raises(CorpusError, match="no spoof trial"):
        probe(kept, ROOT, trials(slice(0, 100, 2)), LAST)
    with pytest.raises(CorpusError, match="have no embedding"):
        probe(kept, Path("elsewhere"), FIRST, LAST)
