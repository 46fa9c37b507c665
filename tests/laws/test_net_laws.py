"""What every registered net keeps; one that is registered and has no case here fails."""

from __future__ import annotations

import re
from dataclasses import asdict

import numpy as np
import pytest
import torch

import glottis
from glottis.audio import PCM
from glottis.bundle import Costs, write_bundle
from glottis.nets import NETS, build_net
from glottis.testing import noise, voice
from glottis.training.exporter import outputs_of, to_onnx
from glottis.training.formats import to_torchscript
from glottis.training.losses import LOSSES, build_loss
from glottis.training.recipe import Loss
from tiny_encoder import TINY, TINY_WHISPER

PAPER = 64_600
SHORT = 16_000

CASES = {
    "aasist": ({}, SHORT),
    "aasist, light": (
        {"widths": [32, 32, 24, 24, 24, 24], "dims": [24, 32], "ratios": [0.4, 0.5, 0.7], "bands": 30},
        SHORT,
    ),
    "cepstral_attention": ({"widths": [4, 8], "features": 16}, SHORT),
    "cepstral_attention, wavelet": ({"wavelet": True, "widths": [4, 8], "features": 16}, SHORT),
    "conformer": ({"blocks": 1, "features": 16, "kernel": 7}, SHORT),
    "conformer, head tokens": ({"blocks": 1, "features": 16, "kernel": 7, "attention": "tokens"}, SHORT),
    "gmm": ({"components": 4}, SHORT),
    "hybrid": (
        {
            "parts": [
                {"name": "se_resnet", "depth": 9, "widths": [4, 8, 8, 8]},
                {"name": "spectral_resnet", "widths": [8, 8], "blocks": [1, 1], "frame_features": 8},
            ]
        },
        SHORT,
    ),
    "lcnn": ({}, SHORT),
    "lcnn, one layer over all frames, A-softmax": ({"pooling": "fixed", "window_s": 1.0, "head": "angular"}, SHORT),
    "lcnn, attentive statistics on linear bands": ({"pooling": "attention", "frontend": "lfb80"}, SHORT),
    "mobile": ({}, SHORT),
    "mobile, EfficientNet on CQT": ({"backbone": "efficientnet_b0", "frontend": "cqt", "channels": 3}, SHORT),
    "rawgat_st": ({}, PAPER),
    "rawnet2": ({"widths": [20, 20, 32, 32, 32, 32], "hidden": 32}, SHORT),
    "rawnet2, 2019": ({"form": "2019", "widths": [128, 32, 32, 32, 32, 32], "hidden": 32}, SHORT),
    "rawnet2, learned": (
        {"form": "asvspoof5", "widths": [20, 20, 32, 32, 32, 32], "hidden": 32, "learned": True},
        SHORT,
    ),
    "se_resnet": ({"depth": 9, "widths": [4, 8, 8, 8]}, SHORT),
    "se_resnet, 50": ({"depth": 50, "attention": "se", "widths": [16, 16, 16, 16], "head": "cosine"}, SHORT),
    "se_resnet, lfcc": ({"depth": 18, "frontend": "lfcc", "widths": [4, 8, 8, 8], "head": "one_centre"}, SHORT),
    "specrnet": ({}, PAPER),
    "ssl": ({"config": TINY, "mix": True}, SHORT),
    "ssl, hubert and an LSTM": ({"encoder": "hubert", "config": TINY, "back": "bilstm"}, SHORT),
    "ssl, WavLM and AASIST": ({"encoder": "wavlm", "config": TINY, "back": "aasist"}, SHORT),
    "ssl, Whisper": ({"encoder": "whisper", "config": TINY_WHISPER, "mix": True}, SHORT),
    "ssl, all layers": ({"config": TINY, "back": "layers"}, PAPER),
    "ssl, a Conformer": ({"config": TINY, "back": "conformer", "back_width": 16}, SHORT),
    "ssl, a Conformer with TCM": (
        {"config": TINY, "back": "conformer", "back_args": {"attention": "tokens", "blocks": 1}},
        SHORT,
    ),
    "ssl, Nes2Net": (
        {"config": TINY, "back": "nes2net", "back_args": {"groups": 4, "scale": 4, "weighted": False}},
        SHORT,
    ),
    "ssl, Nes2Net-X": ({"config": TINY, "back": "nes2net", "back_args": {"groups": 4, "scale": 4}}, SHORT),
    "ssl, attentive statistics": ({"config": TINY, "back": "attentive"}, SHORT),
    "ssl, a transformer": ({"config": TINY, "back": "transformer", "normalise": False}, SHORT),
    "ssl, two layers": ({"config": TINY, "back": "mlp"}, SHORT),
    "spectral_resnet": ({"widths": [8, 16], "blocks": [1, 1], "frame_features": 16, "raise_to": 0.3}, SHORT),
}

