"""A Glottis bundle as a model of the Speech Anti-Spoofing Arena.

``speech-spoof-bench run --model-module glottis.evaluation.arena:ArenaModel --datasets ...`` runs the shipped detector,
or the one that ``GLOTTIS_MODEL`` names. The package asks of a model the attributes and methods below, and no more, so
that it need not be installed here. Source: lab260ru/speech_spoof_bench, ``model.py``, ``runner.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

from glottis.audio import PCM
from glottis.config import resolve
from glottis.detector import Detector
from glottis.errors import GlottisError, InputError
from glottis.verdict import Failed, Samples, Verdict


class ArenaModel:
    """Scores whole recordings: calibrated llrs where the bundle has them, else its scores.

    A recording without a score (no speech) raises; the arena then counts it as skipped.

    Attributes:
        name: The bundle's, known once loaded.
        expected_sample_rate: To which the arena resamples: the bundle's, known once loaded.
        batch_size: Recordings at a time; they are scanned side by side.
    """

    name = "glottis"
    expected_sample_rate = 16_000
    batch_size = 32

    def __init__(self) -> None:
        self._detector: Detector | None = None

    def load(self) -> None:
        """Open the bundle that the settings name.

        Raises:
            BundleError: It cannot be used.
        """
        settings = resolve({})
        self._detector = Detector(settings.model, threads=settings.threads, device=settings.device)
        manifest = self._detector.bundle.manifest
        self.name = f"{manifest.name} {manifest.version}"
        self.expected_sample_rate = manifest.sample_rate_hz

    def score_batch(self, audios: Sequence[Samples], srs: Sequence[int]) -> list[float]:
        """A score for each recording; higher is more bona fide.

        Args:
            audios: Samples ``(n,)`` each.
            srs: Their rates in Hz.

        Raises:
            InputError: A recording has no speech (``no_speech``), or cannot be scanned.
            GlottisError: `load` was not called (``not_loaded``).
        """
        if self._detector is None:
            raise GlottisError("the model is not loaded", code="not_loaded", hint="call load() first")
        recordings = [PCM(samples, rate) for samples, rate in zip(audios, srs, strict=True)]
        return [_score(found) for found in self._detector.scan_many(recordings)]

    def unload(self) -> None:
        """Let go of the bundle."""
        self._detector = None


def _score(found: Verdict | Failed) -> float:
    if isinstance(found, Failed):
        raise InputError(found.message, code=found.code, hint=found.hint)
    score = found.score if found.llr is None else found.llr
    if score is None:
        raise InputError("no speech, and so no score", code="no_speech", hint="the arena counts it as skipped")
    return score
