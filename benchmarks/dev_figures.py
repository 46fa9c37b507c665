"""The figures of a bundle on the dev split, by `glottis.Detector`, with a trivial baseline on the same clips.

usage: python benchmarks/dev_figures.py CORPUS [--bundle B] [--json results/dev.json]

EERs are fractions; intervals are 95 %, resampled by source. "Decided" and its errors are at the bundle's thresholds,
with llrs cross-fitted by source (each source is calibrated on the others); a recording that failed or had no speech
counts as undecided. The baseline is a logistic regression on level, bandwidth, duration and share of silence,
trained on the train split's clips.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import glottis
from glottis.calibration import ByDuration, cross_fit
from glottis.corpora import Trial, load_clip, read_trials
from glottis.metrics import bootstrap, cllr, eer, interpolated_eer, mean_eer_within_interval, min_cllr
from glottis.verdict import Label, Verdict

RATE_HZ = 16_000
FRAME = 320
FLOOR = 1e-10
LEAST = 5
"""Groups with fewer clips of a kind are not listed."""

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Names = NDArray[np.str_]


def facts(clip: NDArray[np.float32]) -> list[float]:
    """Level in dB, bandwidth in Hz, duration in s, share of frames 30 dB under the loud ones."""
    frames = clip[: len(clip) // FRAME * FRAME].reshape(-1, FRAME)
    level = 10 * np.log10(np.mean(frames**2, axis=1) + FLOOR)
    power = np.mean(np.abs(np.fft.rfft(frames * np.hanning(FRAME))) ** 2, axis=0)
    heard = np.flatnonzero(10 * np.log10(power + FLOOR) > 10 * np.log10(power.max() + FLOOR) - 75)
    quiet = float(np.mean(level < np.percentile(level, 95) - 30))
    hz = float(heard.max()) * RATE_HZ / FRAME
    return [float(10 * np.log10(np.mean(clip**2) + FLOOR)), hz, len(clip) / RATE_HZ, quiet]


def baseline(root: Path, train: list[Trial], dev: list[Trial]) -> Floats:
    """Scores of the trivial baseline on dev."""
    scale = StandardScaler()
    known = scale.fit_transform([facts(load_clip(t.path(root), RATE_HZ)) for t in train])
    model = LogisticRegression(class_weight="balanced").fit(known, [t.label == Label.BONAFIDE for t in train])
    scores: Floats = model.decision_function(scale.transform([facts(load_clip(t.path(root), RATE_HZ)) for t in dev]))
    return scores


def rates(scores: Floats, bonafide: Bools, sources: Names) -> dict[str, Any]:
    """Pooled and within-source EER with intervals."""
    real, fake = scores[bonafide], scores[~bonafide]
    pooled = bootstrap(interpolated_eer, real, fake, bonafide_groups=sources[bonafide], spoof_groups=sources[~bonafide])
    within = mean_eer_within_interval(scores, bonafide, sources)
    return {
        "pooled_eer": eer(real, fake),
        "pooled_eer_interval": [pooled.low, pooled.high],
        "within_eer": within.value,
        "within_eer_interval": [within.low, within.high],
    }


def errors_by(key: Callable[[Trial], str], trials: list[Trial], verdicts: Names, label: Label) -> dict[str, Any]:
    """For each group of clips of one label: how many, and the shares called the other label and inconclusive."""
    other = "spoof" if label == Label.BONAFIDE else "bonafide"
    table = {}
    for name in sorted({key(t) for t in trials if t.label == label}):
        mine = verdicts[[key(t) == name and t.label == label for t in trials]]
        if len(mine) >= LEAST:
            wrong, open_ = float((mine == other).mean()), float((mine == "inconclusive").mean())
            table[name or "unknown"] = {"clips": len(mine), f"called_{other}": wrong, "inconclusive": open_}
    return table


def length(trial: Trial) -> str:
    """A clip's length as a class."""
    bounds = (1.5, 2.5, 3.9)
    return ["under 1.5 s", "1.5 to 2.5 s", "2.5 to 3.9 s", "4 s"][sum(trial.duration_s >= b for b in bounds)]


