"""Settings: flag > ``GLOTTIS_*`` > ``glottis.toml`` > default, and where each value came from."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from glottis.errors import ConfigError

FILE = "glottis.toml"
PREFIX = "GLOTTIS_"
NOT_SETTINGS = frozenset({"GLOTTIS_HOME", "GLOTTIS_TRACEBACK"})
"""Variables of Glottis that are no settings: where bundles are installed, and whether bugs show a traceback."""

Channel = Literal["auto", "mix", "each"] | int
"""How channels are scanned: as they differ, mixed, each alone, or the one with this number (from 0)."""

Device = Literal["auto", "cpu", "cuda", "tensorrt"]
"""Where a model is run; ``auto`` is CUDA where it works, else the CPU."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force.

    Attributes:
        model: The path or the name of a bundle, or None for the shipped one.
        threads: How many threads scan, at least 1.
        prior_spoof: The prior probability of spoof, over 0 and under 1, or None for the bundle's.
        channel: Which channels of a recording are scanned.
        device: Where the model is run.
        origins: For each setting, where its value came from: a flag, a variable, a file, or ``default``.
    """

    model: str | None
    threads: int
    prior_spoof: float | None
    channel: Channel
    device: Device
    origins: Mapping[str, str]


def resolve(
    flags: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """The settings in force, the first place that names one winning.

    Args:
        flags: What the command line says, by setting; None where it says nothing.
        environ: The environment, by default the process's.
        folder: Where ``glottis.toml`` is looked for, by default the working directory.

    Raises:
        ConfigError: A value cannot be used (``setting``), ``glottis.toml`` has an unknown key
            (``unknown_setting``) or cannot be read (``config_file``).
    """
    environ = os.environ if environ is None else environ
    path = (folder or Path()) / FILE
    in_file = _read_file(path)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, (check, default, flag) in _SETTINGS.items():
        variable = PREFIX + name.upper()
        if flags and flags.get(name) is not None:
            origins[name], raw = flag, flags[name]
        elif environ.get(variable):
            origins[name], raw = variable, environ[variable]
        elif name in in_file:
            origins[name], raw = str(path), in_file[name]
        else:
            origins[name], values[name] = "default", default()
            continue
        values[name] = check(raw, origins[name])
    return Settings(**values, origins=origins)


def unknown_variables(environ: Mapping[str, str] | None = None) -> list[str]:
    """Variables that look like settings and are none, sorted: most likely misspelt."""
    environ = os.environ if environ is None else environ
    known = {PREFIX + name.upper() for name in _SETTINGS} | NOT_SETTINGS
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def usable_cores() -> int:
    """How many cores this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def _read_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        have = tomllib.loads(text)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} cannot be read: {error}", code="config_file", hint="it is TOML in UTF-8: threads = 2"
        ) from error
    for key in have:
        if key not in _SETTINGS:
            near = difflib.get_close_matches(key, _SETTINGS, n=1)
            raise ConfigError(
                f"{path} has the unknown setting {key!r}",
                code="unknown_setting",
                hint=f"did you mean {near[0]}?" if near else f"settings are {', '.join(_SETTINGS)}",
            )
    return have


def _refuse(origin: str, must: str, got: object) -> ConfigError:
    return ConfigError(
        f"{origin} must be {must}, and is {got!r}", code="setting", hint="glottis config shows every setting"
    )


def _model(value: object, origin: str) -> str:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str) or not value:
        raise _refuse(origin, "the path or the name of a bundle", value)
    return value


def _threads(value: object, origin: str) -> int:
    number = _integer(value)
    if number is None or not 1 <= number <= _MAX_THREADS:
        raise _refuse(origin, f"a whole number from 1 to {_MAX_THREADS}", value)
    return number


def _prior_spoof(value: object, origin: str) -> float:
    must = "a probability over 0 and under 1"
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _refuse(origin, must, value)
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise _refuse(origin, must, value) from None
    if not 0 < number < 1:
        raise _refuse(origin, must, value)
    return number


def _channel(value: object, origin: str) -> Channel:
    if value == "auto" or value == "mix" or value == "each":  # noqa: PLR1714 (narrows the type)
        return value
    number = _integer(value)
    if number is None or number < 0:
        raise _refuse(origin, "auto, mix, each, or a channel's number from 0", value)
    return number


def _device(value: object, origin: str) -> Device:
    if value not in get_args(Device):
        raise _refuse(origin, ", ".join(get_args(Device)), value)
    return cast("Device", value)


def _integer(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _MAX_DIGITS:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


_MAX_THREADS = 1024
_MAX_DIGITS = 9

_SETTINGS: dict[str, tuple[Callable[[object, str], object], Callable[[], object], str]] = {
    "model": (_model, lambda: None, "--model"),
    "threads": (_threads, usable_cores, "--threads"),
    "prior_spoof": (_prior_spoof, lambda: None, "--prior"),
    "channel": (_channel, lambda: "auto", "--channel"),
    "device": (_device, lambda: "cpu", "--device"),
}
