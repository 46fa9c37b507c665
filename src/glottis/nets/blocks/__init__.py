"""Parts that several nets share."""

from glottis.nets.blocks.attention import ECA, SE, channel_attention
from glottis.nets.blocks.pooling import AttentiveStatistics
from glottis.nets.blocks.residual import ResidualBlock

__all__ = ["ECA", "SE", "AttentiveStatistics", "ResidualBlock", "channel_attention"]
