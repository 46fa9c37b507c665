"""Published nets, front-ends and losses, against figures of the published code.

Provenance: `shared/facts/systems.md` and `shared/facts/systems/` (the published code run with torch 2.13 on a CPU);
`shared/reference/weights` (clovaai/aasist, eurecom-asp/RawGAT-ST-antispoofing; MIT). Nets whose weights cannot be had
get weights by a formula of their names ("rule F"), so that names, shapes and arithmetic are held all the same.
"""

from __future__ import annotations

import io
import json
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

import glottis
from glottis.nets.aasist import AASIST
from glottis.nets.frontends import Cepstra, F0Subband
from glottis.nets.frontends.sinc import mel_edges, sinc_filters
from glottis.nets.lcnn import LCNN
from glottis.nets.rawgat_st import RawGATST
from glottis.nets.rawnet2 import RawNet2
from glottis.nets.se_resnet import SEResNet
from glottis.nets.specrnet import SpecRNet
from glottis.nets.ssl_heads import AasistHead, ConformerHead, LayersHead, Nes2NetHead
from glottis.training.importer import import_checkpoint
from glottis.training.losses import build_loss, soft_loss
from glottis.training.recipe import Loss

SHARED = Path(__file__).resolve().parents[3] / "shared"
FACTS, WEIGHTS = SHARED / "facts" / "systems", SHARED / "reference" / "weights"
pytestmark = pytest.mark.skipif(not FACTS.is_dir(), reason="needs ../shared: facts/systems")

INPUTS = ("g1_tones_noise", "g2_zeros", "g3_noise", "g4_chirp_am", "g5_harmonic_gap", "g6_short_tiled")
LIGHT = {"widths": (32, 32, 24, 24, 24, 24), "dims": (24, 32), "ratios": (0.4, 0.5, 0.7)}
PUBLISHED = {
    "AASIST_clovaai": (AASIST, "AASIST.pth"),
    "AASIST-L_clovaai": (lambda: AASIST(**LIGHT), "AASIST-L.pth"),
    "RawGAT_ST_mul": (RawGATST, "RawGAT-ST-mul.pth"),
}
BY_FORMULA = {
    "AASIST_formula": AASIST,
    "AASIST-L_formula": lambda: AASIST(**LIGHT),
    "RawGAT_ST_mul_formula": RawGATST,
    "RawNet2_2021_formula": lambda: RawNet2(form="2021"),
    "RawNet2_2019_formula": lambda: RawNet2(form="2019"),
    "RawNet2_asvspoof5_formula": lambda: RawNet2(form="asvspoof5"),
}


def facts(name):
    return json.loads((FACTS / name).read_text())


def sound(name):
    return torch.from_numpy(np.load(FACTS / "inputs.npz")[name])[None]


def uniform(seed, count):
    """The linear congruential generator of the facts, -0.5 to 0.5."""
    powers = np.multiply.accumulate(np.full(count, 1664525, np.uint32), dtype=np.uint32)
    before = np.concatenate([[1], powers[:-1]]).astype(np.uint32)
    state = powers * np.uint32(seed) + np.add.accumulate(before * np.uint32(1013904223), dtype=np.uint32)
    return (state >> 8).astype(np.float64) / 2**24 - 0.5


def grid(seed, *shape):
    return torch.from_numpy(2 * uniform(seed, int(np.prod(shape)))).float().reshape(shape)


def by_formula(net):
    """Rule F."""
    weights = {}
    for name, value in net.state_dict().items():
        u = 2 * uniform(zlib.crc32(name.encode()), max(1, value.numel()))
        if name.endswith("num_batches_tracked"):
            u = 0 * u
        elif name.endswith("running_var"):
            u = 1 + 0.5 * u
        elif name.endswith("running_mean"):
            u = 0.1 * u
        elif value.dim() >= 2:
            u = u * np.sqrt(3 / (value.numel() / value.shape[0]))
        else:
            u = 1 + 0.2 * u if name.endswith("weight") else 0.1 * u
        weights[name] = torch.from_numpy(u).reshape(value.shape).to(value.dtype)
    net.load_state_dict(weights)
    return net.eval()


