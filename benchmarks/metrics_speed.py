"""Every metric beside its plain formula, in one run: seconds, ratios, and how far the two values lie apart.

usage: python benchmarks/metrics_speed.py [--trials 1000000] [--resamples 50] [--json results/metrics_speed.json]

The plain formulas walk the sorted trials in Python, one by one, and share no code with the package. One trial in ten is
bona fide. The concurrent t-EER's plain formula tries all pairs of thresholds: it is timed on fewer trials, which the
table says. Intervals stand beside repeating the trials and calling the metric once for each resample.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from glottis import metrics
from glottis.metrics import METRICS, OTHER_METRICS, Frames, Stretch

NEAR = 1e-9
PAIRS = 1_200
C0, C1, C2 = 0.019469691934153436, 0.9210303080658465, 0.23035414538023646

Scores = list[float]
Point = tuple[float, float]


def walk(bonafide: Scores, spoof: Scores) -> Iterator[tuple[int, int]]:
    """How many are missed and accepted: nothing rejected, then up to each distinct score."""
    trials = sorted([(score, 0) for score in bonafide] + [(score, 1) for score in spoof])
    missed, accepted = 0, len(spoof)
    yield missed, accepted
    for _, tied in groupby(trials, key=lambda trial: trial[0]):
        for _, is_spoof in tied:
            accepted -= is_spoof
            missed += 1 - is_spoof
        yield missed, accepted


def rates(bonafide: Scores, spoof: Scores) -> Iterator[Point]:
    for missed, accepted in walk(bonafide, spoof):
        yield missed / len(bonafide), accepted / len(spoof)


def plain_challenge(bonafide: Scores, spoof: Scores) -> float:
    trials = sorted([(score, 0) for score in bonafide] + [(score, 1) for score in spoof])
    best, missed, accepted = (1.0, 0.5), 0, len(spoof)
    for _, is_spoof in trials:
        accepted -= is_spoof
        missed += 1 - is_spoof
        miss, false_alarm = missed / len(bonafide), accepted / len(spoof)
        if abs(miss - false_alarm) < best[0]:
            best = (abs(miss - false_alarm), (miss + false_alarm) / 2)
    return best[1]


def plain_distinct(bonafide: Scores, spoof: Scores) -> float:
    miss, false_alarm = min(rates(bonafide, spoof), key=lambda point: abs(point[0] - point[1]))
    return (miss + false_alarm) / 2


def crossing(points: Iterator[Point]) -> float:
    before = (0.0, 1.0)
    for point in points:
        if point[0] >= point[1]:
            low, high = before[0] - before[1], point[0] - point[1]
            return before[0] + (point[0] - before[0]) * low / (low - high)
        before = point
    raise AssertionError


def plain_hull(bonafide: Scores, spoof: Scores) -> list[Point]:
    hull: list[Point] = []
    for x, y in rates(bonafide, spoof):
        while len(hull) > 1 and (hull[-1][0] - hull[-2][0]) * (y - hull[-2][1]) <= (hull[-1][1] - hull[-2][1]) * (
            x - hull[-2][0]
        ):
            hull.pop()
        hull.append((x, y))
    return hull


def plain_auc(bonafide: Scores, spoof: Scores) -> float:
    area, before = 0.0, (0.0, 1.0)
    for miss, false_alarm in rates(bonafide, spoof):
        area += (before[1] - false_alarm) * (2 - miss - before[0]) / 2
        before = (miss, false_alarm)
    return area


def plain_precision(positives: Scores, negatives: Scores) -> float:
    """With the positives at the low end."""
    total, before = 0.0, 0
    for hits, left in walk(positives, negatives):
        if hits > before:
            total += (hits - before) / len(positives) * hits / (hits + len(negatives) - left)
        before = hits
    return total


def plain_min_cllr(bonafide: Scores, spoof: Scores) -> float:
    hull, cost = plain_hull(bonafide, spoof), 0.0
    for (x0, y0), (x1, y1) in pairwise(hull):
        share_b, share_s = x1 - x0, y0 - y1
        if share_b > 0 and share_s > 0:
            cost += share_b * math.log2(1 + share_s / share_b) + share_s * math.log2(1 + share_b / share_s)
    return cost / 2


def plain_least(miss_weight: float, false_alarm_weight: float, floor: float = 0.0) -> Callable[..., float]:
    return lambda b, s: floor + min(miss_weight * miss + false_alarm_weight * fa for miss, fa in rates(b, s))


def sides(bonafide: Scores, spoof: Scores, threshold: float = 0.0) -> tuple[int, int, int, int]:
    """True spoof, false spoof, true bona fide, false bona fide."""
    caught = sum(1 for score in spoof if score < threshold)
    missed = sum(1 for score in bonafide if score < threshold)
    return caught, missed, len(bonafide) - missed, len(spoof) - caught


def f1(hit: float, wrong: float, lost: float) -> float:
    return 2 * hit / (2 * hit + wrong + lost)


PLAIN_FIGURES: dict[str, Callable[[int, int, int, int], float]] = {
    "accuracy": lambda ts, fs, tb, fb: (ts + tb) / (ts + fs + tb + fb),
    "balanced_accuracy": lambda ts, fs, tb, fb: (ts / (ts + fb) + tb / (tb + fs)) / 2,
    "precision_spoof": lambda ts, fs, tb, fb: ts / (ts + fs),  # noqa: ARG005
    "recall_spoof": lambda ts, fs, tb, fb: ts / (ts + fb),  # noqa: ARG005
    "f1_spoof": lambda ts, fs, tb, fb: f1(ts, fs, fb),  # noqa: ARG005
    "precision_bonafide": lambda ts, fs, tb, fb: tb / (tb + fb),  # noqa: ARG005
    "recall_bonafide": lambda ts, fs, tb, fb: tb / (tb + fs),  # noqa: ARG005
    "f1_bonafide": lambda ts, fs, tb, fb: f1(tb, fb, fs),  # noqa: ARG005
    "macro_f1": lambda ts, fs, tb, fb: (f1(ts, fs, fb) + f1(tb, fb, fs)) / 2,
}


def plain_predictive(prior: float, which: int) -> Callable[..., float]:
    def value(bonafide: Scores, spoof: Scores) -> float:
        ts, fs, tb, fb = sides(bonafide, spoof)
        if which == 0:
            right, wrong = prior * ts / len(spoof), (1 - prior) * fs / len(bonafide)
        else:
            right, wrong = (1 - prior) * tb / len(bonafide), prior * fb / len(spoof)
        return right / (right + wrong)

    return value


def plain_dcf(threshold: float) -> Callable[..., float]:
    def value(bonafide: Scores, spoof: Scores) -> float:
        _, missed, _, accepted = sides(bonafide, spoof, threshold)
        return 1.9 * missed / len(bonafide) + accepted / len(spoof)

    return value


def plain_cllr(bonafide: Scores, spoof: Scores) -> float:
    of_b = sum(math.log2(1 + math.exp(-llr)) for llr in bonafide) / len(bonafide)
    return (of_b + sum(math.log2(1 + math.exp(llr)) for llr in spoof) / len(spoof)) / 2


def stated(bonafide: Scores, spoof: Scores) -> list[tuple[float, int]]:
    return [(1 / (1 + math.exp(-llr)), 1) for llr in bonafide] + [(1 / (1 + math.exp(-llr)), 0) for llr in spoof]


def plain_brier(bonafide: Scores, spoof: Scores) -> float:
    pairs = stated(bonafide, spoof)
    return sum((p - y) ** 2 for p, y in pairs) / len(pairs)


def plain_log_loss(bonafide: Scores, spoof: Scores) -> float:
    total = sum(math.log1p(math.exp(-llr)) for llr in bonafide) + sum(math.log1p(math.exp(llr)) for llr in spoof)
    return total / (len(bonafide) + len(spoof))


def gaps(bins: dict[int, list[tuple[float, float]]]) -> float:
    trials = sum(len(pairs) for pairs in bins.values())
    return sum(abs(sum(p for p, _ in pairs) - sum(y for _, y in pairs)) for pairs in bins.values()) / trials


def plain_ece(bonafide: Scores, spoof: Scores, *, top: bool = False) -> float:
    bins: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for p, y in stated(bonafide, spoof):
        stated_p, right = (max(p, 1 - p), int((p >= 0.5) == y)) if top else (p, y)  # noqa: PLR2004
        bins[max(0, math.ceil(stated_p * 15) - 1)].append((stated_p, right))
    return gaps(bins)


def plain_ece_mass(bonafide: Scores, spoof: Scores) -> float:
    pairs = sorted(stated(bonafide, spoof), key=lambda pair: pair[0])
    size, more = divmod(len(pairs), 15)
    ends = [i * size + min(i, more) for i in range(16)]
    return gaps({i: list(pairs[ends[i] : ends[i + 1]]) for i in range(15)})


def plain_risks(bonafide: Scores, spoof: Scores) -> Scores:
    """The risk among the i surest, for trials without ties."""
    trials = sorted([(-abs(x), x < 0) for x in bonafide] + [(-abs(x), x >= 0) for x in spoof])
    errors, risks = 0, []
    for i, (_, wrong) in enumerate(trials, 1):
        errors += wrong
        risks.append(errors / i)
    return risks


def plain_share(bonafide: Scores, spoof: Scores) -> float:
    risks = plain_risks(bonafide, spoof)
    return risks[math.ceil(0.9 * len(risks)) - 1]


def plain_a_dcf(target: Scores, nontarget: Scores, spoof: Scores) -> float:
    trials = sorted([(x, 0) for x in target] + [(x, 1) for x in nontarget] + [(x, 2) for x in spoof])
    left, least = [0, len(nontarget), len(spoof)], math.inf
    sizes = len(target), len(nontarget), len(spoof)
    for score, kind in [(-math.inf, -1), *trials]:
        if kind >= 0:
            left[kind] += 1 if kind == 0 else -1
        cost = 0.9405 * left[0] / sizes[0] + 0.095 * left[1] / sizes[1] + 0.5 * left[2] / sizes[2]
        least = min(least, cost) if score > -math.inf else cost
    return least / 0.595


def plain_t_eer(target: Scores, nontarget: Scores, spoof: Scores, bonafide: Scores, fakes: Scores) -> float:
    """All pairs of thresholds, as the organisers' full search."""
    cm = list(rates(bonafide, fakes))
    best = (math.inf, math.inf)
    for threshold in [-math.inf, *sorted({*target, *nontarget, *spoof})]:
        miss = sum(x <= threshold for x in target) / len(target)
        others = sum(x > threshold for x in nontarget) / len(nontarget)
        spoofs = sum(x > threshold for x in spoof) / len(spoof)
        if spoofs == 0 or miss >= (others + spoofs) / 2:
            continue
        cm_miss, cm_fa = min(
            cm, key=lambda p: abs(p[0] + (1 - p[0]) * miss - (1 - p[0]) * others / 2 - p[1] * spoofs / 2)
        )
        if cm_miss < 1:
            best = min(best, (abs(others / spoofs - cm_fa / (1 - cm_miss)), spoofs * cm_fa))
    return best[1]


