"""The model in ONNX Runtime: the one place that knows it, and on which device it is run."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glottis.config import Device
from glottis.errors import BundleError, ConfigError
from glottis.verdict import Samples

_CPU = "CPUExecutionProvider"
_CUDA = ("CUDAExecutionProvider", {"use_tf32": "0"})  # with TF32 a score moves in its third digit
_PROVIDERS: dict[str, list[Any]] = {
    "cpu": [_CPU],
    "cuda": [_CUDA, _CPU],
    "tensorrt": ["TensorrtExecutionProvider", _CUDA, _CPU],
}
"""By device: ONNX Runtime's providers; what the first cannot do goes to the next."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What the model says of one window.

    Attributes:
        score: Higher is more bona fide.
        speech: The probability that somebody speaks in it, 0 to 1, or None where the model does not tell.
    """

    score: float
    speech: float | None


def available_devices() -> list[str]:
    """The devices that this ONNX Runtime was built for; a driver or a library may still be missing."""
    import onnxruntime

    have = onnxruntime.get_available_providers()
    return [device for device, providers in _PROVIDERS.items() if _name(providers[0]) in have]


class Session:
    """A bundle's model; any number of threads may call it at once.

    One window a call and one thread a call, so that a window's score depends on nothing but the window: on the CPU
    bit-equal whatever the company.

    Args:
        model: The bytes of ``model.onnx``.
        window_samples: The length of a window.
        inputs: The name of the input, float32 ``(batch, window_samples)``.
        outputs: The names of the outputs, ``score`` among them.
        name: What errors call it.
        device: ``cpu``, ``cuda``, ``tensorrt``, or ``auto``: CUDA where it works, else the CPU.

    Raises:
        BundleError: ``model``: ONNX Runtime cannot load it, or its input or outputs are others.
        ConfigError: ``device``: there is no such device, or it does not work.
    """

    def __init__(
        self,
        model: bytes,
        *,
        window_samples: int,
        inputs: str = "samples",
        outputs: Sequence[str] = ("score",),
        name: str = "model.onnx",
        device: Device = "cpu",
    ) -> None:
        self._name = name
        self._inputs = inputs
        self._outputs = [output for output in ("score", "speech") if output in outputs]
        self._session = self._load(model, device)
        self._check(window_samples, outputs)

    def _load(self, model: bytes, device: Device) -> Any:
        import onnxruntime

        providers = _providers(device)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 4  # what it logs at 3, it raises too
        try:
            session = onnxruntime.InferenceSession(model, options, providers=providers)
        except Exception as error:  # ONNX Runtime's errors have no common base
            raise self._refused(f"the model cannot be loaded: {error}") from error
        if device != "auto" and session.get_providers()[0] != _name(providers[0]):  # it falls back without a word
            raise ConfigError(
                f"the device {device} does not work: ONNX Runtime fell back to {session.get_providers()[0]}",
                code="device",
                hint="its driver and libraries must fit onnxruntime-gpu; --device cpu needs none",
            )
        return session

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


def _providers(device: Device) -> list[Any]:
    import onnxruntime

    if device == "cpu":
        return _PROVIDERS[device]
    have = available_devices()
    if device == "auto":
        device = "cuda" if "cuda" in have else "cpu"
    if device not in have:
        raise ConfigError(
            f"the device {device} is not there; this ONNX Runtime has {', '.join(have)}",
            code="device",
            hint="pip install onnxruntime-gpu in the place of onnxruntime, or --device cpu",
        )
    if hasattr(onnxruntime, "preload_dlls"):  # finds CUDA's libraries where pip puts them; it prints
        with contextlib.redirect_stdout(sys.stderr):
            onnxruntime.preload_dlls()
    return _PROVIDERS[device]


def _name(provider: Any) -> str:
    return provider if isinstance(provider, str) else str(provider[0])


def _takes(shape: Sequence[int | str | None], window_samples: int) -> bool:
    """Whether ``(1, window_samples)`` fits; a dimension that is no number takes any."""
    wanted = (1, window_samples)
    return len(shape) == len(wanted) and all(
        not isinstance(have, int) or have == want for have, want in zip(shape, wanted, strict=True)
    )
