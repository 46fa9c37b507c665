"""A bundle made smaller or faster, step by step; a step that costs more than it may is refused."""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from glottis.bundle import Bundle, copy_bundle, open_bundle
from glottis.corpora import Trial, load_clip
from glottis.detector import Detector
from glottis.detector.session import Session
from glottis.errors import ConfigError
from glottis.metrics import Interval, challenge_eer, paired_difference
from glottis.nets.of_bundle import torch_net
from glottis.training.exporter import MODEL
from glottis.training.prune import Pruning, prune, tuning_recipe
from glottis.verdict import Label, Samples

LARGE = 1024
"""Weights with fewer numbers stay as they are."""

CALIBRATION_CLIPS = 128
RESAMPLES = 500
TIMED_WINDOWS = 20
Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did.

    Attributes:
        name: Of the step; ``as it was`` for the bundle itself.
        model_bytes: Of the ONNX file.
        ms_a_window: The least CPU time of a window, one thread.
        eer: On the trials that have a score before and after, as a fraction.
        change: That minus the bundle's own, its interval resampled by source; None for the bundle itself.
        kept: Whether it cost no more than it might.
    """

    name: str
    model_bytes: int
    ms_a_window: float
    eer: float
    change: Interval | None
    kept: bool

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


def half(model: bytes, _windows: Sequence[Samples]) -> bytes:
    """What is learned in float16, arithmetic in float32: half its size, the same speed; the front-end stays exact."""
    graph = onnx.load_from_string(model)
    casts = []
    for weight in graph.graph.initializer:
        if weight.data_type != onnx.TensorProto.FLOAT or np.prod(weight.dims) < LARGE:
            continue
        name = weight.name
        values = onnx.numpy_helper.to_array(weight).astype(np.float16)
        weight.CopyFrom(onnx.numpy_helper.from_array(values, f"{name}_half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend([*casts, *nodes])
    made: bytes = graph.SerializeToString()
    return made


def int8_dynamic(model: bytes, _windows: Sequence[Samples]) -> bytes:
    """Weights of matrix products in int8, what they meet quantised as it comes; for recurrent nets and Transformers."""
    return _quantised(model, lambda source, goal: quantize_dynamic(source, goal, weight_type=QuantType.QInt8))


def int8_static(model: bytes, windows: Sequence[Samples]) -> bytes:
    """Convolutions and products in int8, their ranges taken from windows; the front-end stays in float32."""

    def quantise(source: Path, goal: Path) -> None:
        graph = onnx.load(source)
        spared = [node.name for node in graph.graph.node if "frontend" in node.name]
        quantize_static(
            source,
            goal,
            _Windows(graph.graph.input[0].name, windows),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=spared,
            op_types_to_quantize=["Conv", "MatMul", "Gemm"],
        )

    return _quantised(model, quantise)


STEPS: dict[str, Callable[[bytes, Sequence[Samples]], bytes]] = {
    "half": half,
    "int8_dynamic": int8_dynamic,
    "int8_static": int8_static,
}


PRUNE = "prune"
IN_FLOATS = (PRUNE, "half")
"""Steps on whose result the next ones are tried."""


class _Windows(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Windows, one at a time."""

    def __init__(self, name: str, windows: Sequence[Samples]) -> None:
        self._left = iter([{name: window[None]} for window in windows])

    def get_next(self) -> dict[str, Samples] | None:
        """The next one, or None at the end."""
        return next(self._left, None)


def _quantised(model: bytes, quantise: Callable[[Path, Path], None]) -> bytes:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        source, ready, goal = (Path(folder) / name for name in ("source.onnx", "ready.onnx", "goal.onnx"))
        source.write_bytes(model)
        quant_pre_process(source, ready, skip_symbolic_shape=True)
        quantise(ready, goal)
        return goal.read_bytes()


