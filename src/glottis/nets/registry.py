"""The nets that a recipe may name, one entry each, and the way to build them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from glottis.errors import RecipeError, one_line
from glottis.nets.aasist import AASIST
from glottis.nets.cepstral_attention import CepstralAttention
from glottis.nets.conformer import Conformer
from glottis.nets.contract import Countermeasure
from glottis.nets.gmm import GMM
from glottis.nets.hybrid import Hybrid
from glottis.nets.lcnn import LCNN
from glottis.nets.mobile import Mobile
from glottis.nets.rawgat_st import RawGATST
from glottis.nets.rawnet2 import RawNet2
from glottis.nets.se_resnet import SEResNet
from glottis.nets.specrnet import SpecRNet
from glottis.nets.spectral_resnet import SpectralResNet
from glottis.nets.ssl import SSLNet

NETS: dict[str, Callable[..., Countermeasure]] = {
    "aasist": AASIST,
    "cepstral_attention": CepstralAttention,
    "conformer": Conformer,
    "gmm": GMM,
    "hybrid": Hybrid,
    "lcnn": LCNN,
    "mobile": Mobile,
    "rawgat_st": RawGATST,
    "rawnet2": RawNet2,
    "se_resnet": SEResNet,
    "specrnet": SpecRNet,
    "spectral_resnet": SpectralResNet,
    "ssl": SSLNet,
}


def build_net(name: str, args: Mapping[str, Any]) -> Countermeasure:
    """Build a registered net, or a local one named ``package.module:factory``.

    Args:
        name: A key of `NETS`, or the place of a factory of one's own.
        args: The factory's keyword arguments; unknown ones are refused.

    Raises:
        RecipeError: The net is unknown, or does not take these arguments or their values.
    """
    factory = _find(name)
    known = inspect.signature(factory).parameters
    unknown = sorted(set(args) - set(known))
    if unknown:
        raise RecipeError(f"net {name} has no setting {unknown[0]!r}", hint=f"it has: {', '.join(sorted(known))}")
    try:
        return factory(**args)
    except (TypeError, ValueError, RuntimeError, ArithmeticError) as error:  # what torch says of impossible sizes
        said = one_line(error)
        raise RecipeError(f"net {name} cannot be built: {said}", hint="see its settings") from error


def _find(name: str) -> Callable[..., Countermeasure]:
    if name in NETS:
        return NETS[name]
    module, _, attribute = name.partition(":")
    if not attribute:
        raise RecipeError(f"unknown net {name!r}", hint=f"one of {', '.join(sorted(NETS))}, or package.module:factory")
    try:
        factory: Callable[..., Countermeasure] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise RecipeError(f"net {name!r} cannot be imported: {error}", hint="is its package installed?") from error
    return factory
