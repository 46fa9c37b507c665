"""A net as a file for other runtimes: ONNX, TorchScript, a `torch.export` program; each takes a batch of any size."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from glottis.errors import BundleError, RecipeError, one_line
from glottis.training.exporter import OPSET, export_run, prove, to_onnx
from glottis.training.finished import finished
from glottis.verdict import Samples

SAME_KERNELS = 1e-5
"""Largest difference allowed between a net and itself in another form of torch."""

BUNDLE, ONNX = "bundle", "onnx"


def to_torchscript(net: nn.Module, window_samples: int) -> bytes:
    """A net, traced: ``torch.jit.load``, then samples ``(batch, window_samples)`` to ``(score, embedding)``.

    Torch calls TorchScript deprecated; `to_torch_export` gives what follows it.

    Raises:
        BundleError: ``parity``: the trace does not score as the net does.
    """
    out = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):  # of the deprecation; what the tracer fears is proved
        traced = torch.jit.trace(net, (torch.zeros(2, window_samples),), check_trace=False)  # type: ignore[no-untyped-call]
        torch.jit.save(traced, out)
        loaded = torch.jit.load(io.BytesIO(out.getvalue()))  # type: ignore[no-untyped-call]
    prove(net, _scores(loaded), window_samples, SAME_KERNELS, "TorchScript")
    return out.getvalue()


def to_torch_export(net: nn.Module, window_samples: int) -> bytes:
    """A net as ``.pt2``: ``torch.export.load(file).module()``, then as `to_torchscript`.

    Raises:
        BundleError: ``parity``: the program does not score as the net does.
    """
    out = io.BytesIO()
    shapes = ({0: torch.export.Dim("batch")},)
    with warnings.catch_warnings(action="ignore"):  # recurrent layers keep their weights twice
        program = torch.export.export(net, (torch.zeros(2, window_samples),), dynamic_shapes=shapes)
        torch.export.save(program, out)
        loaded = torch.export.load(io.BytesIO(out.getvalue())).module()
    prove(net, _scores(loaded), window_samples, SAME_KERNELS, "torch.export")
    return out.getvalue()


TORCH_FORMATS: dict[str, Callable[[nn.Module, int], bytes]] = {
    "torchscript": to_torchscript,
    "torch_export": to_torch_export,
}


def export(model: str | Path, form: str, output: Path, *, opset: int = OPSET) -> Path:
    """Write the net of a run or a bundle in another form.

    What is written is the net that learns, its score and its embedding: neither the ``speech`` output nor the
    calibration of a bundle, which `glottis scan` needs.

    Args:
        model: As in `glottis.training.finished.finished`.
        form: ``onnx``, ``torchscript``, ``torch_export``; or ``bundle``, an uncalibrated one, of a run.
        output: The file, or the bundle's folder.
        opset: Of ``onnx``.

    Raises:
        RecipeError: There is no finished run, or ``bundle`` is asked of one.
        BundleError: The bundle holds no net; or what was exported does not score as the net does (``parity``), or
            torch cannot export the net (``export``), or the file cannot be written (``unwritable``).
    """
    known = finished(model)
    if form == BUNDLE:
        if known.recipe is None:
            raise RecipeError(f"{model} is a bundle already", hint="give a run, or another --format")
        return export_run(known.net, known.recipe, output)
    net, window = known.net, known.window_samples
    try:
        data = TORCH_FORMATS[form](net, window) if form in TORCH_FORMATS else to_onnx(net, window, opset)
    except (RuntimeError, TypeError, ValueError) as error:
        said = one_line(error)
        raise BundleError(f"{model}: torch cannot export this net as {form}: {said}", code="export") from error
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(data)
    except OSError as error:
        raise BundleError(f"{output} cannot be written: {error}", code="unwritable") from error
    return output


def _scores(loaded: Callable[..., Any]) -> Callable[[Samples], NDArray[Any]]:
    def score(samples: Samples) -> NDArray[Any]:
        with torch.inference_mode():
            found: NDArray[Any] = loaded(torch.from_numpy(samples))[0].numpy()
        return found

    return score
