"""Everything that Glottis raises on purpose.

GlottisError
├── InputError      a recording that cannot be read or scanned
├── BundleError     a detector that does not fit its manifest
├── CorpusError     a trial list, a protocol or a score file that does not fit
├── CoverageError   too few trials have a score
├── RecipeError     a recipe with an unknown key or an impossible value
├── ConfigError     a setting or an argument that cannot be used
├── MissingExtra    an optional package that is not installed
└── ServiceError    a service that cannot be reached or refuses

Each carries a `code` (stable, for programs), a `message` (what was wrong) and a `hint` (what to do).
"""

from __future__ import annotations


class GlottisError(Exception):
    """The base of all errors of Glottis.

    Args:
        message: What was wrong, with the value that was met.
        code: A stable word for programs, such as ``undecodable``.
        hint: What to do about it; may be empty.
    """

    default_code = "error"

    def __init__(self, message: str, *, code: str | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.code, self.hint)

    def to_dict(self) -> dict[str, str]:
        """The error as it stands in a JSON line: ``code``, ``message``, ``hint``."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


def _rebuild(kind: type[GlottisError], message: str, code: str, hint: str) -> GlottisError:
    return kind(message, code=code, hint=hint)


class InputError(GlottisError):
    """A recording cannot be read, decoded or scanned."""

    default_code = "input"


class BundleError(GlottisError):
    """A bundle is missing, damaged, or does not fit its manifest."""

    default_code = "bundle"


class CorpusError(GlottisError):
    """A trial list, a protocol or a score file does not fit."""

    default_code = "corpus"


class CoverageError(GlottisError):
    """Fewer trials have a score than was asked for."""

    default_code = "coverage"


class RecipeError(GlottisError):
    """A recipe has an unknown key or an impossible value."""

    default_code = "recipe"


class ConfigError(GlottisError):
    """A setting or an argument cannot be used."""

    default_code = "config"


class MissingExtra(GlottisError):  # noqa: N818  # reads better where it is raised
    """An optional package is needed and not installed."""

    default_code = "missing_extra"


class ServiceError(GlottisError):
    """A service cannot be reached or refuses the request."""

    default_code = "service"


def one_line(error: Exception) -> str:
    """What a foreign error says, on one line of at most 200 characters, to be told in one of ours."""
    return " ".join(str(error).split())[:200]
