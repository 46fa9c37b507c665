"""Front-ends: what all keep, at every rate and under every net, and what is particular to some."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from glottis.errors import RecipeError
from glottis.nets import build_net
from glottis.nets.frontends import FRONTENDS, FilterBank, SpecAugment, WaveletPackets, find_frontend, rows_of
from glottis.nets.frontends.constant_q import ConstantQ
from glottis.training.exporter import to_onnx

UNDER = {
    "conformer": {"blocks": 1, "features": 16, "kernel": 7},
    "gmm": {"components": 2},
    "lcnn": {},
    "mobile": {},
    "se_resnet": {"depth": 9, "widths": [4, 8, 8, 8]},
}
"""Nets that take any front-end, small."""

MASKED = {"cepstral_attention": {"widths": [4, 8], "features": 16, "dropout": 0.0}, "specrnet": {}, "lcnn": {}}


@pytest.mark.parametrize("name", sorted(FRONTENDS))
def test_a_frontend_gives_maps_with_a_gradient_even_in_silence(name):
    frontend = find_frontend(name)
    samples = torch.zeros(1, 16_000, requires_grad=True)
    maps = frontend(samples)
    assert maps.shape[:3] == (1, 1, rows_of(frontend))
    assert maps.isfinite().all()
    maps.sum().backward()
    assert samples.grad.isfinite().all()


@pytest.mark.parametrize("net", sorted(UNDER))
def test_a_net_takes_every_frontend(net):
    samples = 0.1 * torch.randn(2, 16_000)
    for name in FRONTENDS:
        score, _ = build_net(net, UNDER[net] | {"frontend": name}).eval()(samples)
        assert score.isfinite().all(), name


@pytest.mark.parametrize("name", sorted(FRONTENDS))
def test_frames_last_as_long_at_every_rate(name):
    slow, fast = (find_frontend(name, hz)(0.1 * torch.randn(1, hz)).shape for hz in (16_000, 48_000))
    assert abs(slow[3] - fast[3]) <= 1
    assert fast[2] >= slow[2]


@pytest.mark.parametrize("name", ["cqt", "lfb80", "log_spectrum", "mel80", "sinc", "sinc_fixed", "wavelet"])
def test_a_higher_rate_shows_what_lies_above_8_khz(name):
    """In which row a tone stands out; 11 kHz would fold or vanish at 16 kHz."""
    frontend = find_frontend(name, 24_000)
    heard = []
    for hz in (7_000, 11_000):
        tone = 0.3 * torch.sin(2 * torch.pi * hz * torch.arange(24_000) / 24_000)
        heard.append(int(frontend(tone[None])[0, 0].mean(dim=1).argmax()))
    assert heard[0] < heard[1] < rows_of(frontend)


@pytest.mark.parametrize("hz", [200, 700, 1300, 2600, 3300, 5300, 7800])
def test_a_tone_lies_in_its_wavelet_packet(hz):
    tone = torch.sin(2 * torch.pi * hz * torch.arange(16_000) / 16_000)[None]
    assert WaveletPackets()(tone)[0].mean(dim=1).argmax() == hz // 500


@pytest.mark.parametrize("hz", [100, 440, 3000])
def test_a_tone_lies_in_its_constant_q_bin(hz):
    tone = torch.sin(2 * torch.pi * hz * torch.arange(16_000) / 16_000)[None]
    expected = 12 * torch.log2(torch.tensor(hz / 62.5))
    assert ConstantQ()(tone)[0].mean(dim=1).argmax() == pytest.approx(expected.item(), abs=0.6)


def test_cepstra_are_the_first_cosines_of_more_bands():
    samples = torch.randn(1, 16_000)
    settings = {"n_fft": 1024, "hop_samples": 240, "window_samples": 480, "bins": 256, "emphasis": 0.0}
    logs = FilterBank(70, "linear", **settings)(samples)[0].numpy()
    matrix = np.sqrt(2 / 70) * np.cos(np.pi / 70 * (np.arange(70) + 0.5) * np.arange(20)[:, None])
    matrix[0] /= np.sqrt(2)
    found = find_frontend("lfcc_2021")(samples)[0, 0]
    np.testing.assert_allclose(found[:20], matrix @ logs, atol=1e-4)
    assert found.shape == (60, 1 + 16_000 // 240)


def test_masks_hide_whole_bands_and_frames_and_give_them_the_mean():
    torch.manual_seed(0)
    maps = torch.randn(6, 1, 40, 50) + 3
    masked = SpecAugment(10, 12)(maps)
    hidden = masked != maps
    assert hidden.any(dim=(1, 2, 3)).all()
    for item, before, where in zip(masked[:, 0], maps[:, 0], hidden[:, 0], strict=True):
        assert item[where].unique().numel() == 1
        assert item[where][0] == pytest.approx(before.mean().item(), abs=1e-5)
        rows, frames = where.all(dim=1), where.all(dim=0)
        assert torch.equal(where, rows[:, None] | frames)
        assert rows.sum() <= 20
        assert frames.sum() <= 24
    one = SpecAugment(10, masks=1)
    assert max((one(maps) != maps)[:, 0].all(dim=2).sum(dim=1)) <= 10
    assert torch.equal(one.eval()(maps), maps)


@pytest.mark.parametrize("net", sorted(MASKED))
def test_masks_are_drawn_in_training_and_leave_the_exported_graph_as_it_is(net):
    samples = 0.1 * torch.randn(2, 16_000)
    plain, masked = (build_net(net, MASKED[net] | masks) for masks in ({}, {"mask_bands": 20, "mask_frames": 20}))
    masked.load_state_dict(plain.state_dict())
    assert torch.equal(masked.eval()(samples)[0], plain.eval()(samples)[0])
    assert to_onnx(masked, 16_000) == to_onnx(plain, 16_000)
    masked.mask.train()
    assert not torch.equal(masked(samples)[0], masked(samples)[0])


def test_an_unknown_frontend_is_named():
    with pytest.raises(RecipeError, match="unknown frontend 'x'"):
        find_frontend("x")