def compress(
    bundle: Bundle,
    output: Path,
    steps: Sequence[str],
    *,
    root: Path,
    ranges: Sequence[Trial],
    judges: Sequence[Trial],
    most_eer: float,
    threads: int = 1,
    pruning: Pruning | None = None,
) -> Iterator[Step]:
    """Try each step on the last kept model in floats, and write the last kept one; give what each did.

    A step is refused where the upper end of its EER's change lies over `most_eer`. The calibration is that of the
    bundle, or none after ``prune``: fit it anew with `glottis calibrate` where scores moved.

    Args:
        bundle: What is made smaller.
        output: Where the copy goes, written when all steps are done; without the trainable net, unless that is what
            was kept.
        steps: Keys of `STEPS`, and before them perhaps ``prune``.
        root: Where the trials' files lie.
        ranges: Trials from which ranges are taken; others than `judges`.
        judges: Trials on which EER is measured.
        most_eer: As a fraction.
        threads: For scoring.
        pruning: How ``prune`` goes about it.

    Raises:
        ConfigError: An unknown step, or ``prune`` after another one.
        BundleError: The bundle is an ensemble (``ensemble``), or ``prune`` of one without its net.
        RecipeError: The net cannot be pruned, or a setting of its tuning does not fit.
    """
    bundle.check_single()
    for place, name in enumerate(steps):
        if name != PRUNE and name not in STEPS:
            raise ConfigError(f"unknown step {name!r}", code="setting", hint=f"one of {PRUNE}, {', '.join(STEPS)}")
        if name == PRUNE and (place or pruning is None):
            raise ConfigError("prune must be the first step, and be told how", code="setting")
        if name == PRUNE and pruning is not None:  # what it would refuse is refused before anything is scored
            torch_net(bundle)
            tuning_recipe(bundle, {"name": "as it will be"}, pruning)
    manifest = bundle.manifest
    clips = [load_clip(trial.path(root), manifest.sample_rate_hz) for trial in ranges[:CALIBRATION_CLIPS]]
    windows = [np.resize(clip, manifest.window_samples) for clip in clips]
    before = _scores(bundle, root, judges, threads)
    yield _step("as it was", bundle, judges, before=before, after=None, most_eer=most_eer)
    best = floats = bundle
    with tempfile.TemporaryDirectory() as folder:
        for name in steps:
            if name == PRUNE and pruning is not None:
                tried = open_bundle(prune(floats, Path(folder) / name, pruning))
            else:
                tried = open_bundle(_copy(floats, Path(folder) / name, STEPS[name](floats.read(MODEL), windows)))
            after = _scores(tried, root, judges, threads)
            found = _step(name, tried, judges, before=before, after=after, most_eer=most_eer)
            if found.kept:
                best, floats = tried, tried if name in IN_FLOATS else floats
            yield found
        copy_bundle(best, output)


def _copy(bundle: Bundle, folder: Path, model: bytes) -> Path:
    spare = (bundle.manifest.torch or {}).get("weights")
    return copy_bundle(bundle, folder, changes={"torch": None}, files={MODEL: model}, without=(spare,))


def _scores(bundle: Bundle, root: Path, trials: Sequence[Trial], threads: int) -> Scores:
    found = Detector(bundle.path, threads=threads).scan_many((trial.path(root) for trial in trials), channel="mix")
    scores = [getattr(one, "score", None) for one in found]
    return np.array([np.nan if score is None else score for score in scores], np.float64)


def _step(
    name: str, bundle: Bundle, trials: Sequence[Trial], *, before: Scores, after: Scores | None, most_eer: float
) -> Step:
    scores = before if after is None else after
    both = np.isfinite(before) & np.isfinite(scores)
    bonafide = np.array([trial.label == Label.BONAFIDE for trial in trials])[both]
    sources = np.array([trial.source for trial in trials])[both]
    change = None
    if after is not None:
        change = paired_difference(
            challenge_eer, after[both], before[both], bonafide, groups=sources, resamples=RESAMPLES
        )
    own = scores[both]
    return Step(
        name,
        len(bundle.read(MODEL)),
        _ms(bundle),
        challenge_eer(own[bonafide], own[~bonafide]),
        change,
        kept=change is None or change.high <= most_eer,
    )


def _ms(bundle: Bundle) -> float:
    manifest = bundle.manifest
    session = Session(
        bundle.read(MODEL),
        window_samples=manifest.window_samples,
        inputs=manifest.inputs,
        outputs=manifest.outputs,
        name=str(bundle.path),
    )
    window = np.random.default_rng(0).normal(0, 0.1, manifest.window_samples).astype(np.float32)
    session.score(window)
    times = []
    for _ in range(TIMED_WINDOWS):
        began = time.process_time()
        session.score(window)
        times.append(time.process_time() - began)
    return 1000 * min(times)
