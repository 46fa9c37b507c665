"""Whisper's encoder hears what `transformers` gives it, on windows of any length up to 30 s."""

from __future__ import annotations

import pytest
import torch

from glottis.errors import BundleError, RecipeError
from glottis.nets import build_net
from glottis.training.import_folder import read_folder
from tiny_encoder import TINY_WHISPER, save_whisper

transformers = pytest.importorskip("transformers")

HALF_A_MINUTE = 30 * 16_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_whisper(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="module")
def net(folder):
    torch.manual_seed(0)
    return build_net("ssl", {"encoder": "whisper", "checkpoint": str(folder)}).eval()


def noise(samples, count=2):
    return 0.1 * torch.randn(count, samples, generator=torch.Generator().manual_seed(0))


def test_its_bands_and_states_are_those_of_transformers(folder, net):
    samples = noise(HALF_A_MINUTE)
    bands = transformers.WhisperFeatureExtractor()(samples.numpy(), sampling_rate=16_000, return_tensors="pt")
    torch.testing.assert_close(net.ssl.mel(samples), bands.input_features, atol=1e-5, rtol=0)
    published = transformers.WhisperModel.from_pretrained(folder).encoder.eval()
    with torch.inference_mode():
        expected = published(bands.input_features).last_hidden_state
        states = net.hidden(samples)
    torch.testing.assert_close(states[-1], expected, atol=1e-5, rtol=0)
    assert len(states) == TINY_WHISPER["encoder_layers"] + 1


def test_a_shorter_window_stands_at_the_first_positions(net):
    with torch.inference_mode():
        states = net.hidden(noise(16_000))
        assert states[0].shape == (2, 50, TINY_WHISPER["d_model"])
        heard = net.ssl(noise(16_000))[0]
    torch.testing.assert_close(states[0], heard)


def test_more_than_half_a_minute_is_refused(net):
    with pytest.raises(RecipeError, match="at most 30 s"):
        net.ssl(noise(HALF_A_MINUTE + 16_000, count=1))


def test_samples_are_heard_at_their_level(net):
    assert not net.normalise


def test_a_folder_without_an_encoder_is_refused(folder, tmp_path):
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    with pytest.raises(RecipeError, match="no whisper encoder"):
        build_net("ssl", {"encoder": "whisper", "checkpoint": str(tmp_path)})


def test_its_classifiers_are_not_imported(folder):
    with pytest.raises(BundleError, match="model_type 'whisper'"):
        read_folder(folder, {})
