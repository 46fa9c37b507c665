"""One HTML file that says it all: no network, no script, made for the screen and for paper."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

import glottis
from glottis.evaluation.breakdown import Part
from glottis.evaluation.compare import Comparison
from glottis.evaluation.evaluate import OF_LLRS, Evaluation
from glottis.evaluation.figures import det_picture, histogram_picture, reliability_picture, tippett_picture
from glottis.metrics import Interval

WORST = 10
"""How many of the worst trials of each class are named."""

PERCENT = frozenset({"eer", "eer_interpolated", "auc"})
_PARTS_SHOWN = 40

TITLES = {
    "eer": "EER, challenge mode, %",
    "eer_interpolated": "EER, interpolated, %",
    "auc": "AUC, %",
    "min_dcf": "min DCF (ASVspoof 5)",
    "act_dcf": "actual DCF (ASVspoof 5)",
    "cllr": "Cllr, bits",
    "min_cllr": "min Cllr, bits",
    "apcer_at_bpcer_1": "APCER at BPCER 1 %, %",
    "apcer_at_bpcer_5": "APCER at BPCER 5 %, %",
    "bpcer_at_apcer_5": "BPCER at APCER 5 %, %",
    "bpcer_at_apcer_10": "BPCER at APCER 10 %, %",
    "min_tdcf_2019": "min t-DCF, form of 2019",
    "min_tdcf_2021": "min t-DCF, form of 2021",
}
"""What the figures are called in tables."""

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #1c1c1c; margin: 0 auto;
       max-width: 1080px; padding: 24px 28px 60px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 36px 0 8px; }
h3 { font-size: 15px; margin: 18px 0 6px; } p { max-width: 46em; margin: 6px 0 12px; }
.faint { color: #666; } table { border-collapse: collapse; margin: 6px 0 14px; font-size: 14px; }
th { text-align: left; font-weight: 600; border-bottom: 2px solid #333; padding: 4px 14px 4px 0;
     vertical-align: bottom; }
td { border-bottom: 1px solid #e2e2e2; padding: 3px 14px 3px 0; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.pictures { display: flex; flex-wrap: wrap; gap: 12px 28px; align-items: flex-start; }
.pictures figure { margin: 0; flex: 1 1 380px; max-width: 520px; } figcaption { font-size: 13px; color: #555; }
svg.picture { width: 100%; height: auto; } .bar { display: block; height: 9px; background: #0072B2; }
.track { display: block; width: 130px; background: #f0f0f0; height: 9px; margin-top: 6px; }
.notice { background: #fff4e0; border-left: 4px solid #E69F00; padding: 6px 12px; margin: 8px 0; max-width: 60em; }
.name { overflow-wrap: anywhere; }
@media print { body { max-width: none; padding: 0; font-size: 11px; } table { font-size: 10px; }
  h2 { break-after: avoid; } figure, tr { break-inside: avoid; } .pictures figure { flex-basis: 45%; } }
"""


def html_report(evaluations: Sequence[Evaluation], comparisons: Sequence[Comparison] = ()) -> str:
    """The report on one or more systems that were measured on one protocol.

    Raises:
        MissingExtra: matplotlib is not installed (extra ``plots``).
    """
    first = evaluations[0]
    title = f"{', '.join(one.name for one in evaluations)} on {first.trials.protocol}"
    body = [*_head(evaluations), *_summary(evaluations), *_pictures(evaluations)]
    body += _comparisons(comparisons)
    for one in evaluations:
        body += _system(one, several=len(evaluations) > 1)
    body.append(f'<p class="faint">Made by Glottis {escape(glottis.__version__)}.</p>')
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{_STYLE}</style>\n</head>\n<body>\n'
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def shown(name: str, figure: Interval) -> str:
    """A figure with its interval, as it stands in tables: rates in per cent, all else as it is."""
    scale, digits = (100, 2) if _percent(name) else (1, 4)
    return f"{scale * figure.low:.{digits}f} to {scale * figure.high:.{digits}f}"


def value_of(name: str, value: float) -> str:
    """A figure to six digits, rates in per cent."""
    return f"{100 * value:.6f}" if _percent(name) else f"{value:.6f}"


