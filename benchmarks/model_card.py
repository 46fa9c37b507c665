"""Put what was measured under other conditions into the model card of the shipped bundle.

usage: python benchmarks/model_card.py [results/robustness.json]

The verdicts stay as they are; only the card and its checksum change.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from glottis.bundle import copy_bundle, open_bundle
from glottis.bundle.store import README

HEADING = "## Under other conditions"
BEFORE = "## What it cannot do"

TOLD = 0.05
"""From this share on it is said how many clips had no speech any more."""


def section(found: dict[str, Any]) -> Iterator[str]:
    """The section, a row for each family of conditions."""
    clean, *others = found["conditions"]
    yield from (HEADING, "")
    yield f"EER in per cent of {clean['n_bonafide'] + clean['n_spoof']} development clips, each altered alike in both"
    yield f"classes; clean {100 * clean['eer']['value']:.1f}. Intervals and calls: docs/figures.md of the project."
    yield from ("", "| condition | strength: EER |", "| --- | --- |")
    for family, members in groupby(others, key=lambda one: one["family"]):
        yield f"| {family} | {'; '.join(map(shown, members))} |"
    yield from ("", "FGSM and PGD know the net: what they add can hardly be heard, and turns the verdict round.", "")


def shown(one: dict[str, Any]) -> str:
    """One condition's strength and EER."""
    eer = "none" if one["eer"] is None else f"{100 * one['eer']['value']:.1f}"
    share = one["without_score"] / (one["n_bonafide"] + one["n_spoof"])
    lost = f" ({share:.0%} without speech)" if share >= TOLD else ""
    return f"{one['strength']}: {eer}{lost}"


def main() -> None:
    bundle = open_bundle()
    found = json.loads(Path(sys.argv[1] if len(sys.argv) > 1 else "results/robustness.json").read_text("utf-8"))
    if found["bundle"]["verdict_sha256"] != bundle.verdict_sha256:
        raise SystemExit("measured with another bundle")
    card = bundle.read(README).decode()
    start, end = card.find(HEADING), card.index(BEFORE)
    kept = card[: end if start < 0 else start]
    made = kept + "\n".join(section(found)) + "\n" + card[end:]
    print(copy_bundle(bundle, bundle.path, files={README: made.encode()}))


if __name__ == "__main__":
    main()