def plain_frames(recordings: list[Frames]) -> tuple[list[tuple[float, float, float]], float, float]:
    """(score, seconds of bona fide, seconds of spoof) of each frame of one second, ascending, and the sums."""
    rows = []
    for one in recordings:
        for i, score in enumerate(np.asarray(one.scores).tolist()):
            end = one.duration_s if i + 1 == np.size(one.scores) else min(i + 1, one.duration_s)
            seconds = [0.0, 0.0]
            for part in one.stretches:
                seconds[part.bonafide] += max(0.0, min(end, part.end_s) - max(i, part.start_s))
            rows.append((score, seconds[1], seconds[0]))
    return sorted(rows), sum(row[1] for row in rows), sum(row[2] for row in rows)


def plain_range_eer(recordings: list[Frames]) -> float:
    rows, all_b, all_s = plain_frames(recordings)
    points, missed, accepted = [(0.0, 1.0)], 0.0, all_s
    for _, tied in groupby(rows, key=lambda row: row[0]):
        for _, real, fake in tied:
            missed, accepted = missed + real, accepted - fake
        points.append((missed / all_b, accepted / all_s))
    miss, false_alarm = min(points, key=lambda point: abs(point[0] - point[1]))
    return (miss + false_alarm) / 2


def plain_range_rates(recordings: list[Frames]) -> tuple[float, float]:
    rows, all_b, all_s = plain_frames(recordings)
    return sum(row[1] for row in rows if row[0] < 0) / all_b, sum(row[2] for row in rows if row[0] >= 0) / all_s


