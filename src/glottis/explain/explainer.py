"""A recording in, an explanation out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from glottis.audio import ChannelPolicy, Recording, name_of
from glottis.bundle import Bundle
from glottis.detector import Detector
from glottis.detector.model import Model
from glottis.errors import ConfigError, InputError
from glottis.explain.check import DRAWS, check, mark
from glottis.explain.explanation import Cell, Explained, Explanation
from glottis.explain.gradients import gradient_effects
from glottis.explain.hearing import Heard, ModelScorer, choose, hear, score_all
from glottis.explain.occlusion import occlude
from glottis.explain.spectrum import STEP_S, Canvas, Floats, Grid

Method = Literal["occlusion", "gradients"]
MOST_WINDOWS = 16


@dataclass(frozen=True, slots=True)
class Settings:
    """How an explanation is made.

    Attributes:
        method: ``occlusion``, or ``gradients`` for bundles with a trainable net.
        windows: How many windows are looked into at most, 1 to 16.
        step_s: The length of a cell.
        bands: How many bands, or None for about 1 kHz each.
        fill: What is put in the place of a deleted cell: ``background`` (noise at the level of the window's own quiet
            moments), ``level`` (noise at the cell's own level) or ``stop`` (nothing).
        draws: How many random draws the check makes.
    """

    method: Method = "occlusion"
    windows: int = 1
    step_s: float = STEP_S
    bands: int | None = None
    fill: str = "background"
    draws: int = DRAWS

    def __post_init__(self) -> None:
        if self.method not in ("occlusion", "gradients"):
            raise ConfigError(f"method must be occlusion or gradients, got {self.method!r}", code="setting")
        if not 1 <= self.windows <= MOST_WINDOWS:
            raise ConfigError(f"windows must be 1 to {MOST_WINDOWS}, got {self.windows}", code="setting")
        if self.draws < 1:
            raise ConfigError(f"draws must be at least 1, got {self.draws}", code="setting")


def explain(
    recording: Recording,
    detector: Detector | None = None,
    *,
    settings: Settings | None = None,
    channel: ChannelPolicy = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> Explanation:
    """Say on which stretches and bands the verdict on a recording hangs.

    The recording is scanned, then read a second time for the samples of the few windows that are looked into: what
    is held is these windows, however long it is.

    Args:
        recording: A path, the bytes of a file, or `glottis.audio.PCM`; a stream cannot be read twice.
        detector: Whose verdict; by default the shipped one's.
        settings: How.
        channel: As for `Detector.scan`; of channels that differ the most suspect one is explained.
        progress: Called with (cells done, cells in all).

    Raises:
        InputError: It cannot be read, or there is no verdict to explain (``no_speech``).
        BundleError: ``no_torch``: gradients need a bundle with its trainable net.
        ConfigError: A setting is impossible.
        MissingExtra: Gradients need torch.
    """
    settings = settings or Settings()
    detector = detector or Detector()
    if hasattr(recording, "read"):
        raise InputError(
            f"{name_of(recording)}: an explanation reads a recording twice, and a stream can be read once",
            code="stream",
            hint="save it as a file first",
        )
    net = _net(detector.bundle) if settings.method == "gradients" else None
    verdict = detector.scan(recording, channel=channel)
    if verdict.score is None:
        raise InputError(
            f"{verdict.source}: there is no verdict to explain: {verdict.reasons[0].text}", code="no_speech"
        )
    manifest = detector.bundle.manifest
    chosen = choose(verdict, settings.windows, manifest.aggregate["kind"])
    heard = hear(recording, manifest, verdict, chosen, channel=channel)
    looker = _Looker(Model(detector.bundle), net, settings, detector.threads)
    looker.count(heard, progress)
    return Explanation(
        verdict, settings.method, settings.fill, manifest.sample_rate_hz, tuple(looker.look(one) for one in heard)
    )


def _net(bundle: Bundle) -> Any:
    from glottis.nets.of_bundle import torch_net

    return torch_net(bundle)


class _Looker:
    """Looks into windows, one after the other."""

    def __init__(self, model: Model, net: Any, settings: Settings, threads: int) -> None:
        self._model = model
        self._net = net
        self._settings = settings
        self._scorer = ModelScorer(model, threads)
        self._progress: Callable[[int, int], None] | None = None
        self._done = self._of = 0

    def count(self, heard: list[Heard], progress: Callable[[int, int], None] | None) -> None:
        """Learn how much there is to do, and whom to tell."""
        self._of = sum(int(np.prod(self._grid(one).shape)) for one in heard)
        self._progress = progress

    def look(self, heard: Heard) -> Explained:
        """Explain one window."""
        heard = self._alone(heard)
        canvas = Canvas(heard.samples, self._scorer.sample_rate_hz, self._grid(heard), fill=self._settings.fill)
        window = heard.window
        score = float(window.score or 0.0)
        effects, effects_llr = self._effects(canvas, heard, score)
        used = effects if effects_llr is None else effects_llr
        side = 1 if window.llr is not None and window.llr > 0 else -1
        marked = mark(used, side)
        checked = check(
            self._scorer,
            canvas,
            marked,
            value=score if window.llr is None else window.llr,
            side=side,
            to_unit=lambda scores: self._in_unit(scores, heard),
            unit="score" if window.llr is None else "llr",
            draws=self._settings.draws,
        )
        return Explained(
            start_s=window.start_s,
            end_s=window.end_s,
            score=score,
            llr=window.llr,
            why=heard.why,
            speaks_for="person" if side > 0 else "spoof",
            shape=canvas.grid.shape,
            cells=_cells(canvas.grid, window.start_s, effects, effects_llr, marked),
            check=checked,
            samples=heard.samples,
        )

    def _alone(self, heard: Heard) -> Heard:
        """With the score and the llr that the samples have by themselves.

        They differ from the verdict's where a member of an ensemble cuts its windows elsewhere.
        """
        scores = score_all(self._scorer, iter([heard.samples]))
        llr = None if heard.window.llr is None else float(self._in_unit(scores, heard)[0])
        return replace(heard, window=replace(heard.window, score=float(scores[0]), llr=llr))

    def _effects(self, canvas: Canvas, heard: Heard, score: float) -> tuple[Floats, Floats | None]:
        """In score, and in llr if there is one, ``(bands, columns)`` each."""
        if self._net is None:
            left = occlude(self._scorer, canvas, on_cell=self._tick)
            effects = score - left
        else:
            effects = gradient_effects(self._net, canvas, self._scorer.window_samples)
            left = score - effects
        llr = heard.window.llr
        return effects, None if llr is None else llr - self._in_unit(left, heard)

    def _in_unit(self, scores: Floats, heard: Heard) -> Floats:
        calibration, window = self._model.window_calibration, heard.window
        if calibration is None:
            return scores
        return np.asarray(calibration.apply(scores, window.speech * (window.end_s - window.start_s)), np.float64)

    def _grid(self, heard: Heard) -> Grid:
        duration_s = len(heard.samples) / self._scorer.sample_rate_hz
        return Grid.of(
            duration_s, self._scorer.sample_rate_hz, step_s=self._settings.step_s, bands=self._settings.bands
        )

    def _tick(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._of)


def _cells(grid: Grid, start_s: float, effects: Floats, llrs: Floats | None, marked: Any) -> tuple[Cell, ...]:
    bands, columns = grid.shape
    return tuple(
        Cell(
            start_s=start_s + grid.edges_s[column],
            end_s=start_s + grid.edges_s[column + 1],
            low_hz=grid.edges_hz[band],
            high_hz=grid.edges_hz[band + 1],
            effect_score=float(effects[band, column]),
            effect_llr=None if llrs is None else float(llrs[band, column]),
            marked=bool(marked[band, column]),
        )
        for band in range(bands)
        for column in range(columns)
    )