def bandwidth(trial: Trial) -> str:
    """A clip's original bandwidth as a class."""
    hz = float(trial.extra.get("original_bandwidth_hz") or 0)
    return ["unknown", "under 4.2 kHz", "4.2 to 7.5 kHz", "over 7.5 kHz"][sum(hz > b for b in (0, 4200, 7500))]


def curve(llrs: Floats, bonafide: Bools, total: int) -> list[dict[str, float]]:
    """Error among decided against the share decided, the surest llrs first; undecidable clips count in the share."""
    order = np.argsort(-np.abs(llrs))
    wrong = np.cumsum((llrs > 0)[order] != bonafide[order])
    counts = [round(total * share) for share in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)]
    return [{"decided": n / total, "error": float(wrong[n - 1] / n)} for n in counts if n <= len(llrs)]


def measure(root: Path, bundle: str | None) -> dict[str, Any]:
    """All figures."""
    dev = read_trials(root / "trials.csv", split="dev")
    detector = glottis.Detector(bundle, threads=2)
    found = list(detector.scan_many((t.path(root) for t in dev), channel="mix"))
    judged = [(t, v) for t, v in zip(dev, found, strict=True) if isinstance(v, Verdict) and v.score is not None]
    trials = [t for t, _ in judged]
    scores = np.array([v.score for _, v in judged], np.float64)
    llrs = np.array([v.llr for _, v in judged], np.float64)
    speech_s = np.array([v.speech_s for _, v in judged])
    bonafide = np.array([t.label == Label.BONAFIDE for t in trials])
    sources = np.array([t.source for t in trials])
    thresholds = judged[0][1].thresholds or {}
    crossed = cross_fit(scores, bonafide, sources, ByDuration.fit, fact=speech_s)
    verdicts = np.where(
        crossed <= thresholds["spoof"], "spoof", np.where(crossed >= thresholds["bonafide"], "bonafide", "inconclusive")
    )
    decided = verdicts != "inconclusive"
    only = {s for s in {t.source for t in dev} if all(t.label == Label.BONAFIDE for t in dev if t.source == s)}
    alone = np.isin(sources, sorted(only))
    return {
        "bundle": {"name": detector.bundle.manifest.name, "verdict_sha256": detector.bundle.verdict_sha256},
        "clips": len(dev),
        "verdict_given": len(judged) / len(dev),
        **rates(scores, bonafide, sources),
        "cllr_shipped": cllr(llrs[bonafide], llrs[~bonafide]),
        "cllr_cross_fitted": cllr(crossed[bonafide], crossed[~bonafide]),
        "min_cllr": min_cllr(scores[bonafide], scores[~bonafide]),
        "decided": float(decided.sum() / len(dev)),
        "error_among_decided": float((decided & ((verdicts == "bonafide") != bonafide)).sum() / max(1, decided.sum())),
        "error_against_decided": curve(crossed, bonafide, len(dev)),
        "real_only_called_spoof": float((verdicts[alone] == "spoof").mean()),
        "bonafide_called_spoof": float((verdicts[bonafide] == "spoof").mean()),
        "spoof_by_kind": errors_by(lambda t: t.kind, trials, verdicts, Label.SPOOF),
        "spoof_by_system": errors_by(lambda t: t.system, trials, verdicts, Label.SPOOF),
        **{
            f"{label}_by_{name}": errors_by(key, trials, verdicts, label)
            for name, key in (
                ("length", length),
                ("bandwidth", bandwidth),
                ("language", lambda t: t.language),
                ("source", lambda t: t.source),
            )
            for label in Label
        },
        "baseline": rates(baseline(root, read_trials(root / "trials.csv", split="train"), trials), bonafide, sources),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--bundle")
    parser.add_argument("--json", type=Path)
    a = parser.parse_args()
    result = measure(a.corpus, a.bundle)
    text = json.dumps(result, indent=1)
    print(text)
    if a.json:
        a.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