def plain_range_f1(recordings: list[Frames]) -> float:
    rows, _, all_s = plain_frames(recordings)
    hit, wrong = sum(row[2] for row in rows if row[0] < 0), sum(row[1] for row in rows if row[0] < 0)
    return f1(hit, wrong, all_s - hit)


def plain_segment_eer(recordings: list[Frames]) -> float:
    classes: tuple[Scores, Scores] = [], []
    for one in recordings:
        for i, score in enumerate(np.asarray(one.scores).tolist()):
            fake = any(not p.bonafide and round(p.start_s) <= i < round(p.end_s) for p in one.stretches)
            classes[fake].append(score)
    return plain_challenge(*classes)


def plain_within(scores: Scores, bonafide: list[bool], groups: list[str]) -> dict[str, float]:
    parts: dict[str, tuple[Scores, Scores]] = defaultdict(lambda: ([], []))
    for score, real, group in zip(scores, bonafide, groups, strict=True):
        parts[group][not real].append(score)
    return {group: plain_challenge(*parts[group]) for group in sorted(parts)}


def plain_by_attack(spoof: Scores, attacks: list[str]) -> dict[str, float]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for score, attack in zip(spoof, attacks, strict=True):
        counts[attack][0] += score >= 0
        counts[attack][1] += 1
    return {attack: counts[attack][0] / counts[attack][1] for attack in sorted(counts)}


