"""`glottis doctor`: what is installed, what is dangerous, what is broken."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from glottis import __version__
from glottis.cli.exits import DONE, WRONG_USE
from glottis.cli.holes import KNOWN_UNTIL, holes_of, release_of
from glottis.cli.text import printable

if TYPE_CHECKING:
    from glottis.config import Device

EXTRAS = {
    "train": ("torch", "lightning_fabric", "onnx", "safetensors", "scipy"),
    "sweep": ("optuna",),
    "ssl": ("torch", "transformers"),
    "service": ("fastapi", "uvicorn", "sqlalchemy", "alembic"),
    "plots": ("matplotlib",),
    "cluster": ("ray",),
}
"""Each extra with the modules that it brings."""

OK, WARN, BROKEN = "ok", "warning", "broken"
_COLOURS = {OK: "green", WARN: "yellow", BROKEN: "red"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    value: str
    state: str = OK
    hint: str = ""


@click.command()
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def doctor(form: str) -> int:
    """Say what is installed, and what is dangerous.

    Exits with 2 when something is broken; a warning alone is no reason to.
    """
    from glottis.cli.output import Output

    output = Output()
    checks: list[Check] = []
    for name, look in _LOOKS.items():
        try:
            found = list(look())
        except Exception as error:  # noqa: BLE001 (a package that does not even load is what a doctor is for)
            found = [
                Check(name, f"{type(error).__name__}: {error}", BROKEN, "install Glottis again, with all that it needs")
            ]
        checks += found
        if form == "table":
            for check in found:
                output.write(_line(check, colour=output.colour))
    broken = any(check.state == BROKEN for check in checks)
    if form == "json":
        have = {"ok": not broken, "checks": [asdict(check) for check in checks]}
        output.write_data(json.dumps(have, ensure_ascii=False, indent=1) + "\n")
    return WRONG_USE if broken else DONE


def _line(check: Check, *, colour: bool) -> str:
    state = click.style(f"{check.state:<8}", fg=_COLOURS[check.state]) if colour else f"{check.state:<8}"
    text = f"{state} {printable(check.name):<12} {printable(check.value)}\n"
    return text + (f"{'':<21} {printable(check.hint)}\n" if check.hint else "")


def _glottis() -> Iterator[Check]:
    yield Check("glottis", __version__)
    yield Check("python", f"{platform.python_version()} ({platform.python_implementation()}, {platform.platform()})")


def _cores() -> Iterator[Check]:
    from glottis.config import usable_cores

    yield Check("cores", str(usable_cores()))


def _numpy() -> Iterator[Check]:
    import numpy as np

    yield Check("numpy", np.__version__)


def _onnxruntime() -> Iterator[Check]:
    import onnxruntime

    providers = ", ".join(onnxruntime.get_available_providers())
    yield Check("onnxruntime", f"{onnxruntime.__version__} with {providers}")


def _speech() -> Iterator[Check]:
    import webrtcvad

    webrtcvad.Vad(3)
    yield Check("webrtcvad", importlib.metadata.version("webrtcvad-wheels"))


def _ffmpeg() -> Iterator[Check]:
    import av

    yield Check("av", av.__version__)
    versions = {name: tuple(version) for name, version in av.library_versions.items()}
    said = ", ".join(f"{name} {_dotted(version)}" for name, version in versions.items())
    release = release_of(getattr(av, "ffmpeg_version_info", None), versions.get("libavformat", ()))
    if release is None:
        yield Check("ffmpeg", f"older than 5.0 ({said})", WARN, "install a newer av before you scan files of strangers")
        return
    holes = holes_of(release)
    yield Check(
        "ffmpeg",
        f"{_dotted(release)} ({said})",
        WARN if holes else OK,
        "" if holes else f"has none of the few holes that Glottis knows of (until {KNOWN_UNTIL}); newer is safer",
    )
    for hole in holes:
        yield Check(
            "ffmpeg",
            f"{hole.cve}: {hole.what}; fixed in FFmpeg {' and '.join(map(_dotted, hole.fixed))}",
            WARN,
            "install a newer av (a distribution may have mended its FFmpeg without a new number)",
        )


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


def _bundles() -> Iterator[Check]:
    from glottis.config import resolve
    from glottis.errors import ConfigError

    yield _bundle("bundle", None)
    try:
        settings = resolve()
    except ConfigError:
        return  # told with the settings
    if settings.model is not None:
        yield _bundle(settings.origins["model"], settings.model)
    if settings.device != "cpu":
        yield _bundle(settings.origins["device"], settings.model, settings.device)


def _bundle(name: str, model: str | None, device: Device = "cpu") -> Check:
    from glottis.bundle import open_bundle
    from glottis.detector import Detector
    from glottis.errors import BundleError, ConfigError

    try:
        bundle = open_bundle(model)
        for file in bundle.manifest.files:
            bundle.read(file)
        Detector(model, device=device)
    except (BundleError, ConfigError) as error:
        return Check(name, error.message, BROKEN, error.hint)
    manifest = bundle.manifest
    return Check(name, f"{manifest.name} {manifest.version} is whole on {device} (sha256 {bundle.sha256[:12]})")


def _extras() -> Iterator[Check]:
    for extra, modules in EXTRAS.items():
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        yield Check(f"[{extra}]", f"not installed: {', '.join(missing)} missing" if missing else "installed")


def _settings() -> Iterator[Check]:
    from glottis.config import resolve, unknown_variables
    from glottis.errors import ConfigError

    for name in unknown_variables():
        yield Check("settings", f"{name} is no setting of Glottis", WARN, "glottis config shows every setting")
    try:
        resolve()
    except ConfigError as error:
        yield Check("settings", error.message, BROKEN, error.hint)


_LOOKS: dict[str, Callable[[], Iterator[Check]]] = {
    "glottis": _glottis,
    "cores": _cores,
    "numpy": _numpy,
    "onnxruntime": _onnxruntime,
    "webrtcvad": _speech,
    "av": _ffmpeg,
    "bundle": _bundles,
    "extras": _extras,
    "settings": _settings,
}
