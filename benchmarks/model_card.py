"""Put what was measured of the shipped bundle into its model card.

usage: python benchmarks/model_card.py [RESULTS]

RESULTS, by default results/, holds dev.json and robustness.json. The verdicts stay as they are; only the card and its
checksum change.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from figures import ERRORS, OTHER, percent, rates, table
from glottis.bundle import copy_bundle, open_bundle
from glottis.bundle.store import README

HEADING = "## Errors on the development split"
BEFORE = "## What it cannot do"

TOLD = 0.05
"""From this share on it is said how many clips had no speech any more."""


def on_dev(dev: dict[str, Any]) -> Iterator[str]:
    """Both EERs beside the baseline's, and the errors by everything that is known of the clips."""
    yield from (HEADING, "")
    yield "Beside a logistic regression on level, bandwidth, duration and share of silence, on the same clips."
    yield ""
    yield from table("what | this detector | baseline", rates(dev))
    yield from ("", "At the shipped thresholds, each source calibrated on the others: of all clips")
    yield f"{percent(dev['decided'])} are decided, {percent(dev['error_among_decided'])} of these wrongly; of the clips"
    yield f"of people {percent(dev['bonafide_called_spoof'])} are called spoof, in sources that have no others"
    yield f"{percent(dev['real_only_called_spoof'])}."
    for label, other in OTHER.items():
        yield from ("", f"| {label} by | called {other}, of so many clips |", "| --- | --- |")
        for by in (by for named, by in ERRORS if named == label):
            groups = dev[f"{label}_by_{by}"].items()
            said = (f"{name}: {percent(one[f'called_{other}'])} of {one['clips']}" for name, one in groups)
            yield f"| {by} | {'; '.join(said)} |"
    yield ""


def under_conditions(found: dict[str, Any]) -> Iterator[str]:
    """A row for each family of conditions."""
    clean, *others = found["conditions"]
    yield from ("## Under other conditions", "")
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
    results = Path(sys.argv[1] if len(sys.argv) > 1 else "results")
    dev, conditions = (json.loads((results / f"{name}.json").read_text("utf-8")) for name in ("dev", "robustness"))
    if {one["bundle"]["verdict_sha256"] for one in (dev, conditions)} != {bundle.verdict_sha256}:
        raise SystemExit("measured with another bundle")
    card = bundle.read(README).decode()
    start, end = card.find(HEADING), card.index(BEFORE)
    kept = card[: end if start < 0 else start]
    made = "\n".join([kept + "\n".join(on_dev(dev)), *under_conditions(conditions), card[end:]])
    print(copy_bundle(bundle, bundle.path, files={README: made.encode()}))


if __name__ == "__main__":
    main()
