"""Published checkpoints with a speech encoder of fairseq inside, and LFCC-LCNN, under the names of their own code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

import glottis
from glottis.audio import PCM
from glottis.bundle import open_bundle
from glottis.errors import BundleError
from glottis.nets import build_net
from glottis.nets.of_bundle import torch_net
from glottis.nets.ssl_heads import AasistHead, LayersHead
from glottis.testing import voice
from glottis.training.importer import import_checkpoint
from tiny_encoder import NORMS_IN_FRONT, TINY

transformers = pytest.importorskip("transformers")

SAMPLES = torch.from_numpy(voice(4.1)[:64_600])[None]
XLS_R = NORMS_IN_FRONT | {"conv_bias": True}
BASE: dict = {}
HEADS = {"config.num_attention_heads": 2}


def encoder_of(form: dict) -> nn.Module:
    torch.manual_seed(0)
    model = transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**TINY, **form, attn_implementation="eager"))
    for norm in (one for one in model.modules() if isinstance(one, nn.LayerNorm | nn.GroupNorm)):
        nn.init.normal_(norm.weight, 1, 0.2)
        nn.init.normal_(norm.bias, 0, 0.2)
    return model.eval()


def in_fairseq(encoder: nn.Module) -> dict[str, torch.Tensor]:
    """An encoder's weights as a checkpoint on fairseq has them, with what only pre-training uses."""
    by_layer = encoder.config.feat_extract_norm == "layer"
    places = {
        r"^masked_spec_embed$": "mask_emb",
        r"^feature_projection\.layer_norm": "layer_norm",
        r"^feature_projection\.projection": "post_extract_proj",
        r"(conv_layers\.\d)\.conv\.": r"\1.0.",
        r"(conv_layers\.\d)\.layer_norm\.": r"\1.2.1." if by_layer else r"\1.2.",
        r"^encoder\.pos_conv_embed\.conv\.parametrizations\.weight\.original0$": "encoder.pos_conv.0.weight_g",
        r"^encoder\.pos_conv_embed\.conv\.parametrizations\.weight\.original1$": "encoder.pos_conv.0.weight_v",
        r"^encoder\.pos_conv_embed\.conv\.bias$": "encoder.pos_conv.0.bias",
        r"(layers\.\d+)\.layer_norm\.": r"\1.self_attn_layer_norm.",
        r"(layers\.\d+)\.attention\.": r"\1.self_attn.",
        r"(layers\.\d+)\.feed_forward\.intermediate_dense\.": r"\1.fc1.",
        r"(layers\.\d+)\.feed_forward\.output_dense\.": r"\1.fc2.",
    }
    found = {"ssl_model.model.quantizer.vars": torch.zeros(1, 4, 2), "ssl_model.model.final_proj.bias": torch.zeros(3)}
    for name, value in encoder.state_dict().items():
        theirs = name
        for pattern, place in places.items():
            theirs = re.sub(pattern, place, theirs)
        found[f"ssl_model.model.{theirs}"] = value
    return found


def with_statistics(head: nn.Module) -> nn.Module:
    """Batch norms that have seen something, so that a mistake about them shows."""
    for name, value in head.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_(0, 0.2)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
    return head.eval()


def imported(state: dict, folder: Path, **settings: object) -> Path:
    torch.save(state, folder / "best.pth")
    return import_checkpoint(folder / "best.pth", folder / "bundle", settings, name="one", licence="MIT")


def score_of(folder: Path) -> float:
    with torch.inference_mode():
        return torch_net(open_bundle(folder))(SAMPLES)[0].item()


def ssl_aasist(form: dict) -> tuple[nn.Module, nn.Module, dict]:
    encoder, head = encoder_of(form), AasistHead(TINY["hidden_size"])
    head.out_layer = nn.Linear(160, 2)
    return encoder, head, in_fairseq(encoder) | with_statistics(head).state_dict()


