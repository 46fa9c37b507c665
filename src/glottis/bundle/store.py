"""Where bundles are: found by path or by name, opened from a folder or a zip, every file checked as it is read."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import sys
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from glottis._files import replace_file
from glottis.bundle.manifest import MANIFEST, SCHEMA, Manifest, member_folder
from glottis.errors import BundleError

DEFAULT = Path(__file__).parent / "default"
"""The shipped bundle."""

SHIPPED = "default"
"""What the shipped bundle is called wherever a bundle is named; a folder of that name is ``./default``."""

_MOST_BYTES = 2**30
_MOST_MANIFEST_BYTES = 2**20
README = "README.md"
"""The model card."""

_DECIDES = (
    *("sample_rate_hz", "window_samples", "hop_samples", "min_speech_s", "inputs", "outputs"),
    *("aggregate", "calibration", "decision", "members", "fusion"),
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """An open bundle.

    Attributes:
        manifest: What it says of itself.
        path: The folder or the zip.
        sha256: Of ``bundle.json``, which holds the digests of all other files: it names the bundle exactly.
        inside: Of a member of an ensemble, its folder inside of `path`, with a slash at the end.
        members: Of an ensemble, its bundles.
    """

    manifest: Manifest
    path: Path
    sha256: str
    inside: str = ""
    members: tuple[Bundle, ...] = ()

    @property
    def verdict_sha256(self) -> str:
        """Of all that a verdict depends on: equal for bundles that differ in their card, recipe or figures alone."""
        torch = self.manifest.torch or {}
        aside = {README, self.manifest.recipe, torch.get("weights")}
        whole = self.manifest.to_dict()
        decides = {name: whole[name] for name in _DECIDES}
        decides["files"] = {name: digest for name, digest in sorted(whole["files"].items()) if name not in aside}
        if self.members:
            decides["files"] = [member.verdict_sha256 for member in self.members]
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()

    def read(self, name: str) -> bytes:
        """The bytes of one file, checked against the manifest.

        Raises:
            BundleError: ``missing``, or ``checksum`` where the file is not the one that was written.
        """
        most = _MOST_MANIFEST_BYTES if Path(name).name == MANIFEST else _MOST_BYTES
        expected = self.sha256 if name == MANIFEST else self.manifest.files.get(name)
        if expected is None:
            raise BundleError(f"{self.path}: the manifest lists no {self.inside}{name}", code="missing")
        data = _read(self.path, f"{self.inside}{name}", most)
        if hashlib.sha256(data).hexdigest() != expected:
            raise BundleError(
                f"{self.path}: {self.inside}{name} is not the file that the manifest lists",
                code="checksum",
                hint="the bundle was changed or damaged; get it again",
            )
        return data

    def check_single(self) -> None:
        """Refuse an ensemble, where one model is needed.

        Raises:
            BundleError: ``ensemble``; the hint names a member.
        """
        if not self.members:
            return
        unzip = "" if self.path.is_dir() else "unzip it, and take "
        raise BundleError(
            f"{self.path}: an ensemble of {', '.join(self.manifest.members)} has no single net",
            code="ensemble",
            hint=f"each member is a bundle of its own: {unzip}{self.path / self.members[0].inside}",
        )


def open_bundle(model: str | os.PathLike[str] | None = None) -> Bundle:
    """Open a bundle and check its manifest; its files are checked when they are read.

    Args:
        model: The path of a folder or a zip, the name of an installed bundle, or None or ``default`` for the shipped
            one.

    Raises:
        BundleError: It is missing, unreadable, or does not fit its manifest; or a member of it, where it is an
            ensemble.
    """
    if model is not None and not isinstance(model, str | bytes | os.PathLike):
        raise BundleError(f"a bundle is a path or a name, got {model!r:.40}", code="missing")
    shipped = model is None or os.fsdecode(model) == SHIPPED
    path = DEFAULT if shipped else _find(os.fsdecode(model or ""))
    if shipped and not path.exists():
        raise BundleError("this installation ships no detector", code="missing", hint="give a bundle's path or name")
    data = _read(path, MANIFEST, _MOST_MANIFEST_BYTES)
    bundle = Bundle(_manifest(data, path), path, hashlib.sha256(data).hexdigest())
    return replace(bundle, members=tuple(_member(bundle, name) for name in bundle.manifest.members))


def _member(whole: Bundle, name: str) -> Bundle:
    inside = member_folder(name)
    data = whole.read(f"{inside}{MANIFEST}")
    manifest = _manifest(data, whole.path / inside)
    try:
        whole.manifest.check_member(name, manifest)
    except BundleError as error:
        raise BundleError(f"{whole.path}: {error.message}", code=error.code, hint=error.hint) from error
    return Bundle(manifest, whole.path, hashlib.sha256(data).hexdigest(), inside)


def _manifest(data: bytes, where: Path) -> Manifest:
    try:
        return Manifest.from_dict(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{where}: {MANIFEST} is no JSON: {error}", code="manifest") from error
    except BundleError as error:
        raise BundleError(f"{where}: {error.message}", code=error.code, hint=error.hint) from error


def list_bundles() -> list[tuple[str, Path]]:
    """The bundles that have a name, as (name, path), sorted; what is broken is listed too, for `open_bundle` to refuse.

    The shipped one is called as its manifest says, an installed one like its folder or zip. Of two with one name the
    shipped one is opened.
    """
    return sorted([*_shipped(), *_installed()])


def write_bundle(
    folder: str | os.PathLike[str], manifest_fields: Mapping[str, Any], files: Mapping[str, bytes]
) -> Path:
    """Write a bundle; the digests are computed here, and the manifest is written last.

    A bundle that is there already is replaced: a reader meets the old one, the new one, or a checksum that does not
    fit, never a mixture.

    Args:
        folder: Where it goes; made if need be.
        manifest_fields: Everything of the manifest but ``schema`` and ``files``; further fields are kept as they are.
        files: The files' bytes by name.

    Returns:
        The folder.

    Raises:
        BundleError: A field does not fit (``manifest``), or the folder cannot be written (``unwritable``).
    """
    folder = Path(folder)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    given = {"schema": SCHEMA, **manifest_fields, "files": digests}
    try:
        text = json.dumps({**given, **Manifest.from_dict(given).to_dict()}, indent=1, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BundleError(f"{folder}: a field of the manifest is no JSON: {error}", code="manifest") from error
    try:
        for name, data in {**files, MANIFEST: f"{text}\n".encode()}.items():
            replace_file(folder / name, data)
    except OSError as error:
        raise BundleError(f"{folder}: the bundle cannot be written: {error}", code="unwritable") from error
    return folder


def copy_bundle(
    bundle: Bundle,
    folder: str | os.PathLike[str],
    *,
    changes: Mapping[str, Any] | None = None,
    files: Mapping[str, bytes] | None = None,
    without: Collection[str | None] = (),
) -> Path:
    """Write a bundle again, with some fields and files changed.

    Args:
        bundle: Whose copy it is.
        folder: Where the copy goes; the bundle's own folder will do.
        changes: Fields of the manifest to lay over.
        files: Files to lay over.
        without: Names of files that are left out.

    Raises:
        BundleError: As `Bundle.read` and `write_bundle`.
    """
    fields = bundle.manifest.to_dict()
    kept = {name: bundle.read(name) for name in fields.pop("files") if name not in without}
    del fields["schema"]
    return write_bundle(folder, fields | dict(changes or {}), kept | dict(files or {}))


def home() -> Path:
    """The folder of the installed bundles: ``$GLOTTIS_HOME/bundles``, or the platform's folder for such data."""
    if given := os.environ.get("GLOTTIS_HOME"):
        return Path(given) / "bundles"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "glottis" / "bundles"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "glottis" / "bundles"