def published(name):
    make, file = PUBLISHED[name]
    net = make()
    net.load_state_dict(torch.load(WEIGHTS / file, weights_only=True, map_location="cpu"))
    return net.eval()


@torch.inference_mode()
def logits(net, samples):
    return net.outputs(net.embed(samples)).double().numpy()


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_weights_give_the_published_logits(name):
    net, expected = published(name), facts("logits.json")[name]
    assert sum(p.numel() for p in net.parameters()) == expected["n_params"]
    for one in INPUTS:
        np.testing.assert_allclose(
            logits(net, sound(one))[0], expected["out"][one]["logits"], rtol=1e-6, atol=5e-6, err_msg=one
        )


@pytest.mark.parametrize("name", BY_FORMULA)
def test_weights_by_formula_give_the_logits_of_the_published_code(name):
    net, expected = by_formula(BY_FORMULA[name]()), facts("logits.json")[name]
    assert set(net.state_dict()) == set(facts(f"keys_{name}.json"))
    for one in ("g1_tones_noise", "g5_harmonic_gap"):
        np.testing.assert_allclose(
            logits(net, sound(one))[0], expected["out"][one]["logits"], rtol=1e-6, atol=5e-6, err_msg=one
        )


def test_the_sinc_filters():
    expected = facts("stages.json")["sinc70_len129_aasist"]
    filters = sinc_filters(mel_edges(70), 128)[:, 0]
    assert list(filters.shape) == expected["shape"]
    np.testing.assert_allclose(mel_edges(70), expected["edges_hz"], rtol=1e-12)
    np.testing.assert_allclose(filters[35, 60:69], expected["row35_60_68"], atol=1e-9)
    old = facts("stages.json")["sinc128_len129_rawnet2_2019"]
    assert mel_edges(128, 131)[-1] == pytest.approx(old["edges_hz"][-1], abs=1e-6)


def test_se_resnet_34_on_the_f0_subband():
    expected = facts("senet34_f0.json")
    net = by_formula(SEResNet(depth=34, attention="se"))
    assert set(net.state_dict()) == set(facts("keys_SENet34_group.json"))
    for name, maps in np.load(FACTS / "f0_subband.npz").items():
        net.frontend = torch.nn.Identity()
        found = logits(net, torch.from_numpy(maps).float()[None, None])[0]
        np.testing.assert_allclose(found, expected[name]["cos_scaled"], atol=5e-6)


@pytest.mark.parametrize("attention", ["se", "eca"])
@pytest.mark.parametrize("depth", [9, 18, 34, 50])
def test_se_and_eca_resnets_have_the_published_sizes(attention, depth):
    expected = facts("senet34_f0.json")["param_counts_16_32_64_128_stem7x7"][f"{attention}{depth}"]
    net = SEResNet(depth=depth, attention=attention)
    assert sum(p.numel() for p in net.parameters()) == expected["with_angle_linear"]


@pytest.mark.parametrize("name", INPUTS)
def test_the_f0_subband(name):
    expected = facts("golden2.json")["F0_subband"][name]
    found = F0Subband()(sound(name))[0, 0].double()
    assert list(found.shape) == expected["shape"]
    np.testing.assert_allclose(found[[0, 22, 44], 300], expected["col300"], atol=2e-3)
    np.testing.assert_allclose(found[[0, 22, 44], 599], expected["col599"], atol=2e-3)
    assert found.sum().item() == pytest.approx(expected["sum"], abs=1)


@pytest.mark.parametrize("name", INPUTS)
def test_the_lfcc_of_the_baseline(name):
    expected = facts("golden2.json")["LFCC_LCNN_BLSTM_toy_published"]["out"][name]
    frames = Cepstra(20, "linear")(sound(name))[0].T.double()
    np.testing.assert_allclose(frames[0], expected["frame0"], atol=1e-5)
    np.testing.assert_allclose(frames[100], expected["frame100"], atol=1e-5)
    assert frames.sum().item() == pytest.approx(expected["lfcc_sum"], abs=5e-3)


