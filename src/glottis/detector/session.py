"""The model in ONNX Runtime: the one place that knows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glottis.bundle import Bundle
from glottis.errors import BundleError
from glottis.verdict import Samples


@dataclass(frozen=True, slots=True)
class Scored:
    """What the model says of one window.

    Attributes:
        score: Higher is more bona fide.
        speech: The probability that somebody speaks in it, or None where the model does not tell.
    """

    score: float
    speech: float | None


class Session:
    """A bundle's model on the CPU; it may be called from many threads at once.

    One window a call and one thread, so that a window's score depends on nothing else.

    Raises:
        BundleError: ONNX Runtime cannot load the model, or its inputs and outputs are not the manifest's.
    """

    def __init__(self, bundle: Bundle) -> None:
        import onnxruntime

        self._name = str(bundle.path)
        manifest = bundle.manifest
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(
                bundle.read("model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except BundleError:
            raise
        except Exception as error:  # ONNX Runtime's errors have no common base
            raise self._refused(f"the model cannot be loaded: {error}") from error
        self._input = manifest.inputs
        self._outputs = [name for name in ("score", "speech") if name in manifest.outputs]
        self._check({one.name for one in self._session.get_inputs()}, {one.name for one in self._session.get_outputs()})

    def _check(self, inputs: set[str], outputs: set[str]) -> None:
        if inputs != {self._input}:
            raise self._refused(f"the model's input must be {self._input}, and is {', '.join(sorted(inputs))}")
        if not set(self._outputs) <= outputs:
            raise self._refused(f"the model must give {', '.join(self._outputs)}, and gives {sorted(outputs)}")

    def _refused(self, what: str) -> BundleError:
        return BundleError(f"{self._name}: {what}", code="model", hint="export the bundle again")

    def score(self, window: Samples) -> Scored:
        """Score one window, shape ``(window_samples,)``.

        Raises:
            BundleError: The model fails on it, or its score is no number.
        """
        try:
            values = [np.asarray(v) for v in self._session.run(self._outputs, {self._input: window[None]})]
        except Exception as error:  # ONNX Runtime's errors have no common base
            raise self._refused(f"the model fails on a window: {error}") from error
        if any(value.shape != (1,) for value in values) or not np.isfinite(values).all():
            raise self._refused(f"the model's outputs must be one number a window, and are {values!r:.80}")
        return Scored(float(values[0][0]), float(values[1][0]) if len(values) > 1 else None)
