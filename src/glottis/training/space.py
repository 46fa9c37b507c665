"""What a sweep tries: for some keys of a recipe, listed values or a range."""

from __future__ import annotations

import itertools
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glottis.errors import RecipeError
from glottis.training.recipe import read_recipe

if TYPE_CHECKING:
    import optuna

_RANGE = re.compile(r"(log:)?([-+]?\w[\w.+-]*?)\.\.([-+]?\w[\w.+-]*)")


@dataclass(frozen=True, slots=True)
class Choices:
    """Listed values, of any kind that a recipe has."""

    values: tuple[Any, ...]

    def draw(self, trial: optuna.Trial, key: str) -> Any:
        """The value that the study chooses."""
        return self.read(trial.suggest_categorical(key, [self.stored(value) for value in self.values]))

    @staticmethod
    def stored(value: Any) -> str:
        """A value as the study keeps it, which knows no lists."""
        return json.dumps(value)

    def read(self, stored: Any) -> Any:
        """The value of what the study keeps."""
        return json.loads(stored)

    def ends(self) -> Sequence[Any]:
        """Values that the recipe must take."""
        return self.values

    def to_json(self) -> Any:
        """As a space file has it."""
        return list(self.values)


@dataclass(frozen=True, slots=True)
class Range:
    """All numbers from `low` to `high`, whole ones if both are; drawn by their logarithms, or as they are."""

    low: float
    high: float
    log: bool

    def draw(self, trial: optuna.Trial, key: str) -> Any:
        """The number that the study chooses."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(key, self.low, self.high, log=self.log)
        return trial.suggest_float(key, self.low, self.high, log=self.log)

    def read(self, stored: Any) -> Any:
        """The value of what the study keeps."""
        return stored

    def ends(self) -> Sequence[Any]:
        """Values that the recipe must take."""
        return self.low, self.high

    def to_json(self) -> Any:
        """As a space file has it."""
        return f"{'log:' if self.log else ''}{self.low}..{self.high}"


Space = Mapping[str, Choices | Range]
"""By the key of the recipe, such as ``optimiser.learning_rate``."""


def read_space(file: Path | None, tries: Sequence[str], recipe_path: Path, settings: Sequence[str]) -> Space:
    """The space of a TOML file, whose tables are those of a recipe, and of ``key=values`` texts laid over it.

    A text is ``1e-4..1e-2``, ``log:1e-4..1e-2``, or values with commas between; in a file a list will do too.

    Raises:
        RecipeError: It is empty, or the recipe does not take what is tried.
    """
    given: dict[str, Any] = {}
    if file is not None:
        try:
            given |= _flat(tomllib.loads(file.read_text()))
        except OSError as error:
            raise RecipeError(f"{file}: {error.strerror}", hint="give the path of a space") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RecipeError(f"{file} is no TOML: {error}", hint="see Sweeps in docs/training.md") from error
    for text in tries:
        key, equals, values = text.partition("=")
        if not equals or not key:
            raise RecipeError(f"{text!r} is not key=values", hint="such as optimiser.learning_rate=log:1e-4..1e-2")
        given[key] = values
    if not given:
        raise RecipeError("nothing is to be tried", hint="such as --try optimiser.learning_rate=log:1e-4..1e-2")
    known = _flat(read_recipe(recipe_path, settings).to_dict())
    space = {key: _dimension(key, value, known.get(key)) for key, value in given.items()}
    for key, one in space.items():
        for value in one.ends():
            read_recipe(recipe_path, [*settings, f"{key}={json.dumps(value)}"])
    return space


def combinations(space: Space) -> list[dict[str, Any]]:
    """All combinations of listed values; none where there is a range."""
    lists = [one.values if isinstance(one, Choices) else () for one in space.values()]
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*lists)]


def _flat(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in table.items():
        found |= _flat(value, f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return found


def _dimension(key: str, given: Any, now: Any) -> Choices | Range:
    """What is tried of a key; `now` is its value in the recipe, which tells whether whole numbers are meant."""
    if isinstance(given, str) and (match := _RANGE.fullmatch(given.strip())):
        low, high = (_number(key, text) for text in match.group(2, 3))
        if isinstance(now, float):
            low, high = float(low), float(high)
        if not low < high or (match[1] and low <= 0):
            raise RecipeError(
                f"{key}: {given} is no range", hint="the lower end comes first, and is over 0 where it is log:"
            )
        return Range(low, high, bool(match[1]))
    values = tuple(_values(given) if isinstance(given, str) else given if isinstance(given, list) else [given])
    try:
        texts = [json.dumps(value) for value in values]
    except TypeError as error:
        raise RecipeError(f"{key}: {given!r} has a date or a time", hint="no recipe has one") from error
    if not values or len(set(texts)) < len(values):
        raise RecipeError(f"{key}: {given!r} are no values, or not different ones", hint="such as 18,34")
    return Choices(values)


def _number(key: str, text: str) -> float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise RecipeError(f"{key}: {text!r} is no number", hint="a range is such as 0.1..0.5")


def _values(text: str) -> list[Any]:
    """Values with commas between: TOML, or else text."""
    try:
        values: list[Any] = tomllib.loads(f"values = [{text}]")["values"]
    except tomllib.TOMLDecodeError:
        return [part.strip() for part in text.split(",") if part.strip()]
    return values
