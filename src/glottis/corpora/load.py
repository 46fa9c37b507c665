"""A trial's samples, for training and evaluation: clips that fit in memory."""

from __future__ import annotations

import os

import numpy as np

from glottis.errors import InputError
from glottis.verdict import Samples


def load_clip(path: str | os.PathLike[str], sample_rate_hz: int) -> Samples:
    """All samples of a short recording, its channels mixed.

    It is decoded and resampled as a scan does it, so that training hears what a detector hears.

    Args:
        path: The recording.
        sample_rate_hz: The wanted rate.

    Returns:
        Shape ``(n,)``, float32, ``n`` over 0.

    Raises:
        InputError: It cannot be read, or holds no samples (``no_samples``).
    """
    from glottis.audio import open_recording

    with open_recording(path, sample_rate_hz=sample_rate_hz, channel="mix") as recording:
        blocks = [block[0] for block in recording.blocks()]
    if not blocks:
        raise InputError(f"{os.fspath(path)}: holds no samples", code="no_samples", hint="leave it out of the corpus")
    return np.concatenate(blocks)
