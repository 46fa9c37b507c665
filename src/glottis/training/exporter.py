"""From a trained net to a bundle: ONNX, parity with torch, aggregate and calibration by the detector itself."""

from __future__ import annotations

import datetime as dt
import io
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import nn

import glottis
from glottis.bundle import Bundle, open_bundle, write_bundle
from glottis.bundle.store import README
from glottis.corpora import Trial
from glottis.errors import BundleError, RecipeError
from glottis.metrics import bootstrap, cllr, eer, interpolated_eer, mean_eer_within_interval, min_cllr
from glottis.nets.contract import Countermeasure
from glottis.training.calibrate import Scored, choose_aggregate, cross_fitted, fit_calibrations, score_development
from glottis.training.card import model_card
from glottis.training.graft import graft
from glottis.training.recipe import Recipe
from glottis.verdict import Label, Samples

PARITY = 1e-4
"""Largest difference allowed between torch and ONNX, relative to scores of about 1."""

BATCHES = (1, 3)
"""Where an export must agree; its example is a batch of 2."""

OPSET = 17

SPEECH = "speech"
OUTPUTS = ("score", "embedding", SPEECH)
MODEL, WEIGHTS = "model.onnx", "model.safetensors"


def to_onnx(net: nn.Module, window_samples: int, opset: int = OPSET) -> bytes:
    """Export a net ``samples -> (score, embedding[, speech])`` with a dynamic batch, and prove that ONNX agrees.

    The TorchScript exporter is used: it takes a second where the newer one takes half a minute, and needs no
    further package.

    Raises:
        BundleError: ONNX Runtime and torch differ by more than `PARITY` at one of `BATCHES`.
    """
    net = net.eval().cpu()
    example = torch.zeros(2, window_samples)
    out = io.BytesIO()
    names = outputs_of(net, window_samples)
    axes = {name: {0: "batch"} for name in ["samples", *names]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the tracer warns of, a batch size that is fixed above all, is proved
        torch.onnx.export(
            net,
            (example,),
            out,  # type: ignore[arg-type]  # its stub forgets buffers
            input_names=["samples"],
            output_names=names,
            dynamic_axes=axes,
            opset_version=opset,
            dynamo=False,
        )
    model = out.getvalue()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    prove(net, lambda samples: session.run(["score"], {"samples": samples})[0], window_samples, PARITY, "ONNX")
    return model


def weights_of(net: nn.Module) -> bytes:
    """The net's weights as safetensors."""
    return save({name: value.contiguous() for name, value in net.state_dict().items()})


@torch.inference_mode()
def outputs_of(net: nn.Module, window_samples: int) -> list[str]:
    """The names of what the net gives."""
    return list(OUTPUTS[: len(net(torch.zeros(1, window_samples)))])


def prove(
    net: nn.Module, score_of: Callable[[Samples], NDArray[Any]], window_samples: int, most: float, what: str
) -> None:
    """Refuse an export whose scores are not the net's.

    Args:
        net: In evaluation mode.
        score_of: The export: samples ``(batch, window_samples)`` to scores ``(batch,)``.
        window_samples: The length of a window.
        most: The largest difference, relative to scores of about 1.
        what: What errors call the export.

    Raises:
        BundleError: ``parity``: they differ by more at one of `BATCHES`.
    """
    rng = np.random.default_rng(0)
    for batch in BATCHES:
        samples = rng.normal(0, 0.1, (batch, window_samples)).astype(np.float32)
        with torch.inference_mode():
            expected = net(torch.from_numpy(samples))[0].numpy()
        difference = float(np.abs(score_of(samples) - expected).max() / max(1.0, float(np.abs(expected).max())))
        if not difference <= most:
            raise BundleError(
                f"{what} and torch differ by {difference:.2g} at batch {batch}, more than {most}", code="parity"
            )


def export_bundle(
    net: nn.Module,
    folder: Path,
    *,
    trainable: nn.Module,
    root: Path,
    trials: Sequence[Trial],
    recipe: Recipe,
    trained_on: list[str],
) -> Path:
    """Write the bundle, twice: first as it scores, then with what its scores on the development clips teach.

    Args:
        net: The net that is exported.
        folder: Where the bundle goes.
        trainable: What of it the recipe's net is; its weights go with the bundle.
        root: Where the development clips lie.
        trials: The development clips.
        recipe: What it was trained by.
        trained_on: Names of the corpora.

    Raises:
        RecipeError: ``export.speech_of`` does not fit; see `speech_donor`.
    """
    window = round(recipe.export.window_s * recipe.sample_rate_hz)
    files, outputs = _files(net, trainable, window, recipe), outputs_of(net, window)
    if donor := speech_donor(recipe):
        files[MODEL] = graft(files[MODEL], donor.read(MODEL), SPEECH)
        outputs.append(SPEECH)
    fields = _fields(recipe, trainable, outputs, trained_on)
    write_bundle(folder, fields, files)
    scored = score_development(folder, root, trials, threads=recipe.schedule.threads)
    how = choose_aggregate(scored)
    figures = measure(scored, how)
    fields |= {"aggregate": dict(how), "calibration": fit_calibrations(scored, how), "metrics": figures}
    card = model_card(recipe, figures, how, trained_on)
    return write_bundle(folder, fields, {**files, README: card.encode()})


def export_run(net: nn.Module, recipe: Recipe, folder: Path) -> Path:
    """Write a bundle of a run's net, uncalibrated and without a speech output: no clip is heard for it.

    Args:
        net: The run's.
        recipe: The run's.
        folder: Where the bundle goes.
    """
    window = round(recipe.export.window_s * recipe.sample_rate_hz)
    title = f"# {recipe.export.name} {recipe.export.version}\n\nNet `{recipe.net['name']}`, not calibrated.\n"
    files = {**_files(net, net, window, recipe), README: title.encode()}
    return write_bundle(folder, _fields(recipe, net, outputs_of(net, window), corpora_of(recipe)), files)


def speech_donor(recipe: Recipe) -> Bundle | None:
    """The bundle of ``export.speech_of``, if the recipe names one.

    Raises:
        RecipeError: It has no ``speech`` output, or other windows.
        BundleError: There is no such bundle.
    """
    if not recipe.export.speech_of:
        return None
    bundle = open_bundle(recipe.export.speech_of)
    bundle.check_single()
    have, hears = bundle.manifest, round(recipe.export.window_s * recipe.sample_rate_hz)
    if SPEECH not in have.outputs:
        raise RecipeError(f"export.speech_of {bundle.path} has no {SPEECH} output", hint="fit one: export.no_speech")
    if (have.sample_rate_hz, have.window_samples) != (recipe.sample_rate_hz, hears):
        raise RecipeError(
            f"export.speech_of {bundle.path} hears {have.window_samples} samples at {have.sample_rate_hz} Hz, "
            f"the recipe's windows have {hears} at {recipe.sample_rate_hz} Hz",
            hint="leave export.speech_of empty, or fit an output: export.no_speech",
        )
    return bundle


def _files(net: nn.Module, trainable: nn.Module, window_samples: int, recipe: Recipe) -> dict[str, bytes]:
    return {
        MODEL: to_onnx(net, window_samples),
        "recipe.json": json.dumps(recipe.to_dict(), indent=1).encode(),
        WEIGHTS: weights_of(trainable),
    }


def corpora_of(recipe: Recipe) -> list[str]:
    """The names of the corpora that a recipe trains on: of the folders of their tables."""
    return [Path(table).parent.name for table in recipe.data.train]


def _fields(recipe: Recipe, net: nn.Module, outputs: list[str], trained_on: list[str]) -> dict[str, Any]:
    settings = recipe.export
    return {
        "name": settings.name,
        "version": settings.version,
        "created": dt.datetime.now(dt.UTC).date().isoformat(),
        "licence": settings.licence,
        "requires": {"glottis": f">={glottis.__version__}"},
        "sample_rate_hz": recipe.sample_rate_hz,
        "window_samples": round(settings.window_s * recipe.sample_rate_hz),
        "hop_samples": round(settings.hop_s * recipe.sample_rate_hz),
        "min_speech_s": settings.min_speech_s,
        "inputs": "samples",
        "outputs": outputs,
        "aggregate": {"kind": "mean"},
        "calibration": None,
        "decision": {
            "cost_spoof_accepted": settings.cost_spoof_accepted,
            "cost_bonafide_rejected": settings.cost_bonafide_rejected,
            "cost_inconclusive": settings.cost_inconclusive,
            "prior_spoof": settings.prior_spoof,
        },
        "trained_on": trained_on,
        "recipe": "recipe.json",
        "torch": {
            "net": recipe.net["name"],
            "args": cast("Countermeasure", net).portable(recipe.net_args),
            "weights": WEIGHTS,
        },
    }


def measure(recordings: Sequence[Scored], how: Mapping[str, Any]) -> dict[str, Any]:
    """The figures on the clips: EER as fractions with 95 % intervals resampled by source, Cllr in bits.

    Cllr is that of llrs cross-fitted by source: each source is calibrated on the others.
    """
    llr = cross_fitted(recordings, how)
    clips = np.array([one.length_s == 0 for one in recordings])
    chosen = [one for one in recordings if one.length_s == 0]
    llr = llr[clips]
    scores = np.array([one.scores.mean() for one in chosen])
    bonafide: NDArray[np.bool_] = np.array([one.label == Label.BONAFIDE for one in chosen])
    sources = np.array([one.source for one in chosen])
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
