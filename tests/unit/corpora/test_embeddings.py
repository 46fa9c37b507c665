"""Embeddings are made once, go on after a cut, and are never mixed with others."""

from __future__ import annotations

import numpy as np
import pytest

from full_disk import full_disk
from glottis.corpora import embeddings
from glottis.corpora.embeddings import keep_embeddings, open_embeddings
from glottis.errors import ConfigError, CorpusError

NAMES = [f"{i}.wav" for i in range(10)]
HOW = {"of": "speech", "layers": 2}


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(embeddings, "SHARD_ROWS", 4)


def row(i):
    return np.full((2, 1, 3), i, np.float32)


def make(todo, made=None, stop_at=None):
    for i in todo:
        if i == stop_at:
            raise RuntimeError("cut")
        if made is not None:
            made.append(i)
        yield row(i)


def test_they_are_read_as_they_were_made(tmp_path):
    kept = keep_embeddings(tmp_path / "new", NAMES, HOW, make)
    assert (len(kept), kept.names, kept.how) == (10, tuple(NAMES), {"schema": 1, **HOW})
    assert all(np.array_equal(kept.row(i), row(i)) for i in range(10))
    assert all(isinstance(shard, np.memmap) for shard in kept.shards)
    assert kept.places(["7.wav", "0.wav"]).tolist() == [7, 0]


def test_what_was_cut_goes_on_with_the_shard_that_was_cut(tmp_path):
    with pytest.raises(RuntimeError):
        keep_embeddings(tmp_path, NAMES, HOW, lambda todo: make(todo, stop_at=6))
    with pytest.raises(CorpusError, match="2 of 3 files are missing"):
        open_embeddings(tmp_path)
    made, seen = [], []
    kept = keep_embeddings(tmp_path, NAMES, HOW, lambda todo: make(todo, made), lambda *said: seen.append(said))
    assert made == [4, 5, 6, 7, 8, 9]
    assert (seen[0], seen[-1]) == ((4, 10), (10, 10))
    assert all(np.array_equal(kept.row(i), row(i)) for i in range(10))


def test_a_cut_while_the_claim_is_written_blocks_nothing(tmp_path):
    with full_disk(after_bytes=20), pytest.raises(OSError, match="too large"):
        keep_embeddings(tmp_path, NAMES, HOW, make)
    assert len(keep_embeddings(tmp_path, NAMES, HOW, make)) == 10


def test_a_shard_that_is_lost_is_made_again(tmp_path):
    keep_embeddings(tmp_path, NAMES, HOW, make)
    (tmp_path / "00000000.npy").unlink()
    made = []
    assert np.array_equal(keep_embeddings(tmp_path, NAMES, HOW, lambda todo: make(todo, made)).row(9), row(9))
    assert made == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("names", "how"), [(NAMES[1:], HOW), (NAMES, {**HOW, "layers": 3}), (NAMES, {**HOW, "more": 1})]
)
def test_a_folder_of_others_is_refused(tmp_path, names, how):
    keep_embeddings(tmp_path, NAMES, HOW, make)
    with pytest.raises(ConfigError, match="holds other embeddings") as caught:
        keep_embeddings(tmp_path, names, how, make)
    assert caught.value.code == "other_embeddings"


def test_a_clip_without_an_embedding_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"1 of 2 clips have no embedding, first 'x\.wav'") as caught:
        keep_embeddings(tmp_path, NAMES, HOW, make).places(["1.wav", "x.wav"])
    assert caught.value.code == "not_embedded"


@pytest.mark.parametrize("text", [None, "{", "[]", "{}"])
def test_a_folder_without_embeddings(tmp_path, text):
    if text is not None:
        (tmp_path / "embeddings.json").write_text(text)
    with pytest.raises(CorpusError) as caught:
        open_embeddings(tmp_path)
    assert (caught.value.code, str(tmp_path) in caught.value.message) == ("no_embeddings", True)
