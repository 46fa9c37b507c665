"""The library of pre-trained encoders."""

from __future__ import annotations

from types import ModuleType

from glottis._extras import need


def need_transformers() -> ModuleType:
    """`transformers` without its own bars: Glottis has one.

    Raises:
        MissingExtra: It is not installed (extra ``ssl``).
    """
    transformers = need("transformers", extra="ssl")
    transformers.utils.logging.disable_progress_bar()
    return transformers
