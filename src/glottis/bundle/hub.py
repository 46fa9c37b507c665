"""Pre-trained encoders from a Hugging Face hub: weights and settings at one commit, checked, and never a pickle."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import glottis
from glottis._extras import need
from glottis._files import replace_file
from glottis.errors import BundleError, ConfigError, GlottisError, ServiceError, one_line

FETCHED = "fetched.json"
"""What a fetched folder says of where it comes from."""

CLAIM = "fetching.json"
"""What it says until all is fetched."""

SETTINGS = frozenset(
    {
        *("config.json", "preprocessor_config.json", "model.safetensors.index.json"),
        *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json"),
    }
)
WEIGHTS = re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A model's files as they were fetched.

    Attributes:
        repo: ``OWNER/NAME``.
        revision: The branch, tag or commit that was asked for.
        commit: What that was then, 40 hexadecimal digits.
        licence: As the model card states it, or empty.
        sha256: Of each file, by name.
    """

    repo: str
    revision: str
    commit: str
    licence: str
    sha256: Mapping[str, str]


def fetch(repo: str, folder: Path, *, revision: str = "main", endpoint: str | None = None) -> Fetched:
    """Fetch a model's safetensors and JSON settings at one commit, check them, and write ``fetched.json`` beside them.

    Called again after a cut it goes on where it stopped. This is the only place that reaches for a hub.

    Args:
        repo: Such as ``facebook/wav2vec2-base-960h``.
        folder: Where the files go.
        revision: A branch, a tag or a commit.
        endpoint: The hub, by default ``HF_ENDPOINT`` or huggingface.co.

    Raises:
        MissingExtra: huggingface_hub is not installed (extra ``ssl``).
        ServiceError: The hub cannot be reached (``no_network``), has no such model or revision (``not_found``), or
            does not give it to everybody (``gated``).
        BundleError: The model has no safetensors (``no_safetensors``), or a file is not what the hub states
            (``checksum``).
        ConfigError: The name is none (``setting``), or the folder holds another model (``other_model``).
    """
    hub, errors = need("huggingface_hub", extra="ssl"), need("huggingface_hub.errors", extra="ssl")
    wanted: dict[str, Any] = {"library_name": "glottis", "library_version": glottis.__version__}
    try:
        api = hub.HfApi(endpoint=endpoint, **wanted)
        info = api.model_info(repo, revision=revision, files_metadata=True)
        found = {one.rfilename: one for one in info.siblings if one.rfilename in SETTINGS or _is_weights(one.rfilename)}
        _check_names(repo, info, found)
        _claim(folder, repo, info.sha)
        for name in found:
            hub.hf_hub_download(repo, name, revision=info.sha, local_dir=folder, endpoint=endpoint, **wanted)
    except (errors.HTTPError, errors.HFValidationError, OSError) as error:
        raise _translated(errors, error, repo, revision) from error
    sha256 = {name: _checked(folder / name, stated) for name, stated in sorted(found.items())}
    licence = str(getattr(info.card_data, "license", None) or "")
    fetched = Fetched(repo, revision, info.sha, licence, sha256)
    replace_file(folder / FETCHED, (json.dumps({"schema": 1, **asdict(fetched)}, indent=1) + "\n").encode())
    (folder / CLAIM).unlink(missing_ok=True)
    return fetched


def _is_weights(name: str) -> bool:
    return WEIGHTS.fullmatch(name) is not None


def _check_names(repo: str, info: Any, found: Mapping[str, Any]) -> None:
    if any(map(_is_weights, found)) and "config.json" in found:
        return
    have = ", ".join(sorted(one.rfilename for one in info.siblings)[:8]) or "nothing"
    raise BundleError(
        f"{repo} at {info.sha[:12]}: no model.safetensors with a config.json; it has {have}",
        code="no_safetensors",
        hint="pickles (.bin, .pt) can run code and are not fetched; the hub's converter may have left safetensors in a "
        "pull request: --revision refs/pr/N",
    )


def _claim(folder: Path, repo: str, commit: str) -> None:
    """Write what the folder is for, or refuse one with something else; a cut of this very commit is gone on with."""
    note = next((file for file in (folder / FETCHED, folder / CLAIM) if file.exists()), None)
    if note is not None:
        try:
            kept = json.loads(note.read_text(encoding="utf-8"))
            have = f"{kept['repo']} at {kept['commit'][:12]}"
            same = (kept["repo"], kept["commit"]) == (repo, commit)
        except (ValueError, KeyError, TypeError):
            have, same = f"a {note.name} that cannot be read", False
    else:
        cut = f"{CLAIM}.part"  # by a kill while the claim was written
        have, same = "other files", not folder.exists() or all(one.name == cut for one in folder.iterdir())
    if not same:
        raise ConfigError(f"{folder} holds {have}", code="other_model", hint="choose another folder: --output")
    if note is None:
        replace_file(folder / CLAIM, json.dumps({"repo": repo, "commit": commit}).encode())


def _checked(file: Path, stated: Any) -> str:
    """The file's SHA-256, once it is what the hub states: a SHA-256 of large files, git's blob id of small ones."""
    with file.open("rb") as data:
        sha256 = hashlib.file_digest(data, "sha256").hexdigest()
    if stated.lfs is not None:
        same = sha256 == stated.lfs.sha256
    else:
        content = file.read_bytes()
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
        same = blob.hexdigest() == stated.blob_id
    if not same:
        file.unlink()
        raise BundleError(
            f"{file}: not the file that the hub states; it was removed",
            code="checksum",
            hint="fetch again; if that does not help, what lies between you and the hub changes files",
        )
    return sha256


def _translated(errors: ModuleType, error: Exception, repo: str, revision: str) -> GlottisError:
    said = one_line(error)
    if isinstance(error, errors.HFValidationError):
        return ConfigError(
            f"{repo!r} is no name of a model", code="setting", hint="such as facebook/wav2vec2-base-960h"
        )
    if isinstance(error, OSError) and error.filename is not None:
        return ConfigError(
            f"{error.filename}: {error.strerror}", code="setting", hint="choose another folder: --output"
        )
    refusals = {  # the first that fits: a gated model is a kind of one that is not found
        errors.GatedRepoError: ("gated", f"{repo} is gated", "accept its terms on its page, then set HF_TOKEN"),
        errors.RevisionNotFoundError: ("not_found", f"{repo} has no revision {revision!r}", "a branch, tag or commit"),
        errors.RepositoryNotFoundError: ("not_found", f"the hub has no model {repo}", "a private one needs HF_TOKEN"),
        errors.HfHubHTTPError: ("service", f"{repo}: the hub refuses: {said}", "try again; what is there is kept"),
        Exception: (
            "no_network",
            f"{repo}: the hub cannot be reached: {said}",
            "what is there is kept, and the same command goes on; HF_ENDPOINT names a mirror",
        ),
    }
    code, message, hint = next(refusal for kind, refusal in refusals.items() if isinstance(error, kind))
    return ServiceError(message, code=code, hint=hint)
