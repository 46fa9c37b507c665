"""What the head of a speech encoder hears."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn
from torch.nn import functional

from glottis.errors import RecipeError
from glottis.nets import build_net
from tiny_encoder import NORMS_IN_FRONT, TINY, save_encoder

pytest.importorskip("transformers")

SAMPLES = torch.sin(torch.arange(32_000) / 9).reshape(2, 16_000)


def net_of(**settings):
    torch.manual_seed(0)
    net = build_net("ssl", {"config": TINY | NORMS_IN_FRONT, **settings}).eval()
    if isinstance(net.ssl.encoder.layer_norm, nn.LayerNorm):
        nn.init.normal_(net.ssl.encoder.layer_norm.weight, 1, 0.3)
    return net


@pytest.mark.parametrize("encoder", ["wav2vec2", "hubert", "wavlm"])
def test_the_last_hidden_state_is_that_after_the_closing_norm(encoder):
    net = net_of(encoder=encoder)
    raw = []
    net.ssl.encoder.layers[-1].register_forward_hook(lambda _m, _i, out: raw.append(out))
    with torch.inference_mode():
        states = net.hidden(SAMPLES)
        closing = net.ssl.encoder.layer_norm(raw[0][0] if isinstance(raw[0], tuple) else raw[0])
    assert len(states) == TINY["num_hidden_layers"] + 1
    torch.testing.assert_close(states[-1], closing)


def test_one_layer_may_be_chosen_from_all():
    with torch.inference_mode():
        states = net_of().hidden(SAMPLES)
        for layer in range(TINY["num_hidden_layers"] + 1):
            (found,) = net_of(layer=layer).hidden(SAMPLES)
            torch.testing.assert_close(found, states[layer])


def test_sls_hears_the_last_layer_without_the_closing_norm_and_ends_in_log_probabilities():
    net = net_of(form="sls")
    with torch.inference_mode():
        states = net.hidden(SAMPLES)
        embedding = net.embed(SAMPLES)
        torch.testing.assert_close(net_of().ssl.encoder.layer_norm(states[-1]), net_of().hidden(SAMPLES)[-1])
        expected = functional.selu(net.output(embedding)).log_softmax(dim=1)
        torch.testing.assert_close(net.outputs(embedding), expected)
    assert "ssl.encoder.layer_norm.weight" not in net.state_dict()


def test_without_its_encoder_it_hears_hidden_states():
    net = net_of(mix=True)
    with torch.inference_mode():
        score, embedding = net(SAMPLES)
        states = torch.stack(net.hidden(SAMPLES), dim=1)
        net.drop_encoder()
        torch.testing.assert_close(net(states), (score, embedding))
        torch.testing.assert_close(net(states.mean(dim=2, keepdim=True))[0], score)
    assert not [name for name in net.state_dict() if name.startswith("ssl.")]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"layer": 3}, "net.layer is 3"),
        ({"layer": -1}, "net.layer is -1"),
        ({"layer": 1, "mix": True}, "mixes all layers"),
        ({"form": "slim"}, "unknown form 'slim'"),
        ({"config": TINY | {"num_attention_heads": 5}}, "net.config: "),
    ],
)
def test_what_cannot_be_chosen(settings, said):
    with pytest.raises(RecipeError, match=said):
        net_of(**settings)


def test_what_stands_in_a_bundle_names_no_folder_and_builds_the_same_net(tmp_path):
    args = {"checkpoint": str(save_encoder(tmp_path / "encoder", **NORMS_IN_FRONT)), "back": "mlp"}
    net = build_net("ssl", args).eval()
    portable = json.loads(json.dumps(net.portable(args)))
    assert "checkpoint" not in portable
    again = build_net("ssl", portable).eval()
    again.load_state_dict(net.state_dict())
    samples = torch.randn(2, 8_000)
    with torch.inference_mode():
        assert torch.equal(again(samples)[0], net(samples)[0])


def test_weights_are_read_without_a_word(tmp_path, capfd):
    folder = save_encoder(tmp_path)
    capfd.readouterr()
    build_net("ssl", {"checkpoint": str(folder)})
    assert capfd.readouterr() == ("", "")


def test_a_folder_of_no_weights_is_refused_by_name(tmp_path):
    folder = save_encoder(tmp_path / "encoder")
    (folder / "model.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(RecipeError, match="no wav2vec2 encoder"):
        build_net("ssl", {"checkpoint": str(folder)})


def test_a_net_that_cannot_be_is_refused_by_its_recipe():
    with pytest.raises(RecipeError, match="net gmm cannot be built"):
        build_net("gmm", {"components": "many"})
    with pytest.raises(RecipeError, match=r"net\.components is 0"):
        build_net("gmm", {"components": 0})
