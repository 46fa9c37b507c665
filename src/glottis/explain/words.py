"""An explanation in plain words, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from glottis.explain.explanation import Cell, Check, Explained, Explanation

SIDES = {"spoof": "spoof", "person": "a person"}
_OTHER = {"spoof": "a person", "person": "spoof"}
_COARSE_S = 0.2


def lines_of(explanation: Explanation, *, most: int = 8) -> Iterator[str]:
    """The verdict, and for each window its most decisive cells and the check, line by line.

    Args:
        explanation: What to tell.
        most: How many cells are shown of each window.
    """
    verdict = explanation.verdict
    yield f"{verdict.source}: {verdict.verdict}, {value_of(verdict.llr, verdict.score)}"
    for window in explanation.windows:
        yield f"{heading(window)}:"
        for cell in decisive(window, most):
            yield f"  {describe(cell)}"
        yield f"  {said_of(window.check, window.speaks_for)}"


def heading(window: Explained) -> str:
    """Which window, and what it says."""
    span = f"window {window.start_s:.1f} to {window.end_s:.1f} s"
    return f"{span} ({window.why}), {value_of(window.llr, window.score)}, speaks for {SIDES[window.speaks_for]}"


def value_of(llr: float | None, score: float | None) -> str:
    """The llr, or the score where there is none."""
    return f"score {score or 0.0:+.2f}, not calibrated" if llr is None else f"llr {llr:+.2f}"


def decisive(window: Explained, most: int) -> list[Cell]:
    """The cells of greatest effect to either side, the greatest first."""
    return sorted(window.cells, key=lambda cell: -abs(cell.effect))[:most]


def describe(cell: Cell) -> str:
    """A cell as ``1.2 to 1.6 s, 2.0 to 3.0 kHz: speaks for spoof, 1.30 of llr``."""
    side = SIDES["spoof" if cell.effect < 0 else "person"]
    unit = "score" if cell.effect_llr is None else "llr"
    digits = 1 if cell.end_s - cell.start_s >= _COARSE_S else 2
    when = f"{cell.start_s:.{digits}f} to {cell.end_s:.{digits}f} s"
    place = f"{when}, {cell.low_hz / 1000:.1f} to {cell.high_hz / 1000:.1f} kHz"
    return f"{place}: speaks for {side}, {abs(cell.effect):.2f} of {unit}" + (" (marked)" if cell.marked else "")


def said_of(check: Check, speaks_for: str) -> str:
    """The figures of the check, in one sentence."""
    marked = "the marked cell" if check.cells == 1 else f"the {check.cells} marked cells"
    away = _OTHER[speaks_for] if check.marked_move >= 0 else SIDES[speaks_for]
    text = (
        f"check: deleting {marked} of {check.of} moves the {check.unit} by {abs(check.marked_move):.2f} towards {away},"
        f" as many random ones by {check.random_mean:.2f} ({len(check.random_moves)} draws,"
        f" at most {max(check.random_moves):.2f}): "
    )
    return text + ("passed" if check.passed else "NOT PASSED, do not rely on what is marked")
