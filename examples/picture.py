"""Draw docs/timeline.svg: the examples' voices end to end, and what the shipped detector says of each window.

Usage: python examples/picture.py; `make picture` runs it. The voices are the frozen ones of examples/recordings, the
bars are what comes out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

import glottis
from glottis.audio import PCM, open_recording

ROOT = Path(__file__).parents[1]
RATE_HZ = 16_000
PARTS = (
    ("human-en-allison.flac", "a person"),
    ("human-fr-june.mp3", "a person"),
    ("synthetic-en-piper.m4a", "a machine"),
    ("human-it-carlo.wav", "a person"),
    ("human-ru-ivrvoice.ogg", "a person"),
)
STRONG = 6.0
LEFT, WIDTH, ZERO, HALF = 60, 720, 136, 66
PERSON, MACHINE, UNSURE, INK = "#2a7f4f", "#c0392b", "#b8860b", "#333333"


class Part(NamedTuple):
    """What stands where in the recording."""

    start_s: float
    end_s: float
    truth: str


def joined() -> tuple[PCM, list[Part]]:
    """The parts end to end, and where each lies."""
    pieces, parts, at_s = [], [], 0.0
    for name, truth in PARTS:
        path = ROOT / "examples" / "recordings" / name
        with open_recording(path, sample_rate_hz=RATE_HZ, channel="mix") as recording:
            piece = np.concatenate([block[0] for block in recording.blocks()])
        pieces.append(piece)
        parts.append(Part(at_s, at_s + len(piece) / RATE_HZ, truth))
        at_s = parts[-1].end_s
    return PCM(np.concatenate(pieces), RATE_HZ), parts


def text(x: float, y: float, words: str, *, anchor: str = "middle", fill: str = INK) -> str:
    """One line of text."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{words}</text>'


def bars(verdict: glottis.Verdict, limits: dict[str, float], scale: float) -> Iterator[str]:
    """A bar for each scored window: up for a person, down for a machine."""
    for window in verdict.windows:
        if window.llr is None:
            continue
        height = HALF * max(-1.0, min(1.0, window.llr / STRONG))
        colour = MACHINE if window.llr <= limits["spoof"] else PERSON if window.llr >= limits["bonafide"] else UNSURE
        x, width = LEFT + scale * window.start_s, scale * (window.end_s - window.start_s)
        yield (
            f'<rect x="{x + 1:.1f}" y="{ZERO - max(height, 0):.1f}" width="{width - 2:.1f}" '
            f'height="{max(abs(height), 1):.1f}" fill="{colour}" fill-opacity="0.75"/>'
        )


def axes(limits: dict[str, float], duration_s: float, scale: float) -> Iterator[str]:
    """The llr on the left, its thresholds dashed, the seconds below."""
    for llr in (-STRONG, 0.0, STRONG):
        yield text(LEFT - 8, ZERO - HALF * llr / STRONG + 4, f"{llr:+.0f}" if llr else "0", anchor="end")
    yield f'<path d="M{LEFT} {ZERO}H{LEFT + WIDTH}" stroke="{INK}"/>'
    for name, colour in (("bonafide", PERSON), ("spoof", MACHINE)):
        y = ZERO - HALF * limits[name] / STRONG
        yield f'<path d="M{LEFT} {y:.1f}H{LEFT + WIDTH}" stroke="{colour}" stroke-dasharray="4 4"/>'
    for second in range(0, int(duration_s) + 1, 5):
        yield text(LEFT + scale * second, ZERO + HALF + 18, f"{second} s")


def drawn(verdict: glottis.Verdict, parts: list[Part]) -> str:
    """The picture as SVG."""
    scale = WIDTH / verdict.duration_s
    limits = verdict.thresholds or {"spoof": 0.0, "bonafide": 0.0}
    rows = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 256" font-family="sans-serif" font-size="12">',
        "<title>What is in a recording, and what the detector says of each window</title>",
        '<rect width="800" height="256" fill="#ffffff"/>',
        text(LEFT, 22, "what it is", anchor="start"),
    ]
    for part in parts:
        x, width = LEFT + scale * part.start_s, scale * (part.end_s - part.start_s)
        colour = MACHINE if part.truth == "a machine" else PERSON
        rows.append(f'<rect x="{x:.1f}" y="30" width="{width - 1:.1f}" height="22" fill="{colour}"/>')
        rows.append(text(x + width / 2, 45, part.truth, fill="#ffffff"))
    rows += [text(LEFT, 66, "what the detector says: llr of each window", anchor="start")]
    rows += [*axes(limits, verdict.duration_s, scale), *bars(verdict, limits, scale)]
    llr = "none" if verdict.llr is None else f"{verdict.llr:+.2f}"
    whole = f"verdict on the whole: {verdict.verdict}, llr {llr}"
    by = f"{verdict.bundle.name} {verdict.bundle.version}, {verdict.bundle.sha256[:12]}"
    rows += [text(LEFT, 246, whole, anchor="start"), text(LEFT + WIDTH, 246, by, anchor="end", fill="#777777")]
    return "\n".join([*rows, "</svg>", ""])


def main() -> None:
    """Scan and draw."""
    recording, parts = joined()
    picture = ROOT / "docs" / "timeline.svg"
    picture.write_text(drawn(glottis.Detector().scan(recording), parts), encoding="utf-8")


if __name__ == "__main__":
    main()
