"""The trainable net that a bundle carries beside its ONNX model, for gradients, attacks and further training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load

from glottis.bundle import Bundle
from glottis.errors import BundleError, RecipeError
from glottis.nets.contract import Countermeasure
from glottis.nets.registry import NETS, build_net


def torch_net(bundle: Bundle) -> Countermeasure:
    """The net, in evaluation mode. Only registered nets are built: a bundle names neither code nor files of its own.

    Raises:
        BundleError: ``no_torch``: the bundle has none; ``ensemble``: it has several; ``torch``: it cannot be built from
            what the bundle says.
    """
    bundle.check_single()
    part = bundle.manifest.torch
    if part is None:
        raise BundleError(
            f"{bundle.path}: holds no trainable net",
            code="no_torch",
            hint="glottis train and glottis import write one beside the model; to explain without: --method occlusion",
        )
    try:
        name, settings, weights = part["net"], part.get("args", {}), part["weights"]
        for one, own in _nets(name, settings):
            if one not in NETS:
                raise BundleError(f"{bundle.path}: unknown net {one!r}", code="torch", hint=f"one of {', '.join(NETS)}")
            if own.get("checkpoint"):
                raise BundleError(
                    f"{bundle.path}: its net needs the folder {own['checkpoint']}", code="torch", hint="export it again"
                )
        net = build_net(name, settings)
        net.load_state_dict(load(bundle.read(weights)))
    except (KeyError, TypeError, AttributeError, ValueError, RuntimeError, RecipeError, SafetensorError) as error:
        raise BundleError(f"{bundle.path}: torch does not fit the net: {error}", code="torch") from error
    return net.eval()


def _nets(name: Any, settings: Mapping[str, Any]) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """A net and the nets that it is made of, with their settings."""
    yield name, settings
    for part in settings.get("parts") or ():
        yield from _nets(part["name"], part)
