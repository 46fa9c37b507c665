"""The average of a run's weights, and the batch statistics of it."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from glottis.training.averaging import WeightAverage, renew_statistics


def net(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))


def averaged(*, moving, steps, decay=0.9):
    average = WeightAverage(net(), decay, moving)
    for step in range(1, steps + 1):
        average.update(net(step))
    return average


def test_after_the_moving_steps_all_weights_count_alike():
    found = averaged(moving=3, steps=8)
    assert found.is_equal
    wanted = torch.stack([net(step)[0].weight for step in range(4, 9)]).mean(dim=0)
    torch.testing.assert_close(found.weights["0.weight"], wanted)


def test_before_it_moves_faster_at_first():
    found = averaged(moving=100, steps=2)
    first = torch.lerp(net(0)[0].weight, net(1)[0].weight, 1 - 2 / 11)
    torch.testing.assert_close(found.weights["0.weight"], torch.lerp(first, net(2)[0].weight, 1 - 3 / 12))
    assert not found.is_equal


def test_it_goes_on_where_it_was():
    whole, half = averaged(moving=2, steps=6), averaged(moving=2, steps=3)
    other = WeightAverage(net(9), 0.9, 2)
    other.load(half.weights, half.steps)
    for step in range(4, 7):
        other.update(net(step))
    assert all(torch.equal(whole.weights[name], other.weights[name]) for name in whole.weights)


@pytest.fixture
def crops():
    torch.manual_seed(1)
    return [torch.randn(5, 3) for _ in range(4)]


def test_statistics_are_those_of_the_crops(crops):
    ours, theirs = net().train(), copy.deepcopy(net())
    renew_statistics(ours, net().train(), crops)
    theirs[2] = nn.Identity()
    update_bn(crops, theirs)
    torch.testing.assert_close(ours[1].running_var, theirs[1].running_var)
    torch.testing.assert_close(ours[1].running_mean, theirs[1].running_mean)
    assert not ours.training
    assert not ours[1].training


def test_nothing_is_drawn(crops):
    ours, learner = net(), net().train()
    state = torch.get_rng_state()
    renew_statistics(ours, learner, crops)
    assert torch.equal(state, torch.get_rng_state())


def test_what_rests_in_the_learner_rests(crops):
    ours, learner = net(), net().train()
    learner[1].eval()
    before = ours[1].running_mean.clone()
    renew_statistics(ours, learner, crops)
    assert torch.equal(ours[1].running_mean, before)
