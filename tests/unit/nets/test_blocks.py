"""Parts that several nets share."""

from __future__ import annotations

import pytest
import torch

from glottis.errors import RecipeError
from glottis.nets.blocks.conformer import FARTHEST, ClassTokenEncoder, RelativeAttention
from glottis.nets.blocks.nested_res2net import NestedRes2Net
from glottis.nets.ssl_heads import make_ssl_head


@pytest.mark.parametrize("count", [1, 7, FARTHEST + 60])
def test_relative_attention_looks_up_the_distance_of_each_pair(count):
    attention = RelativeAttention(8, 2)
    query = torch.randn(2, 2, count, 4)
    place = torch.arange(count)
    distance = (place[:, None] - place).clamp(-FARTHEST, FARTHEST) + FARTHEST
    expected = torch.einsum("bhnd,nrd->bhnr", query, attention.rel_pos_emb(distance))
    torch.testing.assert_close(attention._by_distance(query), expected)


def test_an_encoder_with_head_tokens_knows_the_order_of_frames():
    encoder = ClassTokenEncoder(8, 1, 2, 1, attention="tokens").eval()
    frames = torch.randn(1, 9, 8)
    assert not torch.allclose(encoder(frames), encoder(frames.flip(1)))
    assert "positional_emb" in encoder.state_dict()


@pytest.mark.parametrize(("kernel", "heads", "attention"), [(4, 2, "tokens"), (3, 3, "relative"), (3, 2, "x")])
def test_an_encoder_that_cannot_be_is_refused(kernel, heads, attention):
    with pytest.raises(RecipeError, match=f"attention '{attention}', kernel {kernel}, {heads} heads"):
        ClassTokenEncoder(8, 1, heads, kernel, attention=attention)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(("pooling", "width"), [("mean", 32), ("attentive", 64)])
def test_a_nested_res2net_takes_any_number_of_frames(weighted, pooling, width):
    net = NestedRes2Net(32, groups=4, scale=2, weighted=weighted, pooling=pooling)
    assert net.width == width
    assert [net(torch.randn(2, 32, count)).shape for count in (3, 40)] == [(2, width)] * 2


def test_settings_that_a_head_has_not_are_refused():
    with pytest.raises(RecipeError, match="30 features in 8 groups of 8"):
        make_ssl_head("nes2net", 30)
    with pytest.raises(RecipeError, match=r"back aasist: .*width"):
        make_ssl_head("aasist", 32, 16)
    with pytest.raises(RecipeError, match=r"back nes2net: .*depth"):
        make_ssl_head("nes2net", 64, settings={"depth": 3})
    with pytest.raises(RecipeError, match="unknown back 'x'"):
        make_ssl_head("x", 64)
