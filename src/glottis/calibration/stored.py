"""Calibrations as JSON."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import ArrayLike

from glottis.calibration.by_fact import ByBandwidth, ByDuration
from glottis.calibration.isotonic import Isotonic
from glottis.calibration.platt import Platt
from glottis.calibration.regression import Floats
from glottis.errors import BundleError


class Calibrator(Protocol):
    """Scores in, llrs out."""

    @property
    def needs(self) -> str | None:
        """The fact of a recording without which it cannot be applied: ``speech_s``, ``bandwidth_hz`` or None."""
        ...

    def apply(self, scores: ArrayLike, fact: ArrayLike | None = None) -> Floats:
        """The llr of each score, in nats, same shape as `scores`; `fact` is what it needs, one for each."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The calibrator as JSON; `from_json` reads it back."""
        ...


def from_json(stored: dict[str, Any]) -> Calibrator:
    """The calibrator that `to_json` wrote.

    Raises:
        BundleError: An unknown kind, a missing field, or values that are no calibration; the message names the field.
    """
    if not isinstance(stored, dict):
        raise BundleError(f"calibration is {type(stored).__name__}, not an object", code="bad_calibration")
    kind = stored.get("kind")
    if kind == Platt.kind:
        return Platt(_number(stored, "scale"), _number(stored, "offset"))
    if kind == Isotonic.kind:
        return Isotonic(_numbers(stored, "scores"), _numbers(stored, "llrs"))
    for by_fact in (ByDuration, ByBandwidth):
        if kind == by_fact.kind:
            names = (by_fact.knots_name, "scales", "offsets")
            return by_fact(*(_numbers(stored, name) for name in names))
    raise BundleError(
        f"unknown kind of calibration {kind!r}",
        code="bad_calibration",
        hint="platt, isotonic, by_duration or by_bandwidth",
    )


def _number(stored: dict[str, Any], name: str) -> float:
    value = stored.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BundleError(f"calibration field {name!r} is {value!r}, not a number", code="bad_calibration")
    return float(value)


def _numbers(stored: dict[str, Any], name: str) -> tuple[float, ...]:
    values = stored.get(name)
    if not isinstance(values, list):
        raise BundleError(f"calibration field {name!r} is not a list of numbers", code="bad_calibration")
    return tuple(_number({name: value}, name) for value in values)
