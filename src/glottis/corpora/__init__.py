"""Corpora: labelled recordings with their facts."""

from __future__ import annotations

from glottis.corpora.embeddings import Embeddings, open_embeddings
from glottis.corpora.load import load_clip
from glottis.corpora.long_form import LongRecording, long_recordings
from glottis.corpora.trials import Trial, pick, read_trials

__all__ = [
    "Embeddings",
    "LongRecording",
    "Trial",
    "load_clip",
    "long_recordings",
    "open_embeddings",
    "pick",
    "read_trials",
]
