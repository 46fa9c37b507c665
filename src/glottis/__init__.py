"""Was this voice spoken by a person, or made by a machine?"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from glottis.detector import Detector, scan
    from glottis.errors import (
        BundleError,
        ConfigError,
        CorpusError,
        CoverageError,
        GlottisError,
        InputError,
        MissingExtra,
        RecipeError,
        ServiceError,
    )
    from glottis.verdict import Failed, Verdict, Window

_HOMES = {
    "scan": "detector",
    "Detector": "detector",
    "Verdict": "verdict",
    "Window": "verdict",
    "Failed": "verdict",
    "GlottisError": "errors",
    "InputError": "errors",
    "BundleError": "errors",
    "CorpusError": "errors",
    "CoverageError": "errors",
    "RecipeError": "errors",
    "ConfigError": "errors",
    "MissingExtra": "errors",
    "ServiceError": "errors",
}

__all__ = [
    "BundleError",
    "ConfigError",
    "CorpusError",
    "CoverageError",
    "Detector",
    "Failed",
    "GlottisError",
    "InputError",
    "MissingExtra",
    "RecipeError",
    "ServiceError",
    "Verdict",
    "Window",
    "__version__",
    "scan",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'glottis' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"glottis.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
