"""Trainable countermeasures. A net takes samples and gives a score; the front-end is inside."""

from glottis._extras import need

need("torch", extra="train")

from glottis.nets.registry import NETS, build_net  # noqa: E402 (torch is asked for first, so that its lack is said)

__all__ = ["NETS", "build_net"]
