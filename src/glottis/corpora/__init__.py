"""Corpora: labelled recordings with their facts."""

from __future__ import annotations

from glottis.corpora.load import load_clip
from glottis.corpora.trials import Trial, read_trials

__all__ = ["Trial", "load_clip", "read_trials"]