def _percent(name: str) -> bool:
    return name in PERCENT or "pcer" in name


def _head(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    first = evaluations[0]
    real, fake = first.trials.by_class
    yield f"<h1>{escape(' / '.join(one.name for one in evaluations))}</h1>"
    unit = "trial" if first.unit == "trial" else f"{first.unit}, all its trials together"
    yield (
        f'<p class="faint">on <b>{escape(first.trials.protocol)}</b>: {real.size:,} bona fide and {fake.size:,} spoof '
        f"trials. Higher scores are more bona fide. Intervals are of 95 %, resampled by {escape(unit)}.</p>"
    )
    for one in evaluations:
        for notice in one.trials.notices:
            yield f'<div class="notice"><b>{escape(one.name)}</b>: {escape(notice)}</div>'


def _summary(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    yield "<h2>Figures</h2>"
    heads = "".join(f'<th class="n name">{escape(one.name)}</th><th>95 %</th>' for one in evaluations)
    rows = []
    for name in evaluations[0].figures:
        cells = "".join(
            f'<td class="n">{value_of(name, one.figures[name].value)}</td>'
            f'<td class="faint">{shown(name, one.figures[name])}</td>'
            for one in evaluations
        )
        star = " *" if name in OF_LLRS else ""
        rows.append(f"<tr><td>{escape(TITLES.get(name, name))}{star}</td>{cells}</tr>")
    yield f"<table><tr><th>figure</th>{heads}</tr>{''.join(rows)}</table>"
    yield '<p class="faint">* of the scores read as llrs in nats; it says little of uncalibrated scores.</p>'
    asv = evaluations[0].asv
    if asv is not None:
        yield (
            f'<p class="faint">The ASV system misses {100 * asv.miss:.4f} % of targets and accepts '
            f"{100 * asv.false_alarm:.4f} % of other speakers and {100 * asv.spoof_false_alarm:.4f} % of spoofs.</p>"
        )


def _pictures(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    yield "<h2>Curves</h2>"
    yield '<div class="pictures">'
    yield _figure(det_picture(evaluations), "Detection error trade-off with 95 % bands; the EER lies on the diagonal.")
    yield _figure(
        reliability_picture(evaluations),
        "Calibration: scores read as llrs at even odds. On the diagonal, a stated probability is what it says.",
    )
    yield "</div>"


def _figure(picture: str, caption: str) -> str:
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def _comparisons(comparisons: Sequence[Comparison]) -> Iterator[str]:
    if not comparisons:
        return
    yield "<h2>Are they different?</h2>"
    yield (
        "<p>On the trials that both scored. A difference whose interval holds no 0 is more than chance. McNemar's test "
        "takes each system at its own EER threshold, found on these trials.</p>"
    )
    rows = "".join(
        f'<tr><td class="name">{escape(one.first)} - {escape(one.second)}</td><td class="n">{one.n_trials:,}</td>'
        f'<td class="n">{100 * one.eer_difference.value:+.3f}</td>'
        f"<td>{100 * one.eer_difference.low:+.3f} to {100 * one.eer_difference.high:+.3f}</td>"
        f'<td class="n">{one.mcnemar.only_a:,} / {one.mcnemar.only_b:,}</td>'
        f'<td class="n">{one.mcnemar.p_value:.2g}</td></tr>'
        for one in comparisons
    )
    yield (
        '<table><tr><th>systems</th><th class="n">trials</th><th class="n">EER difference, points</th><th>95 %</th>'
        f'<th class="n">only one is right</th><th class="n">p (McNemar)</th></tr>{rows}</table>'
    )


def _system(one: Evaluation, *, several: bool) -> Iterator[str]:
    yield f"<h2>{escape(one.name)}</h2>" if several else "<h2>Scores</h2>"
    yield '<div class="pictures">'
    yield _figure(histogram_picture(one), "The scores of each class.")
    yield _figure(tippett_picture(one), "Tippett plot: scores read as llrs.")
    yield "</div>"
    yield from _thresholds(one)
    for column, parts in one.parts.items():
        yield from _parts(column, parts)
    yield from _worst(one)


def _thresholds(one: Evaluation) -> Iterator[str]:
    yield "<h3>Thresholds</h3>"
    rows = []
    for at in one.thresholds:
        counts = at.confusion
        name = f"{escape(at.name)}{' (oracle: found on these trials)' if at.oracle else ''}"
        value = f"{at.threshold:.4f}" if math.isfinite(at.threshold) else "none"
        cells = (counts.accuracy, counts.recall_bonafide, counts.recall_spoof, counts.f1_spoof)
        shares = "".join(f'<td class="n">{100 * share:.2f}</td>' for share in cells)
        rows.append(f'<tr><td>{name}</td><td class="n">{value}</td>{shares}</tr>')
    yield (
        '<table><tr><th>threshold</th><th class="n">score</th><th class="n">accuracy, %</th>'
        '<th class="n">bona fide accepted, %</th><th class="n">spoof rejected, %</th>'
        '<th class="n">F1 of spoof, %</th></tr>'
        f"{''.join(rows)}</table>"
    )


def _parts(column: str, parts: Sequence[Part]) -> Iterator[str]:
    yield f"<h3>By {escape(column)}</h3>"
    known = [part for part in parts if part.eer is not None]
    most = max((part.high or 0.0 for part in known), default=0.0) or 1.0
    costs = any(part.min_tdcf is not None for part in parts)
    shown_parts = (
        sorted(parts, key=lambda part: -(part.eer or 0.0))[:_PARTS_SHOWN] if len(parts) > _PARTS_SHOWN else parts
    )
    rows = "".join(_part_row(part, most, costs=costs) for part in shown_parts)
    cost = '<th class="n">min t-DCF 2019</th>' if costs else ""
    if len(parts) > _PARTS_SHOWN:
        yield f'<p class="faint">The {_PARTS_SHOWN} worst of {len(parts)}.</p>'
    yield (
        f'<table><tr><th>{escape(column)}</th><th class="n">bona fide</th><th class="n">spoof</th>'
        f'<th class="n">EER, %</th><th>95 %</th><th></th>{cost}</tr>{rows}</table>'
    )


def _part_row(part: Part, most: float, *, costs: bool) -> str:
    cells = f'<td class="n">{part.n_bonafide:,}</td><td class="n">{part.n_spoof:,}</td>'
    if part.eer is None or part.low is None or part.high is None:
        cells += '<td class="n">-</td><td class="faint">one class only</td><td></td>'
    else:
        width = round(130 * part.eer / most)
        cells += (
            f'<td class="n">{100 * part.eer:.3f}</td>'
            f'<td class="faint">{100 * part.low:.2f} to {100 * part.high:.2f}</td>'
            f'<td><span class="track"><span class="bar" style="width:{width}px"></span></span></td>'
        )
    if costs:
        cells += f'<td class="n">{"-" if part.min_tdcf is None else f"{part.min_tdcf:.5f}"}</td>'
    return f'<tr><td class="name">{escape(part.value)}</td>{cells}</tr>'


def _worst(one: Evaluation) -> Iterator[str]:
    trials = one.trials
    yield "<h3>Worst trials</h3>"
    order = np.argsort(trials.scores, kind="stable")
    lists = (
        ("bona fide, with the lowest scores", order[trials.bonafide[order]][:WORST]),
        ("spoof, with the highest scores", order[~trials.bonafide[order]][::-1][:WORST]),
    )
    facts = [name for name in ("attack", "system", "kind", "speaker", "source", "codec") if name in trials.columns][:3]
    for title, places in lists:
        rows = "".join(
            f'<tr><td class="name">{escape(str(trials.trials[i]))}</td><td class="n">{trials.scores[i]:.3f}</td>'
            + "".join(f'<td class="name">{escape(str(trials.columns[name][i]))}</td>' for name in facts)
            + "</tr>"
            for i in places.tolist()
        )
        heads = "".join(f"<th>{escape(name)}</th>" for name in facts)
        yield f'<table><tr><th>{title}</th><th class="n">score</th>{heads}</tr>{rows}</table>'
