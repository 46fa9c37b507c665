"""Which transforms a clip meets, how often, and in which order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from glottis.augment.band_limit import BandLimit, draw_band_limit
from glottis.augment.codec import FORMATS, Codec, draw_codec
from glottis.augment.equaliser import Equaliser, draw_equaliser
from glottis.augment.gain import Gain, draw_gain
from glottis.augment.noise import Noise, draw_noise
from glottis.augment.room import Room, draw_room
from glottis.augment.transform import Transform
from glottis.errors import RecipeError
from glottis.verdict import Samples

TRANSFORMS: dict[str, type[Transform]] = {
    transform.kind: transform for transform in (Room, Noise, Equaliser, BandLimit, Gain, Codec)
}
"""Every transform by its kind, in the order in which sound meets them."""

DRAWS: dict[str, Callable[[np.random.Generator], Transform]] = {
    "room": draw_room,
    "noise": draw_noise,
    "equaliser": draw_equaliser,
    "band_limit": draw_band_limit,
    "gain": draw_gain,
    "codec": draw_codec,
}
"""The same kinds, drawn with their default ranges."""


@dataclass(frozen=True)
class Chain:
    """How often each transform is drawn, and from which ranges: the recipe's ``augment`` table.

    Attributes:
        room: Probability of a room, 0 to 1; the next five likewise.
        noise: Of noise.
        equaliser: Of an equaliser.
        band_limit: Of a band limit.
        gain: Of a gain.
        codec: Of a codec.
        recode: Of a second codec after the first, given the first.
        room_longest_rt60_s: The longest reverberation.
        noise_snr_db: The lowest and the highest ratio of signal to noise.
        equaliser_deviation_db: Standard deviation of the equaliser's gains.
        gain_db: The lowest and the highest gain.
        codecs: The codecs to draw from.
    """

    room: float = 0.2
    noise: float = 0.4
    equaliser: float = 0.4
    band_limit: float = 0.25
    gain: float = 0.8
    codec: float = 0.4
    recode: float = 0.1
    room_longest_rt60_s: float = 0.9
    noise_snr_db: tuple[float, float] = (5.0, 40.0)
    equaliser_deviation_db: float = 4.0
    gain_db: tuple[float, float] = (-18.0, 6.0)
    codecs: tuple[str, ...] = tuple(FORMATS)

    def __post_init__(self) -> None:
        for name in (*TRANSFORMS, "recode"):
            chance = getattr(self, name)
            if not _is_number(chance) or not 0.0 <= chance <= 1.0:
                raise _refused(name, chance, "a probability, 0 to 1")
        for name in ("noise_snr_db", "gain_db"):
            _check_range(name, getattr(self, name))
        if not _is_number(self.room_longest_rt60_s) or not 0.12 <= self.room_longest_rt60_s <= 10.0:  # noqa: PLR2004
            raise _refused("room_longest_rt60_s", self.room_longest_rt60_s, "seconds, 0.12 to 10")
        if not _is_number(self.equaliser_deviation_db) or not self.equaliser_deviation_db >= 0.0:
            raise _refused("equaliser_deviation_db", self.equaliser_deviation_db, "decibels, 0 or more")
        if not isinstance(self.codecs, tuple) or not self.codecs or not all(map(_is_codec, self.codecs)):
            raise _refused("codecs", self.codecs, f"some of {', '.join(FORMATS)}")

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Self:
        """The chain of a recipe's table; what is not named keeps its default.

        Raises:
            RecipeError: A key is unknown or a value is impossible.
        """
        known = [field.name for field in fields(cls)]
        for name in settings:
            if name not in known:
                raise RecipeError(
                    f"unknown key augment.{name}", code="unknown_key", hint=f"augment takes {', '.join(known)}"
                )
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()
        }
        return cls(**values)

    @classmethod
    def never(cls) -> Self:
        """The chain that draws nothing."""
        return cls.from_dict(dict.fromkeys(TRANSFORMS, 0.0))

    def to_dict(self) -> dict[str, Any]:
        """All settings, ready for JSON or TOML."""
        have = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in have.items()}

    def draw(self, rng: np.random.Generator) -> tuple[Transform, ...]:
        """The transforms that one clip meets, in order; often none."""
        drawn: list[Transform] = []
        if rng.random() < self.room:
            drawn.append(draw_room(rng, longest_rt60_s=self.room_longest_rt60_s))
        if rng.random() < self.noise:
            drawn.append(draw_noise(rng, low_db=self.noise_snr_db[0], high_db=self.noise_snr_db[1]))
        if rng.random() < self.equaliser:
            drawn.append(draw_equaliser(rng, deviation_db=self.equaliser_deviation_db))
        if rng.random() < self.band_limit:
            drawn.append(draw_band_limit(rng))
        if rng.random() < self.gain:
            drawn.append(draw_gain(rng, low_db=self.gain_db[0], high_db=self.gain_db[1]))
        if rng.random() < self.codec:
            drawn.append(draw_codec(rng, names=self.codecs))
            if rng.random() < self.recode:
                drawn.append(draw_codec(rng, names=self.codecs))
        return tuple(drawn)


def apply(transforms: Iterable[Transform], samples: Samples, sample_rate_hz: int) -> Samples:
    """The samples through the transforms, one after another.

    Args:
        transforms: What `Chain.draw` or `from_json` gave.
        samples: Shape ``(n,)``, float32; never written to.
        sample_rate_hz: Their rate.

    Returns:
        A new array of shape ``(n,)``, float32, not clipped.
    """
    changed = samples.copy()
    for transform in transforms:
        changed = transform.apply(changed, sample_rate_hz)
    return changed


def to_json(transforms: Iterable[Transform]) -> list[dict[str, Any]]:
    """Drawn transforms as a list that `json.dumps` takes."""
    return [transform.to_json() for transform in transforms]


def from_json(drawn: Sequence[Mapping[str, Any]]) -> tuple[Transform, ...]:
    """The transforms from what `to_json` gave.

    Raises:
        RecipeError: A kind or a parameter is unknown.
    """
    return tuple(_one_from_json(dict(parameters)) for parameters in drawn)


def _one_from_json(parameters: dict[str, Any]) -> Transform:
    kind = parameters.get("kind")
    if not isinstance(kind, str) or kind not in TRANSFORMS:
        raise RecipeError(f"unknown transform {kind!r}", code="transform", hint=f"one of {', '.join(TRANSFORMS)}")
    return TRANSFORMS[kind].from_json(parameters)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_codec(value: Any) -> bool:
    return isinstance(value, str) and value in FORMATS


def _check_range(name: str, value: Any) -> None:
    pair = tuple(value) if isinstance(value, tuple | list) else ()
    if len(pair) != 2 or not all(map(_is_number, pair)) or not pair[0] <= pair[1]:  # noqa: PLR2004
        raise _refused(name, value, "a low and a high number")


def _refused(name: str, value: Any, wanted: str) -> RecipeError:
    return RecipeError(f"augment.{name} is {value!r}", code="impossible_value", hint=f"it must be {wanted}")
