"""The figures of the shipped detector as a page, from what the benchmarks wrote.

usage: python benchmarks/figures.py [RESULTS] > docs/figures.md

RESULTS, by default results/, holds dev.json, long.json, robustness.json, speech.json and speed.json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

MADE_BY = {
    "dev": "python benchmarks/dev_figures.py ../shared/corpus --json results/dev.json",
    "long": "python benchmarks/long_recordings.py ../shared/corpus --json results/long.json",
    "robustness": (
        "glottis robustness --corpus ../shared/corpus/trials.csv --split dev --most 400 --output runs/robustness "
        "--json results/robustness.json --picture docs/robustness.svg"
    ),
    "speech": "python benchmarks/speech_detection.py ../shared/corpus MUSIC --silero SILERO --json results/speech.json",
    "speed": "python benchmarks/scan_speed.py ../shared/corpus/dev --json results/speed.json",
}

OTHER = {"bonafide": "spoof", "spoof": "bonafide"}
"""Of each label, the one that would be wrong."""

ERRORS = (
    *((label, by) for by in ("length", "bandwidth", "language") for label in OTHER),
    ("spoof", "kind"),
    ("spoof", "system"),
    *((label, "source") for label in OTHER),
)
"""What is counted by what: a label and a fact."""


def percent(value: float) -> str:
    """A fraction as text."""
    return f"{100 * value:.1f} %"


def interval(figures: dict[str, Any], name: str) -> str:
    """A value with its interval."""
    low, high = figures[f"{name}_interval"]
    return f"{percent(figures[name])} ({percent(low)} to {percent(high)})"


def table(header: str, rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Markdown lines; `header` has the names of the columns between bars."""
    yield f"| {header} |"
    yield "|" + " --- |" * (header.count("|") + 1)
    for row in rows:
        yield "| " + " | ".join(str(cell) for cell in row) + " |"


def made_by(name: str) -> Iterator[str]:
    """The command, as a comment to the tables under it."""
    yield from ("", f"By `{MADE_BY[name]}`.", "")


def rates(dev: dict[str, Any]) -> Iterator[list[str]]:
    """The rows of both EERs, of the detector and of the trivial baseline on the same clips."""
    for name, key in (("pooled EER", "pooled_eer"), ("mean EER inside sources with both labels", "within_eer")):
        yield [name, interval(dev, key), interval(dev["baseline"], key)]


def errors(groups: dict[str, dict[str, float]], other: str) -> Iterator[list[Any]]:
    """Rows of one table of errors by group."""
    for name, one in groups.items():
        yield [name, one["clips"], percent(one[f"called_{other}"]), percent(one["inconclusive"])]


def dev_page(dev: dict[str, Any]) -> Iterator[str]:
    """Everything on the dev split."""
    yield "## On clips of up to 4 s"
    yield from made_by("dev")
    yield f"The dev split of the shared corpus: {dev['clips']} clips of other systems, speakers and sources than the"
    yield "train split's. The checkpoint was chosen and the calibration fitted on them, so they flatter. Intervals are"
    yield "95 %, resampled by source. The baseline is a logistic regression on level, bandwidth, duration and share of"
    yield "silence."
    yield ""
    yield from table(
        "what | shipped | baseline",
        [
            *rates(dev),
            ["clips that got a verdict", percent(dev["verdict_given"]), ""],
            ["Cllr, cross-fitted by source", f"{dev['cllr_cross_fitted']:.3f}", ""],
            ["least Cllr of these scores", f"{dev['min_cllr']:.3f}", ""],
            ["decided (`no_speech` counts as undecided)", percent(dev["decided"]), ""],
            ["error among decided", percent(dev["error_among_decided"]), ""],
            ["bona fide called spoof", percent(dev["bonafide_called_spoof"]), ""],
            ["the same in sources that have only bona fide clips", percent(dev["real_only_called_spoof"]), ""],
        ],
    )
    yield from ("", "Decided and errors are at the bundle's thresholds, each source calibrated on the others.", "")
    yield "If only the surest are decided:"
    yield ""
    rows = [[percent(one["decided"]), percent(one["error"])] for one in dev["error_against_decided"]]
    yield from table("decided | error among them", rows)
    for label, by in ERRORS:
        other = OTHER[label]
        yield from ("", f"### {label} by {by}", "")
        yield from table(f"{by} | clips | called {other} | inconclusive", errors(dev[f"{label}_by_{by}"], other))