@pytest.mark.parametrize("form", [XLS_R, BASE], ids=["XLS-R", "base"])
def test_ssl_aasist_scores_as_its_encoder_and_its_head_do(tmp_path, form):
    encoder, head, state = ssl_aasist(form)
    folder = imported({f"module.{name}": value for name, value in state.items()}, tmp_path, **HEADS)
    with torch.inference_mode():
        expected = head.out_layer(head([encoder(SAMPLES).last_hidden_state]))[0, 1].item()
    assert score_of(folder) == pytest.approx(expected, abs=5e-6)
    scanned = glottis.Detector(folder).scan(PCM(SAMPLES[0].numpy(), 16_000))
    assert scanned.score == pytest.approx(expected, abs=1e-3)
    assert "SSL-AASIST" in open_bundle(folder).read("README.md").decode()


def test_sls_hears_every_layer_before_the_closing_norm(tmp_path):
    encoder, head = encoder_of(XLS_R), LayersHead(TINY["hidden_size"])
    head.fc3 = nn.Linear(1024, 2)
    folder = imported(in_fairseq(encoder) | with_statistics(head).state_dict(), tmp_path, **HEADS)
    layers: list[torch.Tensor] = []
    for layer in encoder.encoder.layers:
        layer.register_forward_hook(lambda _m, _i, out: layers.append(out[0] if isinstance(out, tuple) else out))
    with torch.inference_mode():
        encoder(SAMPLES)
        expected = functional.selu(head.fc3(head([layers[0], *layers]))).log_softmax(dim=1)[0, 1].item()
    assert score_of(folder) == pytest.approx(expected, abs=5e-6)


def test_how_many_attention_heads_no_shape_tells(tmp_path):
    state = ssl_aasist(XLS_R)[2]
    with pytest.raises(BundleError, match=r"do not tell config\.num_attention_heads") as caught:
        imported(state, tmp_path)
    assert caught.value.code == "open_setting"


def test_what_does_not_fit_is_named_as_the_checkpoint_names_it(tmp_path):
    state = ssl_aasist(XLS_R)[2]
    name = "ssl_model.model.encoder.layers.1.fc2.weight"
    for change, said in (
        ({name: torch.zeros(3, 3)}, rf"'{re.escape(name)}' has the shape \(3, 3\), not \(32, 64\)"),
        ({"ssl_model.model.encoder.odd": torch.zeros(1)}, r"'ssl_model\.model\.encoder\.odd' is unknown"),
        ({"more.weight": torch.zeros(1)}, r"'more\.weight' is unknown"),
    ):
        with pytest.raises(BundleError, match=said) as caught:
            imported(state | change, tmp_path, **HEADS)
        assert caught.value.code == "weights"
    for missing, said in (
        (name, r"'ssl\.encoder\.layers\.1\.feed_forward\.output_dense\.weight' is missing"),
        ("ssl_model.model.encoder.pos_conv.0.weight_v", r"without the weight 'ssl_model.*weight_v'"),
    ):
        with pytest.raises(BundleError, match=said):
            imported({key: value for key, value in state.items() if key != missing}, tmp_path, **HEADS)


@pytest.mark.parametrize(("bins", "n_fft"), [(257, 512), (256, 1024)], ids=["8 kHz", "4 kHz"])
def test_lfcc_lcnn_under_the_names_of_its_own_code(tmp_path, bins, n_fft):
    torch.manual_seed(0)
    net = with_statistics(build_net("lcnn", {"n_fft": n_fft, "bins": None if bins == 257 else bins}))
    theirs = {"transform.": "m_transform.0.", "output.linear.": "m_output_act.0."}
    state = {"input_mean": torch.zeros(1), "output_std": torch.ones(1), "m_frontend.0.lfcc_fb": torch.zeros(bins, 20)}
    for name, value in net.state_dict().items():
        named = re.sub(r"^lstms\.(\d)\.", r"m_before_pooling.0.\1.l_blstm.", name)
        for ours, place in theirs.items():
            named = named.replace(ours, place, 1) if named.startswith(ours) else named
        state[named] = value
    folder = imported(state, tmp_path)
    with torch.inference_mode():
        assert score_of(folder) == pytest.approx(net(SAMPLES)[0].item(), abs=5e-6)
    assert open_bundle(folder).manifest.torch["args"] == ({} if bins == 257 else {"n_fft": 1024, "bins": 256})
