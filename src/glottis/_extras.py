"""The only door to optional packages."""

from __future__ import annotations

import importlib
from types import ModuleType

from glottis.errors import MissingExtra


def need(module: str, *, extra: str | None = None) -> ModuleType:
    """Import an optional module, or say what brings it.

    Args:
        module: The module's import name, such as ``torch``.
        extra: The extra of Glottis that installs it, such as ``train``; None for a package by itself.

    Raises:
        MissingExtra: The module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise MissingExtra(
            f"this needs the package {module}, which is not installed",
            hint=f"pip install 'glottis[{extra}]'" if extra else f"pip install {module}",
        ) from error
