"""Rates, freezing, accumulation and stopping."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from glottis.errors import RecipeError
from glottis.nets import build_net
from glottis.training.freezing import Freezing
from glottis.training.rates import SHAPES, rate
from glottis.training.recipe import Freeze, Schedule

PLAN = Schedule(steps=1000, warmup=0.1)


@pytest.mark.parametrize("shape", SHAPES)
def test_rates_are_shares_of_the_highest(shape):
    shares = [rate(step, replace(PLAN, shape=shape)) for step in range(1, 1001)]
    assert max(shares) == pytest.approx(1)
    assert min(shares) >= 0


def test_one_cycle_rises_and_falls_to_nothing():
    assert [rate(step, PLAN) for step in (50, 100, 550, 1000)] == pytest.approx([0.5, 1, 0.5, 0], abs=1e-9)


def test_noam_is_that_of_the_f0_subband_systems():
    plan = Schedule(steps=32_000, warmup=1000 / 32_000, shape="noam")
    peak = 64**-0.5 * 1000**-0.5
    for step in (1, 500, 1000, 4000):
        expected = 64**-0.5 * min(step**-0.5, step * 1000**-1.5)
        assert peak * rate(step, plan) == pytest.approx(expected)


def test_cosine_ends_where_it_is_told_and_halving_halves():
    assert rate(1000, replace(PLAN, shape="cosine", last=0.05)) == pytest.approx(0.05)
    halved = replace(PLAN, shape="halving", halve_every=300)
    assert [rate(step, halved) for step in (1, 300, 301, 601)] == [1, 1, 0.5, 0.25]
    with pytest.raises(RecipeError, match=r"unknown schedule\.shape 'steps'"):
        rate(1, replace(PLAN, shape="steps"))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return build_net("spectral_resnet", {"widths": [4, 8], "blocks": [1, 1], "frame_features": 8})


def resting(net):
    return {name.split(".")[0] for name, p in net.named_parameters() if not p.requires_grad}


def test_the_head_alone_learns(net):
    freezing = Freezing(net, Freeze(patterns=("stem*", "stages*", "frames*", "pooling*", "norm*")), 100)
    net.train()
    freezing.apply(100)
    assert {name for name, p in net.named_parameters() if p.requires_grad} == {"output.weight", "output.bias"}
    before = {name: value.clone() for name, value in net.state_dict().items()}
    net.outputs(net.embed(torch.randn(4, 16_000))).sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_parts_thaw_one_after_another(net):
    freezing = Freezing(net, Freeze(patterns=("frames*", "stages*", "stem*"), first=0.2, until=0.6), 100)
    found = []
    for step in (20, 21, 41, 61):
        net.train()
        freezing.apply(step)
        found.append(resting(net))
        assert [net.stem.training, net.frames.training] == ["stem" not in found[-1], "frames" not in found[-1]]
    assert found == [{"frames", "stages", "stem"}, {"stages", "stem"}, {"stem"}, set()]


def test_a_pattern_that_fits_nothing_is_named(net):
    with pytest.raises(RecipeError, match="'encoder' fits no parameter"):
        Freezing(net, Freeze(patterns=("encoder",)), 10)


def test_rates_never_jump_up_after_the_rise():
    for shape in set(SHAPES) - {"constant"}:
        shares = [rate(step, replace(PLAN, shape=shape)) for step in range(100, 1001)]
        assert all(math.isclose(a, b) or b < a for a, b in pairwise(shares))


def test_what_a_net_lets_rest_itself_never_learns():
    net = build_net("hybrid", {"parts": [{"name": "lcnn"}, {"name": "lcnn"}]})
    resting = {name for name, one in net.named_parameters() if not one.requires_grad}
    Freezing(net, Freeze(patterns=("norms*",), first=0.0, until=0.5), 10).apply(10)
    assert resting
    assert {name for name, one in net.named_parameters() if not one.requires_grad} == resting
