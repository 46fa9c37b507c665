"""A Hugging Face `AudioClassification` folder to the parts of a bundle: config.json and model.safetensors, no code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from glottis.bundle.manifest import MANIFEST
from glottis.errors import BundleError
from glottis.nets.ssl import CONFIG, ENCODERS, WHISPER

SPOOF = ("fake", "spoof", "deepfake", "synthetic", "ai", "generated")
BONAFIDE = ("real", "bonafide", "bona-fide", "genuine", "human")


def read_folder(folder: Path, settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The settings of `glottis.nets.ssl.SSLNet` and its weights, the bona fide logit last.

    Args:
        folder: With ``config.json``, ``model.safetensors`` and, if it is there, ``preprocessor_config.json``.
        settings: ``bonafide``, the number of the bona fide label, where the labels' names do not tell.

    Raises:
        BundleError: A file is missing or cannot be read (``checkpoint``), the model is of no known family or has other
            than two labels (``unknown_system``), or which one is bona fide is not known (``open_setting``).
    """
    if (folder / MANIFEST).exists():
        raise BundleError(
            f"{folder}: is a bundle already", code="checkpoint", hint=f"use it as it is: --model {folder}"
        )
    config = _json(folder / "config.json")
    kind = str(config.get("model_type"))
    known = [one for one in ENCODERS if one != WHISPER]
    if kind not in known:
        why = "; classifiers on Whisper hear 30 s, mostly padding" if kind == WHISPER else ""
        hint = f"known: {', '.join(known)}{why}"
        raise BundleError(f"{folder}: model_type {kind!r}", code="unknown_system", hint=hint)
    try:
        state = load_file(folder / "model.safetensors")
    except (OSError, SafetensorError) as error:
        raise BundleError(
            f"{folder}/model.safetensors: {error}", code="checkpoint", hint="pytorch_model.bin is not read"
        ) from error
    prefix = f"{kind}."
    if "classifier.weight" not in state or len(state["classifier.weight"]) != 2:  # noqa: PLR2004 (spoof and bona fide)
        raise BundleError(f"{folder}: no classifier of two labels", code="unknown_system", hint="fine-tune it first")
    order = [1, 0] if _bonafide_label(folder, config, settings) == 0 else [0, 1]
    renamed = {"projector.": "back.projector.", "classifier.": "output.linear.", prefix: "ssl."}
    weights = {}
    for name, value in state.items():
        new = next((name.replace(old, wanted, 1) for old, wanted in renamed.items() if name.startswith(old)), name)
        weights[new] = value[order] if name.startswith("classifier.") else value
    before = _json(folder / "preprocessor_config.json") if (folder / "preprocessor_config.json").exists() else {}
    args = {
        "encoder": kind,
        "config": {name: config[name] for name in CONFIG if name in config},
        "mix": "layer_weights" in state,
        "back_width": len(state["projector.weight"]),
        "normalise": bool(before.get("do_normalize", True)),
    }
    return args, weights


def _bonafide_label(folder: Path, config: Mapping[str, Any], settings: Mapping[str, Any]) -> int:
    if "bonafide" in settings:
        return int(settings["bonafide"])
    names = {int(number): str(name).lower().replace("_", "-") for number, name in config.get("id2label", {}).items()}
    real = [number for number, name in names.items() if name in BONAFIDE]
    fake = [number for number, name in names.items() if name in SPOOF]
    if len(real) != 1 or len(fake) != 1:
        raise BundleError(
            f"{folder}: its labels {', '.join(names.values()) or 'have no names and'} do not tell which is bona fide",
            code="open_setting",
            hint="--set bonafide=0 or --set bonafide=1; try it on a recording that you know",
        )
    return real[0]


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(f"{file}: {error}", code="checkpoint", hint="give the folder of a model") from error
    if not isinstance(found, dict):
        raise BundleError(f"{file}: no object", code="checkpoint", hint="give the folder of a model")
    return found
