"""EER against strength, a small picture for each family of conditions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from glottis.evaluation.conditions import CLEAN
from glottis.evaluation.drawing import COLOURS, new_picture, svg_of
from glottis.evaluation.robustness import Result

_COLUMNS = 4
_CHANCE = 55.0


def robustness_picture(results: Sequence[Result]) -> str:
    """One SVG: in each panel a family from mild to strong, with 95 % intervals, beside the clean EER (dashed).

    Raises:
        MissingExtra: matplotlib is not installed (extra ``plots``).
    """
    families = [(family, list(found)) for family, found in groupby(results, key=lambda one: one.family)]
    clean = next((one for one in results if one.family == CLEAN), None)
    families = [(family, found) for family, found in families if family != CLEAN]
    rows = max(1, -(-len(families) // _COLUMNS))
    pyplot, figure, grid = new_picture(11, 2.0 * rows + 0.3, rows=rows, columns=_COLUMNS, sharey=True, squeeze=False)
    cells = list(grid.flat)
    highest = max([_CHANCE, *(100 * one.eer.high for one in results if one.eer is not None)])
    for axes, (family, found) in zip(cells, families, strict=False):
        if clean is not None and clean.eer is not None:
            axes.axhline(100 * clean.eer.value, color="#777777", linewidth=0.9, linestyle="--")
        _panel(axes, found, ordered=found[0].at is not None)
        axes.set_title(family, fontsize=9, loc="left")
        axes.set_ylim(0, highest)
    for axes in cells[len(families) :]:
        axes.set_visible(False)
    figure.supylabel("EER, % (dashed: clean)", fontsize=9)
    return svg_of(pyplot, figure, "EER under conditions")


def _panel(axes: Any, found: Sequence[Result], *, ordered: bool) -> None:
    known = [(place, one.eer) for place, one in enumerate(found) if one.eer is not None]
    places, values = [place for place, _ in known], [100 * eer.value for _, eer in known]
    if ordered:
        axes.plot(places, values, color=COLOURS[0], marker="o", markersize=3.5, linewidth=1.3)
        axes.fill_between(
            places,
            [100 * eer.low for _, eer in known],
            [100 * eer.high for _, eer in known],
            color=COLOURS[0],
            alpha=0.16,
            linewidth=0,
        )
    else:
        ends = [[value - 100 * eer.low for value, (_, eer) in zip(values, known, strict=True)]]
        ends.append([100 * eer.high - value for value, (_, eer) in zip(values, known, strict=True)])
        axes.errorbar(places, values, yerr=ends, color=COLOURS[0], marker="o", markersize=4, linestyle="", linewidth=1)
    words = [one.strength.replace(" kbit/s", " k") for one in found]
    axes.set_xticks(range(len(found)), words, fontsize=7, rotation=0 if ordered else 15)
    axes.set_xlim(-0.4, len(found) - 0.6)
