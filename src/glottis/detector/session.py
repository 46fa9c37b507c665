"""The model in ONNX Runtime: the one place that knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glottis.errors import BundleError
from glottis.verdict import Samples


@dataclass(frozen=True, slots=True)
class Scored:
    """What the model says of one window.

    Attributes:
        score: Higher is more bona fide.
        speech: The probability that somebody speaks in it, 0 to 1, or None where the model does not tell.
    """

    score: float
    speech: float | None


class Session:
    """A bundle's model on the CPU; any number of threads may call it at once.

    One window a call and one thread a call, so that a window's score depends on nothing but the window: bit-equal
    whatever the company.

    Args:
        model: The bytes of ``model.onnx``.
        window_samples: The length of a window.
        inputs: The name of the input, float32 ``(batch, window_samples)``.
        outputs: The names of the outputs, ``score`` among them.
        name: What errors call it.

    Raises:
        BundleError: ``model``: ONNX Runtime cannot load it, or its input or outputs are others.
    """

    def __init__(
        self,
        model: bytes,
        *,
        window_samples: int,
        inputs: str = "samples",
        outputs: Sequence[str] = ("score",),
        name: str = "model.onnx",
    ) -> None:
        self._name = name
        self._inputs = inputs
        self._outputs = [output for output in ("score", "speech") if output in outputs]
        self._session = self._load(model)
        self._check(window_samples, outputs)

    def _load(self, model: bytes) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 4  # what it logs at 3, it raises too
        try:
            return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors have no common base
            raise self._refused(f"the model cannot be loaded: {error}") from error

    def _check(self, window_samples: int, outputs: Sequence[str]) -> None:
        inputs = self._session.get_inputs()
        if [one.name for one in inputs] != [self._inputs]:
            got = ", ".join(one.name for one in inputs)
            raise self._refused(f"the model's input must be {self._inputs}, and is {got or 'none'}")
        if inputs[0].type != "tensor(float)" or not _takes(inputs[0].shape, window_samples):
            got = f"{inputs[0].type} {inputs[0].shape}"
            raise self._refused(f"the model's input must be float32 (batch, {window_samples}), and is {got}")
        have = {one.name for one in self._session.get_outputs()}
        if missing := [output for output in outputs if output not in have]:
            raise self._refused(f"the model must give {', '.join(missing)}, and gives {', '.join(sorted(have))}")

    def score(self, window: Samples) -> Scored:
        """Score one window, ``(window_samples,)``.

        Raises:
            BundleError: ``model``: it fails on the window, or what it gives is not one finite number a window.
        """
        try:
            values = self._session.run(self._outputs, {self._inputs: window[None]})
        except Exception as error:  # ONNX Runtime's errors have no common base
            raise self._refused(f"the model fails on a window: {error}") from error
        numbers = [np.asarray(value) for value in values]
        if any(number.shape != (1,) or not np.isfinite(number).all() for number in numbers):
            raise self._refused(f"the model must give one finite number a window, and gives {numbers!r:.80}")
        score, *speech = (float(number[0]) for number in numbers)
        if speech and not 0 <= speech[0] <= 1:
            raise self._refused(f"the model's speech must be a probability, and is {speech[0]}")
        return Scored(score, speech[0] if speech else None)

    def _refused(self, what: str) -> BundleError:
        return BundleError(f"{self._name}: {what}", code="model", hint="export the bundle again")


def _takes(shape: Sequence[int | str | None], window_samples: int) -> bool:
    """Whether ``(1, window_samples)`` fits; a dimension that is no number takes any."""
    wanted = (1, window_samples)
    return len(shape) == len(wanted) and all(
        not isinstance(have, int) or have == want for have, want in zip(shape, wanted, strict=True)
    )
