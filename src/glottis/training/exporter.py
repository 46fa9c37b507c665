"""From a trained net to a bundle: ONNX, parity with torch, calibration on the development scores."""

from __future__ import annotations

import datetime as dt
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

import glottis
from glottis.bundle import write_bundle
from glottis.calibration import Platt, cross_fit
from glottis.errors import BundleError
from glottis.metrics import bootstrap, cllr, eer, interpolated_eer, mean_eer_within_interval, min_cllr
from glottis.training.recipe import Recipe
from glottis.training.store import ClipStore
from glottis.training.validate import facts, score_store

Scores = NDArray[np.float64]

PARITY = 1e-4
"""Largest difference allowed between torch and ONNX, relative to scores of about 1."""


def to_onnx(net: nn.Module, window_samples: int) -> bytes:
    """Export a net ``samples -> (score, embedding)`` with a dynamic batch, and prove that ONNX gives the same.

    The TorchScript exporter is used: it takes a second where the newer one takes half a minute, and needs no
    further package.

    Raises:
        BundleError: ONNX Runtime and torch differ by more than `PARITY`, at batch 1 or 3.
    """
    net = net.eval().cpu()
    example = torch.zeros(2, window_samples)
    out = io.BytesIO()
    names = ["score", "embedding"]
    axes = {name: {0: "batch"} for name in ["samples", *names]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            net,
            (example,),
            out,  # type: ignore[arg-type]  # its stub forgets buffers
            input_names=["samples"],
            output_names=names,
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
    model = out.getvalue()
    _prove(net, model, window_samples)
    return model


def _prove(net: nn.Module, model: bytes, window_samples: int) -> None:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    for batch in (1, 3):
        samples = rng.normal(0, 0.1, (batch, window_samples)).astype(np.float32)
        with torch.inference_mode():
            expected = net(torch.from_numpy(samples))[0].numpy()
        got = session.run(["score"], {"samples": samples})[0]
        difference = float(np.abs(got - expected).max() / max(1.0, float(np.abs(expected).max())))
        if difference > PARITY:
            raise BundleError(f"ONNX and torch differ by {difference:.2g} at batch {batch}, more than {PARITY}")


def export_bundle(net: nn.Module, dev: ClipStore, recipe: Recipe, trained_on: list[str], folder: Path) -> Path:
    """Write the bundle: model, calibration fitted on the development scores, figures with intervals.

    Args:
        net: The trained net.
        dev: The development clips.
        recipe: What it was trained by.
        trained_on: Names of the corpora.
        folder: Where the bundle goes.
    """
    settings = recipe.export
    window = round(settings.window_s * recipe.sample_rate_hz)
    model = to_onnx(net, window)
    scores = score_store(net, dev, window)
    bonafide, sources = facts(dev)
    calibrator = Platt.fit(scores[bonafide], scores[~bonafide])
    figures = measure(scores, bonafide, sources)
    calibration = calibrator.to_json()
    fields: dict[str, Any] = {
        "name": settings.name,
        "version": settings.version,
        "created": dt.datetime.now(dt.UTC).date().isoformat(),
        "licence": settings.licence,
        "requires": {"glottis": f">={glottis.__version__}"},
        "sample_rate_hz": recipe.sample_rate_hz,
        "window_samples": window,
        "hop_samples": round(settings.hop_s * recipe.sample_rate_hz),
        "min_speech_s": settings.min_speech_s,
        "inputs": "samples",
        "outputs": ["score", "embedding"],
        "aggregate": {"kind": "mean"},
        "calibration": {"recording": calibration, "window": calibration},
        "decision": {
            "cost_spoof_accepted": settings.cost_spoof_accepted,
            "cost_bonafide_rejected": settings.cost_bonafide_rejected,
            "cost_inconclusive": settings.cost_inconclusive,
            "prior_spoof": settings.prior_spoof,
        },
        "domain": None,
        "torch": None,
        "members": [],
        "fusion": None,
        "trained_on": trained_on,
        "metrics": figures,
        "recipe": "recipe.json",
    }
    return write_bundle(folder, fields, {"model.onnx": model, "README.md": _card(recipe, figures).encode()})


def measure(scores: Scores, bonafide: NDArray[np.bool_], sources: NDArray[np.str_]) -> dict[str, Any]:
    """The development figures: EER as fractions with 95 % intervals resampled by source, Cllr in bits.

    Cllr is that of llrs cross-fitted by source: each source is calibrated on the others.
    """
    llr = cross_fit(scores, bonafide, sources, Platt.fit)
    real, fake = scores[bonafide], scores[~bonafide]
    pooled = bootstrap(interpolated_eer, real, fake, bonafide_groups=sources[bonafide], spoof_groups=sources[~bonafide])
    within = mean_eer_within_interval(scores, bonafide, sources)
    return {
        "dev_clips": len(scores),
        "dev_pooled_eer": eer(real, fake),
        "dev_pooled_eer_interval": [pooled.low, pooled.high],
        "dev_within_eer": within.value,
        "dev_within_eer_interval": [within.low, within.high],
        "dev_cllr": cllr(llr[bonafide], llr[~bonafide]),
        "dev_min_cllr": min_cllr(real, fake),
    }


def _card(recipe: Recipe, figures: dict[str, Any]) -> str:
    lines = [f"# {recipe.export.name} {recipe.export.version}", "", "Development figures:", ""]
    lines += [f"- {name}: {value}" for name, value in figures.items()]
    return "\n".join(lines) + "\n"
