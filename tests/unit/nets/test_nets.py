"""Every registered net keeps the contract: samples in, a score and an embedding out, rows independent."""

import pytest
import torch

from glottis.errors import RecipeError
from glottis.nets import NETS, build_net

SMALL = {"spectral_resnet": {"widths": [8, 16], "blocks": [1, 1], "frame_features": 16}}


@pytest.fixture(params=sorted(NETS))
def net(request):
    torch.manual_seed(0)
    return build_net(request.param, SMALL[request.param])


def test_shapes_and_finite(net):
    score, embedding = net.eval()(torch.randn(3, 16000))
    assert score.shape == (3,)
    assert embedding.shape[0] == 3
    assert score.isfinite().all()
    assert net(torch.zeros(1, 16000))[0].isfinite().all()


def test_a_gradient_reaches_every_parameter(net):
    net.train()(torch.randn(4, 16000))[0].sum().backward()
    dead = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    # the bias of the last attention layer moves all frames alike, so the softmax hides it
    assert [name for name in dead if name != "pooling.attention.2.bias"] == []


def test_a_row_of_a_batch_equals_a_batch_of_one(net):
    samples = torch.randn(3, 16000)
    whole, _ = net.eval()(samples)
    torch.testing.assert_close(net(samples[1:2])[0], whole[1:2], rtol=1e-5, atol=1e-5)


def test_level_moves_the_score_little(net):
    samples = torch.randn(1, 16000)
    torch.testing.assert_close(net.eval()(samples)[0], net(samples / 4)[0], rtol=0, atol=1e-3)


def test_training_draws_masks_and_evaluation_does_not(net):
    samples = torch.randn(2, 16000)
    assert torch.equal(net.eval()(samples)[0], net(samples)[0])
    assert not torch.equal(net.train()(samples)[0], net(samples)[0])


def test_an_unknown_net_or_setting_is_named():
    with pytest.raises(RecipeError, match="unknown net 'x'"):
        build_net("x", {})
    with pytest.raises(RecipeError, match="no setting 'depth'"):
        build_net("spectral_resnet", {"depth": 3})
    with pytest.raises(RecipeError, match="cannot be imported"):
        build_net("no.such:factory", {})


@pytest.mark.parametrize("attention", ["se", "eca", "none"])
def test_each_attention_runs(attention):
    net = build_net("spectral_resnet", SMALL["spectral_resnet"] | {"attention": attention})
    assert net(torch.randn(2, 16000))[0].shape == (2,)
