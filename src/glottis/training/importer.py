"""Published checkpoints to bundles: which net it is, is told by the names and shapes of its weights."""

from __future__ import annotations

import datetime as dt
import pickle
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

import glottis
from glottis.bundle import Costs, write_bundle
from glottis.errors import BundleError, one_line
from glottis.nets import build_net
from glottis.training.exporter import WEIGHTS, outputs_of, to_onnx, weights_of
from glottis.training.import_fairseq import open_heads, ssl_name, ssl_settings
from glottis.training.import_folder import read_folder
from glottis.training.recipe import lay_over

WINDOW_SAMPLES = 64_600
RATE_HZ = 16_000
PREFIXES = ("module.", "model.", "net.")

State = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class System:
    """A published system.

    Attributes:
        title: What it is called.
        net: A key of `NETS`.
        mark: A weight that only it has.
        settings: What its shapes say of its settings.
        unknown: Settings that no shape tells, with the values between which the user must choose.
        source: Paper and code.
        rename: What our net calls a weight of the checkpoint; None for one that it does without.
    """

    title: str
    net: str
    mark: str
    settings: Callable[[State], dict[str, Any]]
    unknown: Callable[[State], Mapping[str, Sequence[str | int]]]
    source: str
    rename: Callable[[str], str | None] = lambda name: name


