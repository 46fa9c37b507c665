"""The windows of one verdict as rows of blocks: the taller, the more like a machine."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from glottis.verdict import Verdict, Window

_BLOCKS = "▁▂▃▄▅▆▇█"
_DIGITS = "12345678"
_UNSCORED = "."
_UNCALIBRATED = "?"
_STRONG = 6.0
_LABELS = 24
_MOST_ROWS = 8


def legend(*, blocks: bool) -> str:
    """What the signs mean."""
    signs = _BLOCKS if blocks else _DIGITS
    low, high = -_STRONG, _STRONG
    return (
        f"windows: {signs[0]} like a person (llr {high:+.0f} or more) to {signs[-1]} like a machine "
        f"(llr {low:+.0f} or less), {_UNSCORED} not scored, {_UNCALIBRATED} not calibrated"
    )


def draw_timeline(verdict: Verdict, *, width: int, blocks: bool, colour: bool) -> Iterator[str]:
    """Rows of one sign a window with the times where each row starts and ends, then the spoof segments.

    Where there are too many windows for eight rows, a sign stands for several and shows the one most like a
    machine.

    Args:
        verdict: Whose windows.
        width: Columns that may be used.
        blocks: Whether the terminal has block characters; else the digits 1 to 8.
        colour: Whether signs are coloured by the verdict's thresholds.
    """
    cells = max(8, width - _LABELS)
    windows = verdict.windows
    together = math.ceil(len(windows) / (cells * _MOST_ROWS)) or 1
    groups = [windows[i : i + together] for i in range(0, len(windows), together)]
    limits = verdict.thresholds or {"spoof": 0.0, "bonafide": 0.0}
    for i in range(0, len(groups), cells):
        row = groups[i : i + cells]
        signs = "".join(_sign(group, limits, blocks=blocks, colour=colour) for group in row)
        yield f"{clock(row[0][0].start_s):>9} {signs} {clock(row[-1][-1].end_s)}"
    for segment in verdict.spoof_segments:
        text = f"spoof {clock(segment.start_s)} to {clock(segment.end_s)}  llr {segment.llr:+.2f}"
        yield " " * 10 + (click.style(text, fg="red") if colour else text)


def _sign(group: tuple[Window, ...], limits: dict[str, float], *, blocks: bool, colour: bool) -> str:
    llrs = [window.llr for window in group if window.llr is not None]
    if not llrs:
        return _UNCALIBRATED if any(window.score is not None for window in group) else _UNSCORED
    llr = min(llrs)
    signs = _BLOCKS if blocks else _DIGITS
    likeness = (_STRONG - max(-_STRONG, min(_STRONG, llr))) / (2 * _STRONG)
    sign = signs[round(likeness * (len(signs) - 1))]
    if not colour:
        return sign
    fg = "red" if llr <= limits["spoof"] else "green" if llr >= limits["bonafide"] else "yellow"
    return click.style(sign, fg=fg)


def clock(seconds: float) -> str:
    """A time as ``m:ss.t`` or ``h:mm:ss.t``."""
    tenths = round(seconds * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    end = f"{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{minutes:02d}:{end}" if hours else f"{minutes}:{end}"
