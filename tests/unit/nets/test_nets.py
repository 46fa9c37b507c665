"""What is particular to single nets; what all keep is in tests/laws/test_net_laws.py."""

import pytest
import torch

from glottis.errors import RecipeError
from glottis.nets import build_net
from glottis.nets.frontends import find_frontend
from glottis.nets.heads import make_head

SMALL = {"widths": [8, 16], "blocks": [1, 1], "frame_features": 16}


@pytest.fixture
def net():
    torch.manual_seed(0)
    return build_net("spectral_resnet", SMALL)


def test_level_moves_the_score_little(net):
    samples = torch.randn(1, 16000)
    torch.testing.assert_close(net.eval()(samples)[0], net(samples / 4)[0], rtol=0, atol=1e-3)


def test_quiet_windows_are_raised_and_loud_ones_left():
    torch.manual_seed(0)
    net = build_net("spectral_resnet", SMALL | {"raise_to": 0.3}).eval()
    plain = build_net("spectral_resnet", SMALL).eval()
    plain.load_state_dict(net.state_dict())
    loud = 0.1 * torch.randn(2, 16_000)
    assert torch.equal(net(loud)[0], plain(loud)[0])
    for gain in (0.1, 0.01):
        raised = net(gain * loud)[0]
        torch.testing.assert_close(raised, plain(loud * (0.3 / loud.abs().amax(1, keepdim=True)))[0], rtol=0, atol=1e-3)
    assert net(torch.zeros(1, 16_000))[0].isfinite().all()


def test_an_unknown_net_or_setting_is_named():
    with pytest.raises(RecipeError, match="unknown net 'x'"):
        build_net("x", {})
    with pytest.raises(RecipeError, match="no setting 'depth'"):
        build_net("spectral_resnet", {"depth": 3})
    with pytest.raises(RecipeError, match="cannot be imported"):
        build_net("no.such:factory", {})


@pytest.mark.parametrize("attention", ["se", "eca", "none"])
def test_each_attention_runs(attention):
    net = build_net("spectral_resnet", SMALL | {"attention": attention})
    assert net(torch.randn(2, 16000))[0].shape == (2,)


@pytest.mark.parametrize("attention", ["eca", "se"])
def test_the_blocks_of_a_resnet_are_tapped_and_the_last_is_the_embedding(attention):
    net = build_net("se_resnet", {"depth": 9, "attention": attention, "widths": [4, 8, 8, 16]}).eval()
    embedding, maps, taps = net.embed_and_tap(torch.randn(2, 16_000))
    assert [tuple(one.shape) for one in taps] == [(2, width) for width in net.block_widths]
    assert len(maps) == 4
    torch.testing.assert_close(taps[-1], embedding)


@pytest.mark.parametrize(("backbone", "size"), [("mobilenet_v2", 2_223_872), ("efficientnet_b0", 4_007_548)])
def test_image_backbones_have_the_sizes_of_their_papers(backbone, size):
    net = build_net("mobile", {"backbone": backbone, "channels": 3})
    assert sum(p.numel() for p in net.features.parameters()) == size


def test_a_hybrid_needs_two_parts_with_names():
    for parts in ([{"name": "lcnn"}], [{"name": "lcnn"}, {"depth": 9}]):
        with pytest.raises(RecipeError, match=r"net\.parts"):
            build_net("hybrid", {"parts": parts})


@pytest.mark.parametrize("pooling", ["lstm", "attention", "fixed"])
def test_each_pooling_of_a_light_cnn_gives_its_embedding(pooling):
    net = build_net("lcnn", {"pooling": pooling, "window_s": 1.0}).eval()
    assert net(torch.randn(2, 16_000))[1].shape == (2, {"lstm": 96, "attention": 64, "fixed": 80}[pooling])


def test_a_light_cnn_that_cannot_be_is_refused():
    with pytest.raises(RecipeError, match="pooling 'max' over 60 rows of lfcc"):
        build_net("lcnn", {"pooling": "max"})
    with pytest.raises(RecipeError, match="60 bands of lfcc"):
        build_net("specrnet", {"frontend": "lfcc"})


def test_unknown_parts_are_named():
    with pytest.raises(RecipeError, match="unknown frontend 'x'"):
        find_frontend("x")
    with pytest.raises(RecipeError, match="unknown head 'x'"):
        make_head("x", 4)
    with pytest.raises(RecipeError, match="unknown form '2020'"):
        build_net("rawnet2", {"form": "2020"})
    with pytest.raises(RecipeError, match="depth 10"):
        build_net("se_resnet", {"depth": 10})
