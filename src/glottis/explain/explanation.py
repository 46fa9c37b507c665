"""What an explanation says, in Python and in JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from glottis.verdict import Samples, Verdict

SCHEMA = 1
"""Raised when a field of an explanation is renamed or removed; not when one is added."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of a window in time and frequency.

    Attributes:
        start_s: Where it starts, in seconds from the recording's first sample.
        end_s: Where it ends.
        low_hz: Its lowest frequency.
        high_hz: Its highest.
        effect_score: What it adds to the window's score: the score with it minus the score without it.
        effect_llr: The same of the window's llr, in nats, or None where the bundle has no calibration. Below 0 the
            cell speaks for spoof, above 0 for a person.
        marked: Whether it is among those that the check deletes.
    """

    start_s: float
    end_s: float
    low_hz: float
    high_hz: float
    effect_score: float
    effect_llr: float | None
    marked: bool

    @property
    def effect(self) -> float:
        """In llr where there is one, else in score."""
        return self.effect_score if self.effect_llr is None else self.effect_llr


@dataclass(frozen=True, slots=True)
class Check:
    """Whether the marked cells matter: they are deleted all at once, and so are as many random ones.

    Attributes:
        unit: ``llr`` in nats, or ``score``.
        cells: How many are marked.
        of: How many there are.
        energy_share: The share of the window's energy in the marked cells.
        marked_move: How far their deletion moves the window towards the other side; below 0 it moves away from it.
        random_moves: How far that of random cells moves it to either side, one for each draw.
        passed: Whether the marked move is greater than each of the random ones.
    """

    unit: str
    cells: int
    of: int
    energy_share: float
    marked_move: float
    random_moves: tuple[float, ...]
    passed: bool

    @property
    def random_mean(self) -> float:
        """The mean of the random moves."""
        return sum(self.random_moves) / len(self.random_moves)


@dataclass(frozen=True, slots=True)
class Explained:
    """One window, cell by cell.

    Attributes:
        start_s: Where it starts, in seconds from the recording's first sample.
        end_s: Where it ends.
        score: Of the whole window, by itself.
        llr: Of the whole window, by itself, or None.
        why: Why this window was chosen.
        speaks_for: ``spoof`` or ``person``: the side whose cells are marked.
        shape: (bands, columns).
        cells: By band from low to high, and within a band by time.
        check: The check of what is marked.
        samples: The recording's samples there, for pictures; not in JSON.
    """

    start_s: float
    end_s: float
    score: float
    llr: float | None
    why: str
    speaks_for: str
    shape: tuple[int, int]
    cells: tuple[Cell, ...]
    check: Check
    samples: Samples = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the verdict on one recording hangs on.

    Attributes:
        verdict: The verdict.
        method: ``occlusion`` or ``gradients``.
        fill: What stands in the place of a deleted cell.
        sample_rate_hz: The model's rate: what lies above half of it was not heard.
        windows: The windows that were looked into, in order.
    """

    verdict: Verdict
    method: str
    fill: str
    sample_rate_hz: int
    windows: tuple[Explained, ...]

    def to_dict(self) -> dict[str, Any]:
        """The explanation with the names of its JSON: the verdict's own fields stand under ``verdict``."""
        return {
            "schema": SCHEMA,
            "source": self.verdict.source,
            "channel": self.verdict.channel,
            "method": self.method,
            "fill": self.fill,
            "sample_rate_hz": self.sample_rate_hz,
            "windows": [_window(window) for window in self.windows],
            "verdict": self.verdict.to_dict(),
        }

    def to_json(self) -> str:
        """The explanation as one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)


def _window(window: Explained) -> dict[str, Any]:
    check = asdict(window.check) | {"random_mean": window.check.random_mean}
    return {
        "start_s": window.start_s,
        "end_s": window.end_s,
        "score": window.score,
        "llr": window.llr,
        "why": window.why,
        "speaks_for": window.speaks_for,
        "bands": window.shape[0],
        "columns": window.shape[1],
        "check": check,
        "cells": [asdict(cell) for cell in window.cells],
    }