@pytest.mark.parametrize("name", ["g1_tones_noise", "g5_harmonic_gap"])
def test_the_lfcc_up_to_4_khz_of_the_2021_baseline(name):
    expected = facts("golden2.json")["LFCC_2021_LA_frontend"]["out"][name]
    frames = Cepstra(20, "linear", n_fft=1024, bins=256)(sound(name))[0].T.double()
    np.testing.assert_allclose(frames[0], expected["frame0"], atol=1e-5)
    assert frames.sum().item() == pytest.approx(expected["sum"], abs=5e-3)


def test_rawgat_st_that_joins_has_the_published_size():
    assert sum(p.numel() for p in RawGATST(fusion="cat").parameters()) == 445_546


def test_lcnn_has_the_published_size():
    expected = facts("golden2.json")["LFCC_LCNN_BLSTM_toy_published"]["n_trainable"]
    assert sum(p.numel() for p in LCNN().parameters()) == expected


def test_specrnet():
    expected = facts("golden2.json")["SpecRNet"]
    net = by_formula(SpecRNet())
    assert set(net.state_dict()) == set(facts("keys_SpecRNet.json"))
    assert sum(p.numel() for p in net.parameters()) == expected["n_params"]
    with torch.inference_mode():
        found = net.outputs(net.embed_maps(grid(7, 1, 1, 80, 404)))
    assert found.item() == pytest.approx(expected["logit"][0], abs=5e-6)


def test_aasist_on_the_frames_of_an_encoder():
    expected = facts("golden2.json")["head_SSL_AASIST"]
    head = AasistHead(1024)
    head.out_layer = torch.nn.Linear(160, 2)
    by_formula(head)
    assert set(head.state_dict()) == set(facts("keys_head_SSL_AASIST.json"))
    with torch.inference_mode():
        found = head.out_layer(head([grid(99, 1, 201, 1024)]))
    np.testing.assert_allclose(found[0], expected["logits"], atol=5e-6)


def test_sensitive_layers_of_an_encoder():
    expected = facts("golden2.json")["head_SLS"]
    head = LayersHead(1024)
    head.fc3 = torch.nn.Linear(1024, 2)
    by_formula(head)
    assert set(head.state_dict()) == set(facts("keys_head_SLS.json"))
    layers = [grid(1000 + i, 1, 201, 1024) for i in range(24)]
    with torch.inference_mode():
        found = torch.nn.functional.selu(head.fc3(head([layers[0], *layers]))).log_softmax(dim=1)
    np.testing.assert_allclose(found[0], expected["logits"], atol=5e-6)


@pytest.mark.parametrize(
    ("name", "make", "last", "learned"),
    [
        ("Nes2Net_X", Nes2NetHead, "Nested_Res2Net_TDNN", 512_039),
        ("TCM_conformer", lambda features: ConformerHead(features, attention="tokens"), "conformer", 2_382_628),
    ],
)
def test_wide_heads_on_the_frames_of_an_encoder(name, make, last, learned):
    expected = facts("golden2.json")[f"head_{name}"]
    head = make(1024)
    output = torch.nn.Linear(head.width, 2)
    setattr(getattr(head, last), "fc" if name == "Nes2Net_X" else "fc5", output)
    fixed = {name: one.clone() for name, one in head.named_buffers() if name.endswith("positional_emb")}
    by_formula(head).load_state_dict(fixed, strict=False)
    assert {key: list(one.shape) for key, one in head.state_dict().items()} == {
        key: shape for key, (shape, _) in facts(f"keys_head_{name}.json").items()
    }
    assert sum(p.numel() for p in head.parameters()) == learned
    frames = grid(99, 1, 201, 1024)
    with torch.inference_mode():
        found = output(head([frames]))
        three = output(head([torch.cat([frames, -frames, frames])]))
    np.testing.assert_allclose(found[0], expected["logits"], atol=5e-6)
    np.testing.assert_allclose(three[2], expected["logits"], atol=5e-6)
    session = onnxruntime.InferenceSession(exported(head, output, frames), providers=["CPUExecutionProvider"])
    for batch in (frames, torch.cat([frames, -frames, frames])):
        found = session.run(None, {"frames": batch.numpy()})[0]
        np.testing.assert_allclose(found[-1], expected["logits"], atol=1e-3)


class Whole(torch.nn.Module):
    """A head and its last layer, on frames."""

    def __init__(self, head, output):
        super().__init__()
        self.head, self.output = head, output

    def forward(self, frames):
        return self.output(self.head([frames]))


