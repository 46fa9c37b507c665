"""What every transform is: frozen parameters that survive JSON, and a pure function of samples."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

from glottis.errors import RecipeError
from glottis.verdict import Samples

SEED_BOUND = 2**31
"""Drawn seeds lie under it, so that they are exact in any JSON reader."""


@dataclass(frozen=True)
class Transform:
    """The base of the transforms. A subclass is a frozen dataclass of JSON-able parameters.

    A transform knows nothing of labels. The same parameters on the same samples give the same bytes.
    """

    kind: ClassVar[str] = ""

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        """The transformed samples.

        Args:
            samples: Shape ``(n,)``, float32; never written to.
            sample_rate_hz: Their rate.

        Returns:
            A new array of shape ``(n,)``, float32. It is not clipped.
        """
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """The kind and the parameters, ready for `json.dumps`."""
        return {"kind": self.kind, **asdict(self)}

    @classmethod
    def from_json(cls, parameters: dict[str, Any]) -> Self:
        """The transform from what `to_json` gave (without or with its ``kind``).

        Raises:
            RecipeError: A parameter is unknown or missing.
        """
        given = {name: _tuples(value) for name, value in parameters.items() if name != "kind"}
        known = {field.name for field in fields(cls)}
        if given.keys() != known:
            raise RecipeError(
                f"transform {cls.kind!r} has parameters {sorted(given)}",
                code="transform_parameters",
                hint=f"it takes {sorted(known)}",
            )
        return cls(**given)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
