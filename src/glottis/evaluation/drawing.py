"""How pictures look: SVG with text as text; made by matplotlib, which is loaded when one is drawn."""

from __future__ import annotations

import io
import re
from typing import Any

from glottis._extras import need

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5D5D5D")
"""Okabe and Ito's colours, which colour-blind people tell apart."""

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "glottis",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "path.simplify": True,
}


def new_picture(width: float, height: float, *, rows: int = 1, columns: int = 1, **more: Any) -> tuple[Any, Any, Any]:
    """The pyplot module, a figure of so many inches, and its axes, as ``pyplot.subplots`` gives them.

    Raises:
        MissingExtra: matplotlib is not installed (extra ``plots``).
    """
    need("matplotlib", extra="plots").use("svg")
    pyplot: Any = need("matplotlib.pyplot", extra="plots")
    pyplot.rcParams.update(_STYLE)
    figure, axes = pyplot.subplots(rows, columns, figsize=(width, height), layout="constrained", **more)
    return pyplot, figure, axes


def svg_of(pyplot: Any, figure: Any, title: str) -> str:
    """The figure as an SVG element that is as wide as its place; the figure is closed."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Title": title})
    pyplot.close(figure)
    text = out.getvalue()
    return re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', 'class="picture"', text[text.index("<svg") :], count=1)
