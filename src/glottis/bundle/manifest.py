"""What ``bundle.json`` says, checked field by field: a bundle that does not fit is refused with the field's name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from glottis.errors import BundleError

SCHEMA = 1
"""Raised when a field is renamed or removed; not when one is added."""

OUTPUTS = ("score", "embedding", "speech")
AGGREGATES = ("mean", "first", "softmin")
MOST_WINDOW_SAMPLES = 2**24
"""Bounds what one window takes of memory: 64 MiB."""

MANIFEST = "bundle.json"

MOST_MEMBERS = 16
MOST_WEIGHT = 1e9
"""Bounds the weights of a fusion and its offset, so that the sum of float32 scores stays finite."""

OF_FIRST_MEMBER = (
    *("sample_rate_hz", "window_samples", "hop_samples", "min_speech_s"),
    *("inputs", "outputs", "aggregate"),
)
"""What the manifest of an ensemble says of its first member."""

_RATES_HZ = (4_000, 192_000)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Costs:
    """What each mistake costs, in any unit, and the prior when the user gives none.

    Attributes:
        cost_spoof_accepted: Of calling a spoof bona fide, over 0.
        cost_bonafide_rejected: Of calling a person a spoof, over 0.
        cost_inconclusive: Of giving no answer, at least 0.
        prior_spoof: Between 0 and 1.
    """

    cost_spoof_accepted: float = 1.0
    cost_bonafide_rejected: float = 1.0
    cost_inconclusive: float = 0.2
    prior_spoof: float = 0.5


@dataclass(frozen=True, slots=True)
class Manifest:
    """A bundle's manifest. That of an ensemble speaks of its first member where it speaks of a model or of windows.

    Attributes:
        name: Up to 100 ASCII letters, digits, ``.``, ``_`` and ``-``; the first a letter or a digit.
        version: The bundle's own version.
        sample_rate_hz: The rate of the samples that the model takes, 4,000 to 192,000.
        window_samples: The length of its window, at most `MOST_WINDOW_SAMPLES`.
        hop_samples: From one window's start to the next, at most a window.
        min_speech_s: Seconds of speech without which a recording is not judged; with 0 every window is scored, whether
            somebody speaks or not, as published systems do.
        files: The files of the bundle with their SHA-256, ``bundle.json`` aside.
        outputs: What the model gives: ``score``, and perhaps ``embedding`` and ``speech``.
        aggregate: How windows become one score: ``{"kind": "mean" | "first" | "softmin", "temperature"}``.
        calibration: ``{"recording", "window"}``, each a stored calibrator, or None.
        decision: The costs.
        created: A date.
        licence: Of the model.
        requires: What it needs, such as the oldest Glottis.
        inputs: The name of the model's input.
        domain: Statistics of what it knows, or None.
        torch: How to build the trainable net, or None.
        members: Of an ensemble, the names of its 2 to `MOST_MEMBERS` bundles; each lies in ``members/NAME/``.
        fusion: Of an ensemble: ``{"kind": "linear", "weights", "offset"}``, one weight of 0 or more for each member;
            else None.
        trained_on: Names of corpora.
        metrics: Figures on development data.
        recipe: The file or the text of the recipe.
        schema: Of this file.
    """

    name: str
    version: str
    sample_rate_hz: int
    window_samples: int
    hop_samples: int
    min_speech_s: float
    files: Mapping[str, str]
    outputs: tuple[str, ...]
    aggregate: Mapping[str, Any]
    calibration: Mapping[str, Any] | None
    decision: Costs
    created: str = ""
    licence: str = ""
    requires: Mapping[str, Any] = field(default_factory=dict)
    inputs: str = "samples"
    domain: Mapping[str, Any] | None = None
    torch: Mapping[str, Any] | None = None
    members: tuple[str, ...] = ()
    fusion: Mapping[str, Any] | None = None
    trained_on: tuple[str, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    recipe: str = ""
    schema: int = SCHEMA

    @classmethod
    def from_dict(cls, stored: Any) -> Manifest:
        """Check and take over what stands in a ``bundle.json``; unknown fields are passed over.

        Raises:
            BundleError: ``manifest``: a field is missing or does not fit; the message names it. ``schema``: the
                bundle is of a later schema.
        """
        if not isinstance(stored, dict):
            raise BundleError(f"bundle.json must be an object, and is {stored!r:.40}", code="manifest")
        if isinstance(stored.get("schema"), bool) or stored.get("schema") != SCHEMA:
            raise BundleError(
                f"bundle.json: schema must be {SCHEMA}, and is {stored.get('schema')!r}",
                code="schema",
                hint="another version of Glottis may read this bundle",
            )
        for name in _REQUIRED:
            if name not in stored:
                raise BundleError(f"bundle.json: {name} is missing", code="manifest", hint="export the bundle again")
        values = {name: check(stored[name], name) for name, check in _CHECKS.items() if name in stored}
        if values["hop_samples"] > values["window_samples"]:
            raise _refused("hop_samples", f"at most window_samples ({values['window_samples']})", stored["hop_samples"])
        manifest = cls(**values)
        manifest._check_model()
        return manifest

    def _check_model(self) -> None:
        """The files without which there is no model, and a fusion where there are members."""
        for file in [f"{member_folder(name)}{MANIFEST}" for name in self.members] or ["model.onnx"]:
            if file not in self.files:
                raise _refused("files", f"a table with {file} in it", sorted(self.files))
        if (self.fusion is None) == bool(self.members):
            raise _refused("fusion", "an object where there are members, and else null", self.fusion)
        if self.fusion is not None:
            _check_fusion(self.fusion, len(self.members))

    def check_member(self, name: str, member: Manifest) -> None:
        """Refuse a member that this ensemble cannot have.

        Args:
            name: One of `members`.
            member: The manifest in its folder.

        Raises:
            BundleError: ``manifest``: it is an ensemble itself, takes another rate, holds other files than are listed
                here, or is the first and differs from what is said here of windows.
        """
        if member.members:
            raise _refused(f"members[{name!r}]", "a bundle without members of its own", member.members)
        first = name == self.members[0]
        for field_name in OF_FIRST_MEMBER if first else ("sample_rate_hz",):
            here, there = getattr(self, field_name), getattr(member, field_name)
            if here != there:
                what = f"{there!r}, as its first member's" if first else f"that of all members ({name}'s is {there})"
                raise _refused(field_name, what, here)
        for file, digest in member.files.items():
            whole = f"{member_folder(name)}{file}"
            if self.files.get(whole) != digest:
                raise _refused(f"files[{whole!r:.80}]", f"what the member lists ({digest})", self.files.get(whole))

    def to_dict(self) -> dict[str, Any]:
        """The manifest as it stands in ``bundle.json``."""
        have = asdict(self)
        for name in ("outputs", "members", "trained_on"):
            have[name] = list(have[name])
        return {"schema": have.pop("schema"), **have}


def member_folder(name: str) -> str:
    """Where a member of an ensemble lies inside of it."""
    return f"members/{name}/"


def _refused(name: str, must: str, got: object) -> BundleError:
    return BundleError(
        f"bundle.json: {name} must be {must}, and is {got!r:.80}", code="manifest", hint="export the bundle again"
    )


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise _refused(name, "text", value)
    return value


def _word(value: Any, name: str) -> str:
    if not _text(value, name):
        raise _refused(name, "text that is not empty", value)
    return str(value)


def _name(value: Any, name: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise _refused(name, "up to 100 letters, digits, '.', '_' and '-', the first a letter or a digit", value)
    return value


def _whole(value: Any, name: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _refused(name, f"a whole number from {least} to {most}", value)
    return value


def _rate(value: Any, name: str) -> int:
    return _whole(value, name, *_RATES_HZ)


def _window(value: Any, name: str) -> int:
    return _whole(value, name, 1, MOST_WINDOW_SAMPLES)


def _number(value: Any, name: str, least: float = 0.0, most: float = math.inf) -> float:
    number = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
    if not least <= number <= most or math.isinf(number):
        raise _refused(name, f"a number of {least:g} or more" + f", at most {most:g}" * math.isfinite(most), value)
    return number


def _table(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise _refused(name, "an object", value)
    return value


def _table_or_none(value: Any, name: str) -> dict[str, Any] | None:
    return None if value is None else _table(value, name)


def _files(value: Any, name: str) -> dict[str, str]:
    files = _table(value, name)
    for file, digest in files.items():
        if not _inside(file):
            raise _refused(f"{name}[{file!r:.80}]", "a relative path with forward slashes inside the bundle", file)
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise _refused(f"{name}[{file!r:.80}]", "a SHA-256 in lower-case hexadecimal", digest)
    return files


def _inside(file: str) -> bool:
    if not file.isprintable() or "\\" in file or ":" in file or file.lower() == MANIFEST:
        return False
    return all(part not in ("", ".", "..") for part in file.split("/"))


def _outputs(value: Any, name: str) -> tuple[str, ...]:
    known = isinstance(value, list | tuple) and all(one in OUTPUTS for one in value)
    if not known or "score" not in value or len(set(value)) < len(value):
        raise _refused(name, f"a list of {', '.join(OUTPUTS)}, each once, with score in it", value)
    return tuple(value)


def _aggregate(value: Any, name: str) -> dict[str, Any]:
    table = _table(value, name)
    if table.get("kind") not in AGGREGATES:
        raise _refused(f"{name}.kind", f"one of {', '.join(AGGREGATES)}", table.get("kind"))
    if table["kind"] == "softmin" and _number(table.get("temperature"), f"{name}.temperature") == 0:
        raise _refused(f"{name}.temperature", "a number over 0", table["temperature"])
    return table


def _calibration(value: Any, name: str) -> dict[str, Any] | None:
    if value is None:
        return None
    table = _table(value, name)
    for part in ("recording", "window"):
        _word(_table(table.get(part), f"{name}.{part}").get("kind"), f"{name}.{part}.kind")
    return table


def _costs(value: Any, name: str) -> Costs:
    table = _table(value, name)
    costs = {one.name: _number(table.get(one.name), f"{name}.{one.name}") for one in fields(Costs)}
    for one in ("cost_spoof_accepted", "cost_bonafide_rejected"):
        if costs[one] == 0:
            raise _refused(f"{name}.{one}", "a number over 0", table[one])
    if not 0 < costs["prior_spoof"] < 1:
        raise _refused(f"{name}.prior_spoof", "over 0 and under 1", costs["prior_spoof"])
    return Costs(**costs)


def _list(value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _refused(name, "a list", value)
    return tuple(value)


def _members(value: Any, name: str) -> tuple[str, ...]:
    members = tuple(_name(one, f"{name}[{place}]") for place, one in enumerate(_list(value, name)))
    if len({one.casefold() for one in members}) < len(members):
        raise _refused(name, "names of which none comes twice", list(members))
    if members and not 2 <= len(members) <= MOST_MEMBERS:  # noqa: PLR2004 (one alone is no ensemble)
        raise _refused(name, f"a list of 2 to {MOST_MEMBERS} names, or an empty one", list(members))
    return members


def _check_fusion(fusion: Mapping[str, Any], members: int) -> None:
    if fusion.get("kind") != "linear":
        raise _refused("fusion.kind", "linear", fusion.get("kind"))
    weights = _list(fusion.get("weights"), "fusion.weights")
    if len(weights) != members:
        raise _refused("fusion.weights", f"a list of {members} numbers, one for each member", list(weights))
    for place, weight in enumerate(weights):
        _number(weight, f"fusion.weights[{place}]", most=MOST_WEIGHT)
    _number(fusion.get("offset"), "fusion.offset", -MOST_WEIGHT, MOST_WEIGHT)


def _texts(value: Any, name: str) -> tuple[str, ...]:
    return tuple(_text(one, f"{name}[{place}]") for place, one in enumerate(_list(value, name)))


_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "name": _name,
    "version": _word,
    "sample_rate_hz": _rate,
    "window_samples": _window,
    "hop_samples": _window,
    "min_speech_s": _number,
    "files": _files,
    "outputs": _outputs,
    "aggregate": _aggregate,
    "calibration": _calibration,
    "decision": _costs,
    "created": _text,
    "licence": _text,
    "requires": _table,
    "inputs": _word,
    "domain": _table_or_none,
    "torch": _table_or_none,
    "members": _members,
    "fusion": _table_or_none,
    "trained_on": _texts,
    "metrics": _table,
    "recipe": _text,
}

_REQUIRED = tuple(_CHECKS)[:11]