def exported(head, output, frames):
    out = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        torch.onnx.export(
            Whole(head, output).eval(),
            (frames.expand(2, -1, -1),),
            out,
            input_names=["frames"],
            dynamic_axes={"frames": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
    return out.getvalue()


def test_xlsr_conformer_has_the_published_size():
    """2,506 thousand with its last layer."""
    head = ConformerHead(1024)
    assert round((sum(p.numel() for p in head.parameters()) + 2 * 145) / 1000) == 2506


class TestLosses:
    x, w, y = grid(11, 6, 8), grid(12, 8, 2), torch.tensor([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    unit = torch.nn.functional.normalize(w, dim=0)
    cosine = torch.nn.functional.normalize(x, dim=1) @ unit

    def loss(self, head, outputs, step=1, **settings):
        return build_loss(Loss(**settings), head)(outputs, self.x, self.y, step=step).item()

    @pytest.mark.parametrize("step", [1, 10, 3000])
    def test_a_softmax(self, step):
        expected = facts("golden2.json")["A_softmax"]
        found = self.loss("angular", self.x @ self.unit, step, name="a_softmax")
        assert found == pytest.approx(expected[f"loss_iter_{step}"], abs=2e-6)
        stuck = self.loss("angular", self.x @ self.unit, step, name="a_softmax", anneal="first")
        assert stuck == pytest.approx(expected["loss_iter_1"], abs=2e-6)

    def test_am_softmax(self):
        expected = facts("golden2.json")["AM_softmax"]["loss"]
        assert self.loss("cosine", self.cosine, name="am_softmax") == pytest.approx(expected, rel=1e-6)

    def test_oc_softmax(self):
        expected = facts("golden2.json")["OC_softmax"]["loss_bonafide_is_1"]
        assert self.loss("one_centre", self.cosine[:, :1], name="oc_softmax") == pytest.approx(expected, rel=1e-6)

    def test_p2sgrad(self):
        expected = facts("golden2.json")["P2SGrad"]["loss"]
        assert self.loss("cosine", self.cosine, name="p2sgrad") == pytest.approx(expected, rel=1e-6)

    def test_weighted_cross_entropy(self):
        expected = facts("golden2.json")["WCE"]["loss_w_0p1_0p9"]
        assert self.loss("two_logits", grid(13, 6, 2), name="weighted_ce") == pytest.approx(expected, rel=1e-6)

    @pytest.mark.parametrize("temperature", [1, 3, 4])
    def test_soft_loss(self, temperature):
        expected = facts("golden2.json")["KL_soft"][f"T{temperature}"]
        found = soft_loss(4 * grid(15, 6, 2), 4 * grid(14, 6, 2), temperature)
        assert found.item() / temperature**2 == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name == "RawGAT_ST_mul" else []) for name in PUBLISHED]
)
def test_an_imported_bundle_scores_a_file_with_the_published_logit_and_a_batch_too(name, tmp_path):
    settings = {"fusion": "mul"} if name.startswith("RawGAT") else {}
    folder = import_checkpoint(WEIGHTS / PUBLISHED[name][1], tmp_path / "one", settings, name="one", licence="MIT")
    names, out = ("g1_tones_noise", "g4_chirp_am", "g5_harmonic_gap"), facts("logits.json")[name]["out"]
    expected = [out[one]["logits"][1] for one in names]
    detector = glottis.Detector(folder)
    for one, logit in zip(names, expected, strict=True):
        file = tmp_path / f"{one}.wav"
        write_float_wav(file, sound(one)[0].numpy())
        assert detector.scan(file).score == pytest.approx(logit, abs=1e-3)
    session = onnxruntime.InferenceSession((folder / "model.onnx").read_bytes(), providers=["CPUExecutionProvider"])
    batch = torch.cat([sound(one) for one in names]).numpy()
    np.testing.assert_allclose(session.run(["score"], {"samples": batch})[0], expected, atol=1e-3)


def write_float_wav(file, samples):
    """32-bit float, so that no sample is rounded."""
    data = samples.astype("<f4").tobytes()
    form = struct.pack("<HHIIHH", 3, 1, 16_000, 64_000, 4, 32)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    file.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
