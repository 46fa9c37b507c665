"""Score files, protocols, and reports on them; sees a detector only as a Scorer or a Judge."""

from glottis.evaluation.join import Trials, join
from glottis.evaluation.protocols import Protocol, read_protocol, write_protocol
from glottis.evaluation.scores import (
    AsvScores,
    SasvScores,
    ScoreFile,
    read_asv_scores,
    read_sasv_scores,
    read_scores,
    write_scores,
)

__all__ = [
    "AsvScores",
    "Protocol",
    "SasvScores",
    "ScoreFile",
    "Trials",
    "join",
    "read_asv_scores",
    "read_protocol",
    "read_sasv_scores",
    "read_scores",
    "write_protocol",
    "write_scores",
]
