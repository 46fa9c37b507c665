"""The output that tells speech from music: fitted after the net, which it leaves as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from glottis.corpora import read_trials
from glottis.nets import build_net
from glottis.testing import noise, tiny_corpus, voice, write_wav
from glottis.training import speech_head
from glottis.training.made_sounds import made_sounds
from glottis.training.speech_head import add_speech
from glottis.training.store import open_store

WINDOW = 16_000


def test_it_tells_voices_from_noise_and_changes_no_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_head, "MADE_SOUNDS", 200)
    monkeypatch.setattr(speech_head, "MIXED_SOUNDS", 100)
    torch.manual_seed(0)
    table = tiny_corpus(tmp_path / "corpus")
    sounds = tmp_path / "sounds" / "noise"
    sounds.mkdir(parents=True)
    for seed in range(3):
        write_wav(sounds / f"{seed}.wav", noise(9.0, seed=seed))
    net = build_net("spectral_resnet", {"widths": [4, 8], "blocks": [1, 1]}).eval()
    store = open_store([(table.parent, one) for one in read_trials(table, split="train")], tmp_path / "cache", 16_000)
    both = add_speech(
        net, store, tmp_path / "sounds", window_samples=WINDOW, sample_rate_hz=16_000, augment=None, seed=0
    )
    voices = torch.from_numpy(np.stack([voice(1.5, seed=seed)[:WINDOW] for seed in range(6)]))
    noises = torch.from_numpy(np.stack([noise(1.0, seed=50 + seed) for seed in range(6)]))
    with torch.inference_mode():
        assert bool((both(voices)[2] > 0.5).float().mean() > 0.6)
        assert bool((both(noises)[2] < 0.5).all())
        torch.testing.assert_close(both(voices)[0], net(voices)[0])


def test_sounds_by_formula_are_finite_and_not_silent() -> None:
    sounds = np.stack(made_sounds(40, WINDOW, 16_000, np.random.default_rng(0)))
    assert np.isfinite(sounds).all()
    assert (np.abs(sounds).max(axis=1) > 1e-3).all()
    assert np.abs(sounds).max() <= 1.0
