"""The trainable net that a bundle carries beside its ONNX model, for gradients, attacks and further training."""

from __future__ import annotations

from safetensors import SafetensorError
from safetensors.torch import load

from glottis.bundle import Bundle
from glottis.errors import BundleError, RecipeError
from glottis.nets.contract import Countermeasure
from glottis.nets.registry import NETS, build_net


def torch_net(bundle: Bundle) -> Countermeasure:
    """The net, in evaluation mode. Only registered nets are built: a bundle never names code of its own.

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
        if name not in NETS:
            raise BundleError(f"{bundle.path}: unknown net {name!r}", code="torch", hint=f"one of {', '.join(NETS)}")
        net = build_net(name, settings)
        net.load_state_dict(load(bundle.read(weights)))
    except (KeyError, TypeError, ValueError, RuntimeError, RecipeError, SafetensorError) as error:
        raise BundleError(f"{bundle.path}: torch does not fit the net: {error}", code="torch") from error
    return net.eval()
