from __future__ import annotations

from pathlib import Path

import pytest

from glottis.testing import tiny_corpus
from glottis.training.loop import fit_net
from glottis.training.processes import processes
from glottis.training.recipe import read_recipe
from glottis.training.store import open_tables

RECIPE = """
[data]
train = ["{table}"]
dev = "{table}"
cache = "{cache}"
crop_s = 0.5
workers = 0
[net]
name = "spectral_resnet"
widths = [4, 8]
blocks = [1, 1]
frame_features = 8
[optimiser]
batch = 8
ema = 0.5
[schedule]
steps = 8
check_every = 4
threads = 1
[export]
window_s = 0.5
hop_s = 0.5
min_speech_s = 0.1
"""


@pytest.fixture(scope="session")
def small_recipe(tmp_path_factory) -> Path:
    """A recipe that takes seconds, on a corpus by formula."""
    folder = tmp_path_factory.mktemp("small")
    table = tiny_corpus(folder / "corpus", clips=10)
    recipe = folder / "small.toml"
    recipe.write_text(RECIPE.format(table=table, cache=folder / "cache"))
    return recipe


@pytest.fixture
def fit(small_recipe):
    """The training of the small recipe without the export; gives the lines of its log."""

    def run(settings, output, progress=lambda _line: None):
        recipe = read_recipe(small_recipe, settings)
        output.mkdir(exist_ok=True)
        stores = {
            split: open_tables(recipe.data.train, split, Path(recipe.data.cache), recipe.sample_rate_hz)
            for split in ("train", "dev")
        }
        with processes(recipe) as fabric:
            return fit_net(recipe, fabric=fabric, **stores, augment=None, output=output, progress=progress)

    return run