def plain_mcnemar(first: list[bool], second: list[bool]) -> float:
    only_a = sum(a and not b for a, b in zip(first, second, strict=True))
    only_b = sum(b and not a for a, b in zip(first, second, strict=True))
    n, k = only_a + only_b, min(only_a, only_b)
    log_p = [math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) - n * math.log(2) for i in range(k + 1)]
    return min(1.0, 2 * sum(map(math.exp, log_p)))


def plain_interpolated(bonafide: Scores, spoof: Scores) -> float:
    return crossing(rates(bonafide, spoof))


def plain_difference(first: Scores, second: Scores, bonafide: list[bool]) -> float:
    found = []
    for scores in (first, second):
        classes: tuple[Scores, Scores] = [], []
        for score, real in zip(scores, bonafide, strict=True):
            classes[not real].append(score)
        found.append(plain_interpolated(*classes))
    return found[0] - found[1]


def share(flags: list[bool]) -> float:
    return sum(1 for flag in flags if flag) / len(flags)


def plain_accepted(spoof: Scores) -> float:
    return sum(1 for score in spoof if score >= 0) / len(spoof)


PLAIN: dict[str, Callable[..., Any]] = {
    "eer": plain_challenge,
    "eer_distinct": plain_distinct,
    "eer_interpolated": plain_interpolated,
    "eer_rocch": lambda b, s: crossing(iter(plain_hull(b, s))),
    "auc": plain_auc,
    "average_precision_spoof": lambda b, s: plain_precision(s, b),
    "average_precision_bonafide": lambda b, s: plain_precision([-x for x in b], [-x for x in s]),
    "min_cllr": plain_min_cllr,
    "min_dcf": plain_least(1.9, 1.0),
    "min_tdcf_2019": plain_least(C1 / min(C1, C2), C2 / min(C1, C2)),
    "min_tdcf_2021": plain_least(C1 / (C0 + C2), C2 / (C0 + C2), C0 / (C0 + C2)),
    **{
        f"apcer_at_bpcer_{level}": lambda b, s, at=level / 100: min(fa for m, fa in rates(b, s) if m <= at)
        for level in (1, 5)
    },
    **{
        f"bpcer_at_apcer_{level}": lambda b, s, at=level / 100: min(m for m, fa in rates(b, s) if fa <= at)
        for level in (5, 10)
    },
    **{name: lambda b, s, of=figure: of(*sides(b, s)) for name, figure in PLAIN_FIGURES.items()},
    **{
        f"{name}_at_{prior:g}": plain_predictive(prior, which)
        for which, name in enumerate(("ppv", "npv"))
        for prior in (0.001, 0.01, 0.1)
    },
    "dcf": plain_dcf(0.0),
    "act_dcf": plain_dcf(-math.log(1.9)),
    "error_at_share": plain_share,
    "risk_coverage_area": lambda b, s: sum(plain_risks(b, s)) / (len(b) + len(s)),
    "cllr": plain_cllr,
    "calibration_loss": lambda b, s: plain_cllr(b, s) - plain_min_cllr(b, s),
    "brier": plain_brier,
    "log_loss": plain_log_loss,
    "ece": plain_ece,
    "ece_top_label": lambda b, s: plain_ece(b, s, top=True),
    "ece_mass": plain_ece_mass,
    "apcer": plain_accepted,
    "bpcer": lambda b: sum(1 for score in b if score < 0) / len(b),
    "srr_complement": plain_accepted,
    "a_dcf": plain_a_dcf,
    "t_eer": plain_t_eer,
    "sasv_eers": lambda t, n, s: metrics.SasvEers(
        plain_challenge(t, n + s), plain_challenge(t, n), plain_challenge(t, s)
    ),
    "eers_within": plain_within,
    "mean_eer_within": lambda *args: float(np.mean(list(plain_within(*args).values()))),
    "apcer_by_attack": plain_by_attack,
    "worst_apcer": lambda *args: max(plain_by_attack(*args).items(), key=lambda item: item[1]),
    "segment_eer": plain_segment_eer,
    "range_eer": plain_range_eer,
    "range_rates": plain_range_rates,
    "range_f1": plain_range_f1,
    "paired_difference": plain_difference,
    "mcnemar": plain_mcnemar,
    "apnrr": share,
    "bpnrr": share,
    "dsr": lambda rows, at: (
        sum(score >= threshold for row, threshold in zip(rows, at, strict=True) for score in row) / sum(map(len, rows))
    ),
}
ARITHMETIC = {"weighted_eer", "add_track2_score", "predictive_values"}
"""Figures of two rates, which no number of trials makes slow."""


