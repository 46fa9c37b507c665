"""Results for people: a table whose rows stream, for no row waits for the widths of later ones."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import click

from glottis.cli.text import printable
from glottis.cli.timeline import draw_timeline, legend

if TYPE_CHECKING:
    from glottis.cli.output import Output
    from glottis.verdict import Failed, Verdict

COLOURS = {"bonafide": "green", "spoof": "red", "inconclusive": "yellow", "no_speech": "blue", "failed": "magenta"}
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_BAR_CELLS = 10
_NARROW = 72
_NO_TERMINAL = 80


class Table:
    """One row a result: verdict, p_spoof (with a bar on a terminal), llr, seconds of speech, name, what to know.

    Args:
        output: Where the rows go; tells whether there is a terminal, and colour.
        timeline: Whether the windows are drawn under each row.
    """

    def __init__(self, output: Output, *, timeline: bool) -> None:
        self._colour = output.colour
        self._width = shutil.get_terminal_size().columns if output.is_terminal else None
        self._blocks = output.can_say(_EIGHTHS)
        self._bar = self._width is not None and self._width >= _NARROW
        self._timeline = timeline

    def head(self) -> str:
        """The names of the columns, and what the time line means."""
        bar = " " * (_BAR_CELLS + 2) if self._bar else ""
        text = self._style(f"{'verdict':<12}  {'p_spoof':>7}{bar}  {'llr':>6}  {'speech':>8}  recording", bold=True)
        if self._timeline:
            text += "\n" + self._style(f"  {legend(blocks=self._blocks)}", dim=True)
        return text + "\n"

    def line(self, result: Verdict | Failed) -> str:
        """The row of one result, and its time line."""
        from glottis.verdict import Failed

        if isinstance(result, Failed):
            message = result.message.removeprefix(f"{result.source}: ")
            notes = [message, result.hint] if result.hint else [message]
            return self._row("failed", (None, None, None), result.source, notes)
        name = result.source if result.channel is None else f"{result.source} [channel {result.channel}]"
        notes = [notice.text for notice in (*result.reasons, *result.warnings)]
        if not result.complete:
            notes.insert(0, "incomplete")
        row = self._row(str(result.verdict), (result.p_spoof, result.llr, result.speech_s), name, notes)
        if not self._timeline:
            return row
        lines = draw_timeline(result, width=self._width or _NO_TERMINAL, blocks=self._blocks, colour=self._colour)
        return row + "".join(f"  {line}\n" for line in lines)

    def _row(self, verdict: str, figures: tuple[float | None, ...], name: str, notes: list[str]) -> str:
        p_spoof, llr, speech_s = figures
        numbers = f"{_number(p_spoof, '.3f'):>7}"
        bar = f"  {self._drawn(p_spoof)}" if self._bar else ""
        after = f"  {_number(llr, '+.2f'):>6}  {_number(speech_s, '.1f', ' s'):>8}  {printable(name)}"
        colour = COLOURS[verdict]
        said = self._style(f"{verdict:<12}", fg=colour, bold=True)
        row = f"{said}  {numbers}{self._style(bar, fg=colour) if bar else ''}{after}"
        if not notes:
            return row + "\n"
        note = printable("; ".join(notes))
        plain = 12 + 2 + len(numbers) + len(bar) + len(after) + 2 + len(note)
        gap = "  " if self._width is None or plain <= self._width else "\n    "
        return f"{row}{gap}{self._style(note, dim=True)}\n"

    def _drawn(self, share: float | None) -> str:
        if share is None:
            return " " * _BAR_CELLS
        if not self._blocks:
            return f"{'#' * round(share * _BAR_CELLS):<{_BAR_CELLS}}"
        whole, part = divmod(round(share * _BAR_CELLS * 8), 8)
        return f"{'█' * whole + (_EIGHTHS[part] if part else ''):<{_BAR_CELLS}}"

    def _style(self, text: str, *, fg: str | None = None, bold: bool | None = None, dim: bool | None = None) -> str:
        return click.style(text, fg=fg, bold=bold, dim=dim) if self._colour else text


def _number(value: float | None, form: str, unit: str = "") -> str:
    return "-" if value is None else f"{value:{form}}{unit}"