def _find(model: str) -> Path:
    path = Path(model)
    if model and _exists(path):
        return path
    if any(mark in model for mark in ("/", os.sep)):
        raise BundleError(f"no bundle at {model}", code="missing", hint="give the path of a folder or a zip")
    names = dict([*list_bundles(), *_shipped()])
    if model in names:
        return names[model]
    near = difflib.get_close_matches(model, names, n=3)
    known = f"did you mean {' or '.join(near)}?" if near else f"known names: {', '.join(sorted(names)) or 'none'}"
    raise BundleError(f"no bundle {model!r}, neither a path nor a name", code="missing", hint=known)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _shipped() -> list[tuple[str, Path]]:
    return [(_shipped_name(), DEFAULT)] if DEFAULT.exists() else []


def _installed() -> list[tuple[str, Path]]:
    try:
        paths = list(home().iterdir())
    except (OSError, RuntimeError):  # RuntimeError: this user has no home folder
        return []
    return [
        (path.name.removesuffix(".zip"), path) for path in paths if path.suffix == ".zip" or _exists(path / MANIFEST)
    ]


def _shipped_name() -> str:
    try:
        return open_bundle().manifest.name
    except BundleError:
        return DEFAULT.name


_UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    RuntimeError,  # an encrypted file
    zipfile.BadZipFile,
    zlib.error,
)


def _read(path: Path, name: str, most_bytes: int) -> bytes:
    try:
        if path.is_dir():
            with (path / name).open("rb") as file:
                data = file.read(most_bytes + 1)
        else:
            data = _read_zip(path, name, most_bytes)
    except (FileNotFoundError, KeyError) as error:
        raise BundleError(f"{path}: has no {name}", code="missing", hint="a bundle holds bundle.json") from error
    except _UNREADABLE as error:
        raise BundleError(
            f"{path}: {name} cannot be read: {error}", code="unreadable", hint="a bundle is a folder or a zip"
        ) from error
    if len(data) > most_bytes:
        raise BundleError(
            f"{path}: {name} is over {most_bytes} bytes", code="too_large", hint="no bundle needs a file of this size"
        )
    return data


def _read_zip(path: Path, name: str, most_bytes: int) -> bytes:
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo(name)
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile(f"its compression is of kind {member.compress_type}, neither stored nor deflated")
        with archive.open(member) as file:
            return file.read(most_bytes + 1)
