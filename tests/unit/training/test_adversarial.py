"""Attacks: within their bound, in the right direction, stronger with more steps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from glottis.nets import build_net
from glottis.testing import voice
from glottis.training.adversarial import attack, attack_some, perturb
from glottis.training.recipe import Adversarial

NET = {"widths": [4, 8], "blocks": [1, 1], "frame_features": 8}


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return build_net("spectral_resnet", NET).eval()


@pytest.mark.parametrize("steps", [1, 5])
def test_each_row_moves_against_its_label_within_its_bound(net, steps):
    samples = torch.from_numpy(np.stack([voice(1.0, seed=seed) for seed in (0, 1)]))
    epsilon = torch.tensor([0.001, 0.002])
    moved = perturb(net, samples, torch.tensor([1.0, 0.0]), epsilon, steps=steps)
    assert bool(((moved - samples).abs() <= epsilon[:, None] * 1.0001).all())
    change = (net(moved)[0] - net(samples)[0]).tolist()
    assert change[0] < 0 < change[1]
    assert all(weight.grad is None for weight in net.parameters())


def test_more_steps_go_further(net):
    samples = torch.from_numpy(voice(1.0, seed=2))[None]
    label, epsilon = torch.tensor([1.0]), torch.tensor([0.002])
    one, ten = (net(perturb(net, samples, label, epsilon, steps=steps))[0].item() for steps in (1, 10))
    assert ten < one


def test_a_linear_net_is_moved_as_far_as_the_theory_says():
    weights = torch.tensor([1.0, -2.0, 0.5])
    moved = perturb(lambda x: (x @ weights,), torch.zeros(1, 3), torch.tensor([1.0]), torch.tensor([0.1]))
    assert (moved @ weights).item() == pytest.approx(-0.1 * 3.5)


@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.5])
def test_a_recording_of_any_length_is_attacked_at_the_stated_size(net, seconds):
    samples = voice(seconds, seed=4)
    moved = attack(net, samples, window_samples=16_000, bonafide=True, snr_db=40.0, steps=1)
    assert moved.shape == samples.shape
    assert moved.dtype == np.float32
    ratio = 20 * np.log10(np.sqrt(np.mean(samples**2)) / np.sqrt(np.mean((moved - samples) ** 2)))
    assert ratio == pytest.approx(40.0, abs=0.5)


def test_silence_stays_silence(net):
    silent = np.zeros(8000, np.float32)
    np.testing.assert_array_equal(
        attack(net, silent, window_samples=16_000, bonafide=True, snr_db=40.0, steps=1), silent
    )


def test_some_crops_of_a_batch_are_attacked_and_the_net_is_left_as_it_was():
    torch.manual_seed(0)
    net = build_net("spectral_resnet", {"widths": [4, 4], "blocks": [1, 1]}).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    samples, bonafide = 0.1 * torch.randn(32, 8_000), torch.tensor([0.0, 1.0] * 16)
    moved = attack_some(net, samples, bonafide, Adversarial(share=0.5, snr_db=40.0))
    changed = (moved != samples).any(dim=1)
    assert 6 <= changed.sum() <= 26
    limit = samples.square().mean(dim=1).sqrt() * 0.01
    assert ((moved - samples).abs().amax(dim=1) <= limit * 1.001).all()
    with torch.inference_mode():
        shift = (net.eval()(moved)[0] - net(samples)[0]) * (1 - 2 * bonafide)
    assert (shift[changed] > 0).all()
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())
    assert attack_some(net, samples, bonafide, Adversarial(share=0.0)) is samples


def test_what_rests_goes_on_resting_after_an_attack():
    net = build_net("spectral_resnet", {"widths": [4, 4], "blocks": [1, 1]}).train()
    net.norm.eval()
    attack_some(net, 0.1 * torch.randn(4, 8_000), torch.ones(4), Adversarial(share=1.0))
    assert net.training
    assert not net.norm.training