DEAD = {
    "aasist": r"encoder\.[1-5]\.0\.bn1\.",  # published so
    "rawgat_st": r"encoder.\.[1-5]\.0\.(bn1|conv_1)\.",
    "rawnet2": r"block[1-5]\.0\.bn1\.",
    # of the last step, which is all that is read, the backward GRU has heard one frame
    # masks are of pre-training, and Whisper's positions a table of sines
    "ssl": r"ssl\.(masked_spec|encoder\.embed_positions)|back\.(encoder\.[1-5]\.0\.bn1|pooling\.attention\.2\.bias)",
    "hybrid": r"parts\.0\.classifier|parts\.1\.(output|pooling\.attention\.2\.bias)",  # their own last layers
    "specrnet": r"block[24]\.0\.bn1\.|gru\.weight_hh_l1_reverse",
    # the bias of the last attention layer moves all frames alike, so the softmax hides it
    "spectral_resnet": r"pooling\.attention\.2\.bias",
    "cepstral_attention": r"pooling\.attention\.2\.bias",
}
"""Parameters that no gradient can reach, and why."""

SLOW = {"aasist", "rawgat_st"}


def made(case):
    args, length = CASES[case]
    torch.manual_seed(0)
    return build_net(case.split(",")[0], args), length


def sounds(count, length, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(0, 0.1, (count, length)).astype(np.float32))


def test_every_net_has_a_case():
    assert {case.split(",")[0] for case in CASES} == set(NETS)


every_case = pytest.mark.parametrize(
    "case", [pytest.param(one, marks=[pytest.mark.slow] if one in SLOW else []) for one in sorted(CASES)]
)


@every_case
def test_shapes_and_finite(case):
    net, length = made(case)
    score, embedding = net.eval()(sounds(3, length))
    assert score.shape == (3,)
    assert embedding.shape[0] == 3
    assert score.isfinite().all()
    assert net(torch.zeros(1, length))[0].isfinite().all()


@every_case
def test_a_gradient_reaches_every_parameter(case):
    net, length = made(case)
    net.train()
    net.outputs(net.embed(sounds(3, length))).square().sum().backward()
    known = re.compile(DEAD.get(case.split(",")[0], "$^"))
    still = {name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().max() > 0}
    assert {name for name in still if not known.match(name)} == set()


@every_case
def test_no_gradient_is_lost_in_silence(case):
    net, length = made(case)
    samples = torch.zeros(2, length, requires_grad=True)
    net.eval()(samples)[0].sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in net.parameters())
    assert samples.grad.isfinite().all()


@every_case
def test_a_row_of_a_batch_equals_a_batch_of_one(case):
    net, length = made(case)
    samples = sounds(3, length)
    whole, _ = net.eval()(samples)
    torch.testing.assert_close(net(samples[1:2])[0], whole[1:2], rtol=1e-5, atol=2e-5)


@every_case
def test_a_loss_fits_it(case):
    net, _ = made(case)
    assert any(net.head_kind in one.heads for one in LOSSES.values())


@every_case
def test_it_learns_to_tell_a_low_buzz_from_hiss(case):
    net, length = made(case)
    name = next(name for name, one in LOSSES.items() if net.head_kind in one.heads)
    loss_of = build_loss(Loss(name=name), net.head_kind)
    rng = np.random.default_rng(0)
    bonafide = torch.tensor([0.0, 1.0] * (1 if case in SLOW else 4))
    optimiser = torch.optim.Adam(net.parameters(), 2e-3)

    def batch():
        time = np.arange(length) / 16_000
        buzz = np.stack([np.sin(2 * np.pi * rng.uniform(100, 140) * k * time) / k for k in range(1, 9) for _ in "a"])
        rows = [
            buzz.sum(0) * 0.1 + 0.01 * rng.normal(size=length) if i % 2 else rng.normal(0, 0.1, length)
            for i in range(bonafide.numel())
        ]
        return torch.from_numpy(np.stack(rows).astype(np.float32))

    net.train()
    right = 0
    for step in range(1, 41):
        embedding = net.embed(batch())
        outputs = net.outputs(embedding)
        loss = loss_of(outputs, embedding, bonafide, step=step)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        scores = outputs[:, -1]
        right = right + 1 if scores[bonafide == 1].min() > scores[bonafide == 0].max() + 0.1 else 0
        if right == 3:
            break
    scores = net.train()(batch())[0]
    assert scores[bonafide == 1].min() > scores[bonafide == 0].max()


@every_case
def test_it_goes_into_a_bundle_that_scans(case, tmp_path):
    net, length = made(case)
    model = to_onnx(net, length)
    fields = {
        "name": "one",
        "version": "1",
        "licence": "Apache-2.0",
        "sample_rate_hz": 16_000,
        "window_samples": length,
        "hop_samples": length,
        "min_speech_s": 0.1,
        "inputs": "samples",
        "outputs": outputs_of(net, length),
        "aggregate": {"kind": "mean"},
        "calibration": None,
        "decision": asdict(Costs()),
    }
    detector = glottis.Detector(write_bundle(tmp_path / "bundle", fields, {"model.onnx": model}))
    samples = (voice(length / 16_000) + noise(length / 16_000, level=0.002))[:length]
    verdict = detector.scan(PCM(samples, 16_000))
    with torch.inference_mode():
        expected = net(torch.from_numpy(samples)[None])[0].item()
    assert verdict.score == pytest.approx(expected, abs=1e-3)


@pytest.mark.slow
@every_case
def test_a_trace_of_it_takes_a_batch_of_any_size(case):
    """The proof is `to_torchscript`'s own: batches of 1 and 3, where the example had 2."""
    net, length = made(case)
    assert to_torchscript(net.eval(), length)