def _aasist(state: State) -> dict[str, Any]:
    widths = [state[f"encoder.{i}.0.conv2.weight"].shape[0] for i in range(6)]
    dims = [state["master1"].shape[2], state["out_layer.weight"].shape[1] // 5]
    light = widths[-1] < 32  # noqa: PLR2004 (AASIST-L's last blocks have 24 channels)
    return {
        "widths": widths,
        "dims": dims,
        "ratios": [0.4, 0.5, 0.7] if light else [0.5, 0.7, 0.5],
        "bands": 3 * state["pos_S"].shape[1] + 1,
    }


def _rawgat(state: State) -> dict[str, Any]:
    return {"fusion": "cat"} if state["proj.weight"].shape[1] > 16 else {}  # noqa: PLR2004 (16 features, 32 if joined)


def _rawnet2(state: State) -> dict[str, Any]:
    widths = [state[f"block{i}.0.conv2.weight"].shape[0] for i in range(6)]
    form = {"form": "2019"} if state["first_bn.weight"].shape[0] > 20 else {}  # noqa: PLR2004 (128 filters, or 20)
    return {"widths": widths, "hidden": state["fc1_gru.weight"].shape[0], **form}


def _lcnn(state: State) -> dict[str, Any]:
    bins = len(state["m_frontend.0.lfcc_fb"])
    return {"n_fft": 1024, "bins": 256} if bins == 256 else {}  # noqa: PLR2004 (up to 4 kHz, or all of 512)


def _lcnn_name(name: str) -> str | None:
    if name.startswith(("m_frontend.", "input_", "output_")):
        return None  # tables that are made anew, and statistics that are not used
    for theirs, ours in (("m_transform.0.", "transform."), ("m_output_act.0.", "output.linear.")):
        name = name.replace(theirs, ours, 1) if name.startswith(theirs) else name
    return re.sub(r"^m_before_pooling\.0\.(\d)\.l_blstm\.", r"lstms.\1.", name)


SYSTEMS = (
    System(
        "SSL-AASIST",
        "ssl",
        "first_bn1.weight",
        partial(ssl_settings, back="aasist"),
        open_heads,
        "Tak et al., 2022; TakHemlata/SSL_Anti-spoofing",
        partial(ssl_name, last="out_layer"),
    ),
    System(
        "SLS",
        "ssl",
        "fc0.weight",
        partial(ssl_settings, back="layers", form="sls"),
        open_heads,
        "Zhang et al., 2024; QiShanZhang/SLSforASVspoof-2021-DF",
        partial(ssl_name, last="fc3", form="sls"),
    ),
    System(
        "LFCC-LCNN",
        "lcnn",
        "m_before_pooling.0.0.l_blstm.weight_ih_l0",
        _lcnn,
        lambda _: {},
        "Wang and Yamagishi, 2021; the baselines of ASVspoof 2021",
        _lcnn_name,
    ),
    System(
        "AASIST",
        "aasist",
        "HtrgGAT_layer_ST11.att_weight11",
        _aasist,
        lambda _: {},
        "Jung et al., 2022; clovaai/aasist",
    ),
    System(
        "RawGAT-ST",
        "rawgat_st",
        "encoder1.0.0.conv_1.weight",
        _rawgat,
        lambda state: {} if _rawgat(state) else {"fusion": ("mul", "add")},
        "Tak et al., 2021; eurecom-asp/RawGAT-ST-antispoofing",
    ),
    System(
        "RawNet2",
        "rawnet2",
        "fc_attention5.0.weight",
        _rawnet2,
        lambda state: {} if "form" in _rawnet2(state) else {"form": ("2021", "asvspoof5")},
        "Tak et al., 2021; the baselines of ASVspoof 2021 and 5",
    ),
)

SPEECH_ENCODER = System("A fine-tuned speech encoder", "ssl", "", lambda _: {}, lambda _: {}, "its Hugging Face folder")


def import_checkpoint(file: Path, output: Path, settings: Mapping[str, Any], *, name: str, licence: str) -> Path:
    """Write a bundle, uncalibrated, that scores as the published code does.

    Every window is scored, speech or not, and the first one decides, as published.

    Args:
        file: A state dict: ``.pth`` or ``.pt`` (read as weights only, never as code), or ``.safetensors``; or a Hugging
            Face folder of audio classification.
        output: The bundle's folder.
        settings: Of the net, over those that the shapes tell.
        name: The bundle's.
        licence: Of the weights.

    Returns:
        The folder.

    Raises:
        BundleError: The file is no state dict (``checkpoint``), of no known system (``unknown_system``), leaves a
            setting open (``open_setting``), or its weights do not fit (``weights``).
    """
    if file.is_dir():
        args, weights = read_folder(file, settings)
        return _write(SPEECH_ENCODER, file, args, weights, output, name, licence)
    state: State = read_state(file)
    system = next((one for one in SYSTEMS if one.mark in state), None)
    if system is None:
        known = ", ".join(one.title for one in SYSTEMS)
        raise BundleError(
            f"{file}: weights of no known system, first {next(iter(state))!r}",
            code="unknown_system",
            hint=f"known: {known}; a net of your own is trained by a recipe",
        )
    return _write(system, file, _settings(system, file, state, settings), state, output, name, licence)


def _settings(system: System, file: Path, state: State, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the shapes tell, and what the user says; a dot leads into a table: ``config.num_attention_heads``."""
    try:
        args, unknown = system.settings(state), system.unknown(state)
    except (KeyError, IndexError) as error:
        raise BundleError(
            f"{file}: {system.title}, but without the weight {error}", code="weights", hint="is it whole?"
        ) from error
    for setting, values in unknown.items():
        if str(settings.get(setting)) not in map(str, values):
            raise BundleError(
                f"{file}: {system.title}, but its weights do not tell {setting}",
                code="open_setting",
                hint=f"--set {setting}=... one of {', '.join(map(str, values))}",
            )
    for setting, value in settings.items():
        lay_over(args, setting, type(unknown[setting][0])(value) if setting in unknown else value)
    return args


def _write(  # noqa: PLR0917 (all of them decide what is written)
    system: System, file: Path, args: Mapping[str, Any], state: State, output: Path, name: str, licence: str
) -> Path:
    net = build_net(system.net, args)
    names = {ours: theirs for theirs in state if (ours := system.rename(theirs)) is not None}
    _check_weights(system, file, {ours: tuple(value.shape) for ours, value in net.state_dict().items()}, state, names)
    net.load_state_dict({ours: state[theirs] for ours, theirs in names.items()})
    net.eval()
    model = to_onnx(net, WINDOW_SAMPLES)
    files = {"model.onnx": model, WEIGHTS: weights_of(net), "README.md": _card(system, file, args, licence).encode()}
    return write_bundle(output, _fields(system, args, name, licence, outputs_of(net, WINDOW_SAMPLES)), files)


def _check_weights(
    system: System, file: Path, shapes: Mapping[str, tuple[int, ...]], state: State, names: Mapping[str, str]
) -> None:
    """Refuse weights that the net does not have, lacks, or has in another shape, by the checkpoint's own names."""
    wrong = [f"{theirs!r} is unknown" for ours, theirs in names.items() if ours not in shapes]
    wrong += [f"{ours!r} is missing" for ours in shapes if ours not in names]
    for ours, theirs in names.items():
        have = tuple(state[theirs].shape)
        if shapes.get(ours, have) != have:
            wrong.append(f"{theirs!r} has the shape {have}, not {shapes[ours]}")
    if wrong:
        more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""  # noqa: PLR2004 (the first three say enough)
        raise BundleError(
            f"{file}: the weight {', '.join(wrong[:3])}{more}",
            code="weights",
            hint=f"is it {system.title} as published?",
        )


def read_state(file: Path) -> State:
    """The tensors of a checkpoint by name, without the prefixes that wrappers add.

    Raises:
        BundleError: It cannot be read, or holds something else than tensors (``checkpoint``).
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of the pickle's protocol: what it cannot read it refuses
            found = load_file(file) if file.suffix == ".safetensors" else torch.load(file, "cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, SafetensorError, pickle.UnpicklingError) as error:
        said = one_line(error)
        raise BundleError(
            f"{file}: cannot be read as weights: {said}",
            code="checkpoint",
            hint="give a state dict; whole pickled models are refused, since they can run code",
        ) from error
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict) or not found or not all(isinstance(one, Tensor) for one in found.values()):
        raise BundleError(f"{file}: holds no state dict", code="checkpoint", hint="save net.state_dict()")
    prefix = next((one for one in PREFIXES if all(key.startswith(one) for key in found)), "")
    return {key.removeprefix(prefix): value for key, value in found.items()}


def _fields(system: System, args: Mapping[str, Any], name: str, licence: str, outputs: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "version": "1",
        "created": dt.datetime.now(dt.UTC).date().isoformat(),
        "licence": licence,
        "requires": {"glottis": f">={glottis.__version__}"},
        "sample_rate_hz": RATE_HZ,
        "window_samples": WINDOW_SAMPLES,
        "hop_samples": WINDOW_SAMPLES,
        "min_speech_s": 0.0,
        "inputs": "samples",
        "outputs": outputs,
        "aggregate": {"kind": "first"},
        "calibration": None,
        "decision": asdict(Costs()),
        "torch": {"net": system.net, "args": dict(args), "weights": WEIGHTS},
    }


def _card(system: System, file: Path, args: Mapping[str, Any], licence: str) -> str:
    return "\n".join(
        [
            f"# {system.title}, imported from {file.name}",
            "",
            f"Source: {system.source}. Licence of the weights: {licence}.",
            f"Net `{system.net}` with {dict(args)}.",
            "",
            f"The score is the published code's, on the first {WINDOW_SAMPLES} samples; higher is more bona fide.",
            "It is not calibrated: verdicts are `inconclusive` until `glottis calibrate` has fitted it to speech like",
            "yours. Trained on one corpus, such systems often do no better than chance elsewhere.",
            "",
        ]
    )
