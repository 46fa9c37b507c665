"""Trainable countermeasures. A net takes samples and gives a score; the front-end is inside."""

from glottis.nets.registry import NETS, build_net

__all__ = ["NETS", "build_net"]
