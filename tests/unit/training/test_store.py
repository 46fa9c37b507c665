"""Clips are decoded once, and what cannot be decoded leaves nothing behind."""

from __future__ import annotations

import pytest

from glottis.corpora import read_trials
from glottis.errors import InputError
from glottis.testing import tiny_corpus
from glottis.training.store import open_store


def test_a_clip_that_cannot_be_read_leaves_nothing_behind(tmp_path):
    table = tiny_corpus(tmp_path / "corpus", clips=2)
    trials = [(table.parent, one) for one in read_trials(table)]
    (table.parent / trials[-1][1].file).write_bytes(b"no sound")
    with pytest.raises(InputError):
        open_store(trials, tmp_path / "cache", 16_000)
    assert list((tmp_path / "cache").iterdir()) == []
