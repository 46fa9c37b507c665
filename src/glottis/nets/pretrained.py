"""The library of pre-trained encoders, and how it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from glottis._extras import need
from glottis.errors import RecipeError, one_line


def need_transformers() -> ModuleType:
    """`transformers` without its own bars: Glottis has one.

    Raises:
        MissingExtra: It is not installed (extra ``ssl``).
    """
    transformers = need("transformers", extra="ssl")
    transformers.utils.logging.disable_progress_bar()
    return transformers


@contextmanager
def refusing(what: str, hint: str) -> Iterator[None]:
    """Around the making of a model from settings or files that a user gave.

    Raises:
        RecipeError: The library made none.
    """
    try:
        yield
    except Exception as error:  # each of its versions has kinds of its own
        raise RecipeError(f"{what}: {one_line(error)}", hint=hint) from error
