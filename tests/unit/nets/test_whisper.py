"""Whisper's encoder hears what `transformers` gives it, and windows of any length up to 30 s."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from glottis.errors import BundleError, RecipeError
from glottis.nets import build_net
from glottis.training.embed import Speech, embed_speech
from glottis.training.freezing import Freezing
from glottis.training.import_folder import read_folder
from glottis.training.recipe import Freeze
from tiny_encoder import TINY_WHISPER, save_whisper

transformers = pytest.importorskip("transformers")

ROOT = Path(__file__).parents[3]
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
    samples, encoder = noise(16_000), net.ssl.encoder
    with torch.inference_mode():
        heard = functional.gelu(encoder.conv2(functional.gelu(encoder.conv1(net.ssl.mel(samples)))))
        first = net.hidden(samples)[0]
    positions = encoder.embed_positions.weight[:50]
    torch.testing.assert_close(first, heard.transpose(1, 2) + positions)
    assert positions.std() > 0.1


@pytest.mark.parametrize("samples", [200, HALF_A_MINUTE + 1])
def test_too_short_and_too_long_windows_are_refused(net, samples):
    with pytest.raises(RecipeError, match=r"hears 0\.013 to 30 s at once"):
        net.hidden(noise(samples, count=1))


def test_samples_are_heard_at_their_level(net):
    assert not net.normalise


def test_sls_hears_the_last_layer_without_the_closing_norm(folder, net):
    published = build_net("ssl", {"encoder": "whisper", "checkpoint": str(folder), "form": "sls"}).eval()
    with torch.inference_mode():
        last = published.hidden(noise(16_000))[-1]
        torch.testing.assert_close(net.ssl.encoder.layer_norm(last), net.hidden(noise(16_000))[-1])


def test_its_positions_never_learn(net):
    freezing = Freezing(net, Freeze(patterns=("ssl*",), first=0.0, until=0.5), steps=10)
    freezing.apply(10)
    assert {name for name, one in net.named_parameters() if not one.requires_grad} == {
        "ssl.encoder.embed_positions.weight"
    }


def test_what_stands_in_a_bundle_builds_the_same_net(folder, net):
    portable = json.loads(json.dumps(net.portable({"encoder": "whisper", "checkpoint": str(folder)})))
    assert "checkpoint" not in portable
    again = build_net("ssl", portable).eval()
    again.load_state_dict(net.state_dict())
    with torch.inference_mode():
        assert torch.equal(again(noise(16_000))[0], net(noise(16_000))[0])


@pytest.mark.parametrize("given", [{}, {"config.json": "{}"}, {"config.json": '{"d_model": "wide"}'}])
def test_a_folder_without_an_encoder_is_refused(tmp_path, given):
    for name, text in given.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(RecipeError, match="no whisper encoder"):
        build_net("ssl", {"encoder": "whisper", "checkpoint": str(tmp_path)})


def test_settings_that_make_none_are_refused():
    with pytest.raises(RecipeError, match=r"net\.config"):
        build_net("ssl", {"encoder": "whisper", "config": {"activation_function": "none such"}})


def test_a_name_on_a_hub_is_no_folder():
    with pytest.raises(RecipeError, match=r"no config\.json"):
        build_net("ssl", {"encoder": "whisper", "checkpoint": "openai/whisper-tiny.en"})


def test_the_wheel_that_carries_one_has_all_its_weights(net):
    renamed = runpy.run_path(str(ROOT / "benchmarks" / "whisper_tiny.py"))["renamed"]
    layer = ["ffn/layer_norm", "ffn/linear_0", "ffn/linear_1", "self_attention/layer_norm"]
    layer += ["self_attention/linear_0", "self_attention/linear_1"]
    parts = ["conv1", "conv2", "layer_norm", *(f"layer_{i}/{part}" for i in range(2) for part in layer)]
    names = ["encoder/position_encodings/encodings"]
    for part in parts:
        names += [f"encoder/{part}/{one}" for one in (("gamma", "beta") if "norm" in part else ("weight", "bias"))]
    found = {new for name in names for new in renamed(name, np.zeros((3, 1), np.float32))}
    assert found == set(net.ssl.encoder.state_dict())


def test_its_classifiers_are_not_imported(folder):
    with pytest.raises(BundleError, match="model_type 'whisper'") as caught:
        read_folder(folder, {})
    assert "30 s" in caught.value.hint


def test_a_window_that_it_cannot_hear_leaves_no_embeddings(folder, tmp_path):
    with pytest.raises(RecipeError, match="at once"):
        embed_speech([tmp_path / "a.wav"], Speech(folder, window_s=31), tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
