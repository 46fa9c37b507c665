"""An explanation as a picture: the time line of the recording, and each window's spectrogram with what speaks."""

from __future__ import annotations

import os
import textwrap
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from glottis._extras import need
from glottis.errors import ConfigError
from glottis.explain.explanation import Explained, Explanation
from glottis.explain.spectrum import Canvas, Floats, Grid
from glottis.explain.words import SIDES, heading, said_of, value_of

SUFFIXES = (".png", ".svg")
SPOOF, PERSON, INK = "#D55E00", "#0072B2", "#333333"
"""Okabe and Ito's colours, which colour-blind people tell apart."""

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "glottis",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,
}
_WIDTH, _DPI = 9.0, 150
_DYNAMIC_DB = 75.0
_OPAQUE = 0.75
_LEAST_SCALE = 0.05
_BEYOND = {"spoof": "spoof up to", "bonafide": "bona fide from"}


def check_picture(path: str | os.PathLike[str]) -> Path:
    """The path of a picture that can be drawn, before anything is computed.

    Raises:
        ConfigError: ``setting``: its name ends neither in .png nor in .svg, or its folder is not there.
        MissingExtra: matplotlib is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path}: a picture ends in {' or '.join(SUFFIXES)}", code="setting")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{path}: there is no such folder", code="setting", hint="make it first")
    need("matplotlib.figure", extra="plots")
    return path


def draw(explanation: Explanation, path: str | os.PathLike[str]) -> Path:
    """Draw it as PNG or SVG; the path is given back.

    Raises:
        ConfigError: ``setting``: the path does not fit, or cannot be written.
        MissingExtra: matplotlib is not installed.
    """
    path = check_picture(path)
    matplotlib: Any = need("matplotlib", extra="plots")
    figures: Any = need("matplotlib.figure", extra="plots")
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in a script that the font does not have
        count = len(explanation.windows)
        figure = figures.Figure(figsize=(_WIDTH, 2.1 + 4.1 * count), layout="constrained")
        parts = figure.subfigures(1 + count, 1, height_ratios=[2.1, *[4.1] * count])
        _timeline(parts[0], explanation)
        for part, window in zip(parts[1:], explanation.windows, strict=True):
            _window(part, window, explanation)
        try:
            figure.savefig(path, dpi=_DPI, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}", code="setting", hint="choose another file") from error
    return path


def _timeline(part: Any, explanation: Explanation) -> None:
    """The llr of each window over the whole recording, with the thresholds; the windows looked into are shaded."""
    verdict = explanation.verdict
    part.suptitle(
        f"{_shown(verdict.source)}: {verdict.verdict}, {value_of(verdict.llr, verdict.score)}",
        x=0.01,
        ha="left",
        fontsize=11,
        weight="bold",
    )
    axes = part.subplots()
    for looked in explanation.windows:
        axes.axvspan(looked.start_s, looked.end_s, color="#eeeeee", zorder=0)
    unit = "llr" if verdict.llr is not None else "score"
    for window in verdict.windows:
        value = window.score if unit == "score" else window.llr
        if value is not None:
            colour = INK if unit == "score" else PERSON if value > 0 else SPOOF
            axes.plot([window.start_s, window.end_s], [value, value], color=colour, linewidth=3, solid_capstyle="butt")
    axes.axhline(0, color="#999999", linewidth=0.7)
    for name, threshold in (verdict.thresholds or {}).items():
        axes.axhline(threshold, color="#999999", linewidth=0.8, linestyle=(0, (4, 3)))
        axes.annotate(
            f"{_BEYOND[name]} {threshold:+.1f}",
            (1, threshold),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color="#666666",
        )
    axes.margins(y=0.12)
    low, high = axes.get_ylim()
    axes.set(xlim=(0, max(verdict.duration_s, 0.1)), ylim=(min(low, -2), max(high, 2)), ylabel=f"{unit} of windows")
    axes.set_xlabel("seconds into the recording (grey: shown below)")


def _window(part: Any, window: Explained, explanation: Explanation) -> None:
    """The spectrogram with its cells, what each band adds at the right, and what each column adds below."""
    part.suptitle(heading(window), x=0.01, ha="left", fontsize=9.5)
    part.supxlabel(
        "\n".join(textwrap.wrap(said_of(window.check, window.speaks_for), 150)), x=0.01, ha="left", fontsize=7.6
    )
    axes = part.subplots(
        2, 2, sharex="col", sharey="row", gridspec_kw={"height_ratios": [3, 1], "width_ratios": [6, 1]}
    )
    bands, columns = window.shape
    effects = np.array([cell.effect for cell in window.cells]).reshape(bands, columns)
    edges_s = np.array([*(cell.start_s for cell in window.cells[:columns]), window.cells[-1].end_s])
    edges_khz = np.array([*(cell.low_hz for cell in window.cells[::columns]), window.cells[-1].high_hz]) / 1000
    _spectrogram(axes[0, 0], window, explanation.sample_rate_hz)
    scale = max(float(np.abs(effects).max()), _LEAST_SCALE)
    _overlay(axes[0, 0], window, scale)
    unit = window.check.unit
    _bars(axes[1, 0], edges_s, effects.sum(axis=0), upright=True)
    _bars(axes[0, 1], edges_khz, effects.sum(axis=1), upright=False)
    axes[0, 0].set(ylabel="kHz", xlim=(edges_s[0], edges_s[-1]), ylim=(edges_khz[0], edges_khz[-1]))
    axes[1, 0].set(xlabel="seconds", ylabel=f"{unit}\nby time")
    axes[0, 1].set_title(f"{unit} by band", fontsize=9, weight="normal")
    axes[0, 1].tick_params(labelbottom=True)
    _key(axes[1, 1], scale, unit)


def _spectrogram(axes: Any, window: Explained, sample_rate_hz: int) -> None:
    duration_s = len(window.samples) / sample_rate_hz
    levels = Canvas(window.samples, sample_rate_hz, Grid.of(duration_s, sample_rate_hz, step_s=duration_s)).decibels()
    axes.imshow(
        levels,
        origin="lower",
        aspect="auto",
        cmap="gray_r",
        vmin=-_DYNAMIC_DB,
        vmax=0,
        interpolation="bilinear",
        extent=(window.start_s, window.start_s + duration_s, 0, sample_rate_hz / 2000),
    )


def _overlay(axes: Any, window: Explained, scale: float) -> None:
    """Each cell in the colour of its side, the fuller the greater its effect; those of the check have a frame."""
    patches: Any = need("matplotlib.patches", extra="plots")
    for cell in sorted(window.cells, key=lambda cell: cell.marked):
        corner = (cell.start_s, cell.low_hz / 1000)
        size = (cell.end_s - cell.start_s, (cell.high_hz - cell.low_hz) / 1000)
        colour = SPOOF if cell.effect < 0 else PERSON
        alpha = _OPAQUE * min(1.0, abs(cell.effect) / scale)
        axes.add_patch(patches.Rectangle(corner, *size, facecolor=colour, alpha=alpha, linewidth=0))
        if cell.marked:
            axes.add_patch(patches.Rectangle(corner, *size, fill=False, edgecolor=INK, linewidth=1.3))


def _bars(axes: Any, edges: Floats, sums: Floats, *, upright: bool) -> None:
    colours = [SPOOF if value < 0 else PERSON for value in sums]
    sizes = 0.86 * np.diff(edges)
    centres = (edges[1:] + edges[:-1]) / 2
    if upright:
        axes.bar(centres, sums, sizes, color=colours)
        axes.axhline(0, color="#999999", linewidth=0.7)
    else:
        axes.barh(centres, sums, sizes, color=colours)
        axes.axvline(0, color="#999999", linewidth=0.7)
    axes.margins(0.08)


def _key(axes: Any, scale: float, unit: str) -> None:
    """What the colours mean, in the corner that is free."""
    patches: Any = need("matplotlib.patches", extra="plots")
    axes.axis("off")
    axes.legend(
        handles=[
            patches.Patch(facecolor=SPOOF, alpha=_OPAQUE, label=f"for {SIDES['spoof']}"),
            patches.Patch(facecolor=PERSON, alpha=_OPAQUE, label=f"for {SIDES['person']}"),
            patches.Patch(facecolor="none", edgecolor=INK, label="marked"),
        ],
        loc="center",
        frameon=False,
        fontsize=8,
        title=f"full: {scale:.2f} {unit}",
        title_fontsize=8,
    )


def _shown(name: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in Path(name).name)
    return shown if len(shown) <= 60 else f"{shown[:28]}...{shown[-28:]}"  # noqa: PLR2004 (what fits in a line)