def long_page(long: dict[str, Any]) -> Iterator[str]:
    """Long recordings."""
    yield from ("", "## On long recordings")
    yield from made_by("long")
    yield "Concatenations of one source and one label, and real ones into which one fake of the same source, 1 to 4 s,"
    yield "is spliced: a splice is found where a spoof segment touches it. The calibration was fitted on other"
    yield "concatenations of the same clips."
    yield ""
    yield from table(
        "length | what | recordings | bonafide | spoof | inconclusive | time in spoof segments | splices found",
        (
            [
                f"{one['length_s']:g} s",
                one["kind"],
                *(one[name] for name in ("recordings", "bonafide", "spoof", "inconclusive")),
                percent(one["segments_share"]),
                one.get("found", ""),
            ]
            for one in long["table"]
        ),
    )


def robustness_page(found: dict[str, Any]) -> Iterator[str]:
    """Every condition."""
    conditions = found["conditions"]
    clean = conditions[0]
    yield from ("", "## Under other conditions")
    yield from made_by("robustness")
    count = clean["n_bonafide"] + clean["n_spoof"]
    yield f"{count} clips of dev, spread over the sources and labels: their EER is not that of the whole split. Each"
    yield "clip of both labels is altered alike. The change is against the same"
    yield "clips when clean; intervals are 95 %, resampled by source. FGSM and PGD know the net; their strength is the"
    yield "ratio of the voice to what they add. [What each condition is](robustness.md)."
    yield from ("", "![EER against strength, a panel for each family of conditions](robustness.svg)", "")
    yield from table(
        "condition | EER | change | bona fide called spoof | spoof called bona fide | undecided",
        (condition_row(one) for one in conditions),
    )


def condition_row(one: dict[str, Any]) -> list[str]:
    """One condition's."""
    name = f"{one['family']} {one['strength']}".strip()
    eer, change = one["eer"], one["change"]
    shown = "one class only" if eer is None else f"{percent(eer['value'])} ({spread(eer)})"
    moved = "" if change is None else f"{100 * change['value']:+.1f} ({spread(change)})"
    shares = (one["bonafide_called_spoof"], one["spoof_called_bonafide"], one["undecided"])
    return [name, shown, moved, *map(percent, shares)]


def spread(found: dict[str, float]) -> str:
    """The ends of an interval, in per cent."""
    return f"{100 * found['low']:.1f} to {100 * found['high']:.1f}"


def speech_page(speech: dict[str, Any]) -> Iterator[str]:
    """Who takes what for speech."""
    kinds = list(speech["recordings"])
    yield from ("", "## What is taken for speech")
    yield from made_by("speech")
    yield "Share of recordings with at least 0.5 s of speech; for the scan, share that is not `no_speech`. Music is"
    yield "stretches of 30 s from free games, none of which the speech output was trained on."
    yield ""
    rows = []
    for name, found in speech["taken_for_speech"].items():
        cost = speech["x_realtime"].get(name)
        rows.append([name, *(percent(found[kind]) for kind in kinds), f"{cost:.0f}x" if cost else ""])
    yield from table(" | ".join(["detector", *kinds, "speed alone"]), rows)
    counts = ", ".join(f"{count} {kind}" for kind, count in speech["recordings"].items())
    yield from ("", f"Recordings: {counts}.")


def speed_page(speed: dict[str, Any]) -> Iterator[str]:
    """Speed and memory."""
    yield from ("", "## Speed")
    yield from made_by("speed")
    yield "One core; ten minutes of speech, every second scored. Decoding is the whole way to 16 kHz samples."
    yield ""
    rows = []
    for kind, name in (("FLAC", "flac"), ("MP3", "mp3")):
        scan, decode = (speed[f"{name}_{what}_x_realtime"] for what in ("scan", "decode"))
        rows.append([f"{kind} of 10 min", f"{scan:.0f}x real time (decoding alone {decode:.0f}x)"])
    hours = f"{speed['hours_seconds']:.0f} s, peak memory {speed['hours_peak_mib']:.0f} MiB"
    rows.append(["MP3 of 4 h", hours])
    rows.append(["from command to verdict, 10 s", f"{speed['command_to_verdict_s']:.2f} s"])
    rows.append(["`import glottis`", f"{1000 * speed['import_s']:.0f} ms"])
    yield from table("what | value", rows)


def page(results: Path) -> str:
    """The page as Markdown."""
    read = {name: json.loads((results / f"{name}.json").read_text(encoding="utf-8")) for name in MADE_BY}
    bundle = read["dev"]["bundle"]
    lines = [
        "# Figures of the shipped detector",
        "",
        f"Bundle `{bundle['name']}`, `verdict_sha256` `{bundle['verdict_sha256'][:12]}`. This page is made of what the",
        "commands under each heading measured, by `python benchmarks/figures.py > docs/figures.md`.",
        "",
        *dev_page(read["dev"]),
        *long_page(read["long"]),
        *robustness_page(read["robustness"]),
        *speech_page(read["speech"]),
        *speed_page(read["speed"]),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(Path(sys.argv[1] if len(sys.argv) > 1 else "results")), end="")
