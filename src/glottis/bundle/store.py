"""Where bundles are: found by path or by name, opened from a folder or a zip, every file checked as it is read."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glottis.bundle.manifest import SCHEMA, Manifest
from glottis.errors import BundleError

MANIFEST = "bundle.json"
DEFAULT = Path(__file__).parent / "default"
"""The shipped bundle."""

_MOST_BYTES = 2**30
_MOST_MANIFEST_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Bundle:
    """An open bundle.

    Attributes:
        manifest: What it says of itself.
        path: The folder or the zip.
        sha256: Of ``bundle.json``, which holds the digests of all other files: it names the bundle exactly.
    """

    manifest: Manifest
    path: Path
    sha256: str

    def read(self, name: str) -> bytes:
        """The bytes of one file, checked against the manifest.

        Raises:
            BundleError: ``missing``, or ``checksum`` where the file is not the one that was written.
        """
        if name == MANIFEST:
            data, expected = _read(self.path, name, _MOST_MANIFEST_BYTES), self.sha256
        elif name in self.manifest.files:
            data, expected = _read(self.path, name, _MOST_BYTES), self.manifest.files[name]
        else:
            raise BundleError(f"{self.path}: the manifest lists no {name}", code="missing")
        if hashlib.sha256(data).hexdigest() != expected:
            raise BundleError(
                f"{self.path}: {name} is not the file that the manifest lists",
                code="checksum",
                hint="the bundle was changed or damaged; get it again",
            )
        return data


def open_bundle(model: str | os.PathLike[str] | None = None) -> Bundle:
    """Open a bundle and check its manifest; its files are checked when they are read.

    Args:
        model: The path of a folder or a zip, the name of an installed bundle, or None for the shipped one.

    Raises:
        BundleError: It is missing, unreadable, or does not fit its manifest.
    """
    path = DEFAULT if model is None else _find(os.fspath(model))
    if model is None and not path.exists():
        raise BundleError("this installation ships no detector", code="missing", hint="name one with --model")
    data = _read(path, MANIFEST, _MOST_MANIFEST_BYTES)
    try:
        stored = json.loads(data)
    except ValueError as error:
        raise BundleError(f"{path}: {MANIFEST} is no JSON: {error}", code="manifest") from error
    try:
        manifest = Manifest.from_dict(stored)
    except BundleError as error:
        raise BundleError(f"{path}: {error.message}", code=error.code, hint=error.hint) from error
    return Bundle(manifest, path, hashlib.sha256(data).hexdigest())


def list_bundles() -> list[tuple[str, Path]]:
    """The installed bundles as (name, path), the shipped one first; what is broken is listed too."""
    found = [(_shipped_name(), DEFAULT)] if DEFAULT.exists() else []
    return found + sorted(_installed())


def write_bundle(folder: Path, manifest_fields: Mapping[str, Any], files: Mapping[str, bytes]) -> Path:
    """Write a bundle; the digests are computed here, and the manifest is written last.

    Args:
        folder: Where it goes; made if need be.
        manifest_fields: Everything of the manifest but ``schema`` and ``files``.
        files: The files' bytes by name.

    Raises:
        BundleError: A field does not fit.
    """
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    manifest = Manifest.from_dict({"schema": SCHEMA, **manifest_fields, "files": digests})
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    part = folder / f"{MANIFEST}.part"
    part.write_text(json.dumps(manifest.to_dict(), indent=1) + "\n", encoding="utf-8")
    part.replace(folder / MANIFEST)
    return folder


def home() -> Path:
    """The folder of the installed bundles: ``$GLOTTIS_HOME/bundles``, or the platform's folder for such data."""
    if given := os.environ.get("GLOTTIS_HOME"):
        return Path(given) / "bundles"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "glottis" / "bundles"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "glottis" / "bundles"


def _find(model: str) -> Path:
    path = Path(model)
    if path.exists():
        return path
    names = dict(reversed(list_bundles()))
    if model in names:
        return names[model]
    near = difflib.get_close_matches(model, names, n=1)
    known = f"did you mean {near[0]}?" if near else f"installed are: {', '.join(names) or 'none'}"
    raise BundleError(f"no bundle {model!r}, neither a path nor a name", code="missing", hint=known)


def _installed() -> Iterator[tuple[str, Path]]:
    if not home().is_dir():
        return
    for path in home().iterdir():
        if path.suffix == ".zip" or (path / MANIFEST).exists():
            yield path.name.removesuffix(".zip"), path


def _shipped_name() -> str:
    try:
        return open_bundle().manifest.name
    except BundleError:
        return DEFAULT.name


def _read(path: Path, name: str, most_bytes: int) -> bytes:
    try:
        if path.is_dir():
            with (path / name).open("rb") as file:
                data = file.read(most_bytes + 1)
        else:
            with zipfile.ZipFile(path) as archive, archive.open(name) as member:
                data = member.read(most_bytes + 1)
    except (FileNotFoundError, KeyError) as error:
        raise BundleError(f"{path}: has no {name}", code="missing", hint="a bundle holds bundle.json") from error
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError) as error:
        raise BundleError(f"{path}: cannot be read: {error}", code="unreadable", hint="a folder or a zip") from error
    if len(data) > most_bytes:
        raise BundleError(f"{path}: {name} is over {most_bytes} bytes", code="too_large")
    return data
