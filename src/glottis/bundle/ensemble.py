"""Several bundles as one: each lies whole inside of the ensemble, so that it travels as one thing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from glottis.bundle.manifest import MANIFEST, OF_FIRST_MEMBER, member_folder
from glottis.bundle.store import README, Bundle, write_bundle
from glottis.errors import BundleError


def write_ensemble(
    folder: str | os.PathLike[str],
    bundles: Sequence[Bundle],
    weights: Sequence[float],
    offset: float,
    changes: Mapping[str, Any],
) -> Path:
    """Write an ensemble whose score is the sum of weight times score over its members, plus the offset.

    The first bundle leads: its windows are the time line's, and its seconds of speech those of the verdict.

    Args:
        folder: Where it goes; made if need be.
        bundles: Its members, at least 2, of one sample rate, none an ensemble.
        weights: One for each, 0 or more.
        offset: Added to the sum.
        changes: Fields of the manifest, among them ``name``, ``version``, ``calibration`` and ``decision``.

    Returns:
        The folder.

    Raises:
        BundleError: A bundle cannot be a member (``manifest``, ``ensemble``), or as `write_bundle`.
    """
    for one in bundles:
        one.check_single()
        _check_rate(bundles[0], one)
    names = _names(bundles)
    first = bundles[0].manifest.to_dict()
    fields = {name: first[name] for name in OF_FIRST_MEMBER} | {
        "licence": " and ".join(dict.fromkeys(one.manifest.licence for one in bundles if one.manifest.licence)),
        "trained_on": list(dict.fromkeys(corpus for one in bundles for corpus in one.manifest.trained_on)),
        "requires": first["requires"],
        "members": names,
        "fusion": {"kind": "linear", "weights": list(weights), "offset": offset},
        **changes,
    }
    files = {
        f"{member_folder(name)}{file}": one.read(file)
        for name, one in zip(names, bundles, strict=True)
        for file in (MANIFEST, *one.manifest.files)
    }
    return write_bundle(folder, fields, {**files, README: _card(fields, bundles).encode()})


def _check_rate(first: Bundle, other: Bundle) -> None:
    one, two = first.manifest.sample_rate_hz, other.manifest.sample_rate_hz
    if one != two:
        raise BundleError(
            f"{first.path} takes {one} Hz and {other.path} {two} Hz: the members of an ensemble take one rate",
            code="manifest",
            hint="fuse their scores instead: glottis calibrate without --output",
        )


def _names(bundles: Sequence[Bundle]) -> list[str]:
    """The bundles' own names, with a number where one comes twice."""
    names: list[str] = []
    for one in bundles:
        name, number = one.manifest.name, 1
        while name.casefold() in map(str.casefold, names):
            number += 1
            name = f"{one.manifest.name[:90]}-{number}"
        names.append(name)
    return names


def _card(fields: Mapping[str, Any], bundles: Sequence[Bundle]) -> str:
    rows = zip(fields["members"], bundles, fields["fusion"]["weights"], strict=True)
    return "\n".join(
        [
            f"# {fields['name']}",
            "",
            f"An ensemble. Its score is {fields['fusion']['offset']:.4g} plus the weighted sum of its members' scores.",
            "",
            "| member | version | weight | licence |",
            "| --- | --- | --- | --- |",
            *(
                f"| {name} | {one.manifest.version} | {weight:.4g} | {one.manifest.licence} |"
                for name, one, weight in rows
            ),
            "",
            "Each member is a bundle of its own, with its model card, under `members/`.",
            "",
        ]
    )
