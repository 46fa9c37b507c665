"""The nets that a recipe may name, one entry each, and the way to build them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from glottis.errors import RecipeError
from glottis.nets.spectral_resnet import SpectralResNet

NETS: dict[str, Callable[..., nn.Module]] = {
    "spectral_resnet": SpectralResNet,
}


def build_net(name: str, args: Mapping[str, Any]) -> nn.Module:
    """Build a registered net, or a local one named ``package.module:factory``.

    Args:
        name: A key of `NETS`, or the place of a factory of one's own.
        args: The factory's keyword arguments; unknown ones are refused.

    Raises:
        RecipeError: The net is unknown, or does not take these arguments.
    """
    factory = _find(name)
    known = inspect.signature(factory).parameters
    unknown = sorted(set(args) - set(known))
    if unknown:
        raise RecipeError(f"net {name} has no setting {unknown[0]!r}", hint=f"it has: {', '.join(sorted(known))}")
    return factory(**args)


def _find(name: str) -> Callable[..., nn.Module]:
    if name in NETS:
        return NETS[name]
    module, _, attribute = name.partition(":")
    if not attribute:
        raise RecipeError(f"unknown net {name!r}", hint=f"one of {', '.join(sorted(NETS))}, or package.module:factory")
    try:
        factory: Callable[..., nn.Module] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise RecipeError(f"net {name!r} cannot be imported: {error}", hint="is its package installed?") from error
    return factory