def other_inputs(bonafide: np.ndarray, spoof: np.ndarray, rng: np.random.Generator) -> dict[str, tuple[Any, ...]]:
    """What each metric of another shape takes, on as many trials in all."""
    n = bonafide.size + spoof.size
    scores = np.concatenate([bonafide, spoof])
    labels = np.repeat([True, False], [bonafide.size, spoof.size])
    groups = np.char.add("g", rng.integers(100, size=n).astype(str))
    attacks = np.char.add("A", rng.integers(20, size=spoof.size).astype(str))
    parts = bonafide.size // 2
    triple = (bonafide[:parts], bonafide[parts:] - 2, spoof)
    noisy = scores + rng.normal(0, 0.5, n)
    recordings = [
        Frames(row, [Stretch(0, 30.3, bonafide=True), Stretch(30.3, 50, bonafide=False)], 50)
        for row in rng.normal(np.arange(50) < 30, 1, (n // 50, 50))  # noqa: PLR2004
    ]
    right = ((scores >= 0) == labels, (noisy >= 0) == labels)
    few = tuple(values[:PAIRS] for values in (*triple, bonafide, spoof))
    return {
        "apcer": (spoof,),
        "srr_complement": (spoof,),
        "bpcer": (bonafide,),
        "a_dcf": triple,
        "sasv_eers": triple,
        "t_eer": few,
        "eers_within": (scores, labels, groups),
        "mean_eer_within": (scores, labels, groups),
        "apcer_by_attack": (spoof, attacks),
        "worst_apcer": (spoof, attacks),
        "segment_eer": (recordings,),
        "range_eer": (recordings,),
        "range_rates": (recordings,),
        "range_f1": (recordings,),
        "paired_difference": (scores, noisy, labels),
        "mcnemar": right,
        "apnrr": (spoof < -2,),  # noqa: PLR2004
        "bpnrr": (bonafide < 0,),
        "dsr": ([spoof, spoof + 1], [0.0, 1.5]),
    }


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    value = call()
    return value, time.perf_counter() - began


def as_lists(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return [as_lists(one) for one in value] if isinstance(value, list) else value


def row(name: str, args: tuple[Any, ...], figure: Callable[[Any], float]) -> dict[str, float]:
    """Both ways of one metric; the package's is timed twice, and the quicker taken."""
    entry = (METRICS | OTHER_METRICS)[name]
    runs = [timed(lambda: entry.function(*args)) for _ in range(2)]
    lists = [as_lists(one) for one in args]
    plain, plain_s = timed(lambda: PLAIN[name](*lists))
    value, seconds = float(figure(runs[0][0])), min(run[1] for run in runs)
    apart = abs(value - (plain if isinstance(plain, float) else float(figure(plain))))
    assert apart < NEAR, f"{name}: {value} and {plain}"
    return {"seconds": seconds, "plain_seconds": plain_s, "ratio": plain_s / seconds, "value": value, "apart": apart}


def one_by_one(function: Callable[..., float]) -> Callable[..., float]:
    """The same function, unknown to the quick way."""

    def plain(bonafide: np.ndarray, spoof: np.ndarray) -> float:
        return function(bonafide, spoof)

    return plain


def intervals(bonafide: np.ndarray, spoof: np.ndarray, resamples: int) -> dict[str, dict[str, float]]:
    """Seconds for 1,000 resamples, and how much longer one by one takes."""
    found = {}
    groups = {"bonafide_groups": np.arange(bonafide.size) % 500, "spoof_groups": np.arange(spoof.size) % 500}
    few = 3
    for name in ("eer", "eer_rocch", "min_dcf", "min_tdcf_2019", "min_cllr", "auc", "f1_spoof", "cllr", "ece"):
        function = METRICS[name].function
        for unit, more in (("trial", {}), ("group", groups)):
            call = partial(metrics.bootstrap, bonafide_scores=bonafide, spoof_scores=spoof, **more)
            seconds = timed(partial(call, function, resamples=resamples))[1] * 1000 / resamples
            slow = timed(partial(call, one_by_one(function), resamples=few))[1] * 1000 / few
            found[f"{name} by {unit}"] = {"seconds_per_1000": seconds, "ratio": slow / seconds}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1_000_000)
    parser.add_argument("--resamples", type=int, default=50)
    parser.add_argument("--json", type=Path)
    a = parser.parse_args()
    rng = np.random.default_rng(0)
    bonafide, spoof = rng.normal(2.5, 1, a.trials // 10), rng.normal(-1, 1.2, a.trials - a.trials // 10)
    others = other_inputs(bonafide, spoof, rng)
    missing = set(METRICS) | set(OTHER_METRICS) - ARITHMETIC
    assert missing == set(PLAIN), f"no plain formula, or no metric: {sorted(missing ^ set(PLAIN))}"
    rows = {}
    for name in PLAIN:
        other = OTHER_METRICS.get(name)
        rows[name] = row(name, others[name], other.figure) if other else row(name, (bonafide, spoof), float)
        print(f"{name:28}" + "  ".join(f"{key} {rows[name][key]:.4g}" for key in ("seconds", "plain_seconds", "ratio")))
    whole = tuple(values for values in (*others["a_dcf"], bonafide, spoof))
    rows["t_eer"]["trials"] = sum(map(len, others["t_eer"]))
    rows["t_eer"]["seconds_on_all"] = timed(lambda: metrics.t_eer(*whole))[1]
    result = {
        "trials": a.trials,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "slowest_seconds": max(one.get("seconds_on_all", one["seconds"]) for one in rows.values()),
        "metrics": rows,
        "intervals": intervals(bonafide, spoof, a.resamples),
    }
    text = json.dumps(result, indent=1)
    print(json.dumps({key: result[key] for key in ("slowest_seconds", "intervals")}, indent=1))
    if a.json:
        a.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
