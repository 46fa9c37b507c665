"""The figures of a bundle on the dev split, by `glottis.Detector`, with a trivial baseline on the same clips.

usage: python benchmarks/dev_figures.py CORPUS [--bundle B] [--json results/dev.json]

EERs are fractions in the challenge mode; intervals are 95 %, resampled by source. "Called spoof" and "decided" are
at the bundle's own thresholds; a recording that failed or had no speech counts as undecided. The baseline is a
logistic regression on level, bandwidth, duration and share of silence, trained on the train split's clips.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import glottis
from glottis.corpora import Trial, load_clip, read_trials
from glottis.metrics import bootstrap, cllr, eer, interpolated_eer, mean_eer_within_interval, min_cllr
from glottis.verdict import Failed, Label

RATE = 16000
FLOOR = 1e-10


def facts(clip: NDArray[np.float32]) -> list[float]:
    """Level in dB, bandwidth in Hz, duration in s, share of frames 30 dB under the loud ones."""
    frames = clip[: len(clip) // 320 * 320].reshape(-1, 320)
    level = 10 * np.log10(np.mean(frames**2, axis=1) + FLOOR)
    power = np.mean(np.abs(np.fft.rfft(frames * np.hanning(320))) ** 2, axis=0)
    heard = np.flatnonzero(10 * np.log10(power + FLOOR) > 10 * np.log10(power.max() + FLOOR) - 75)
    quiet = float(np.mean(level < np.percentile(level, 95) - 30))
    return [float(10 * np.log10(np.mean(clip**2) + FLOOR)), float(heard.max()) * 50, len(clip) / RATE, quiet]


def baseline(root: Path, trials: list[Trial], dev: list[Trial]) -> NDArray[np.float64]:
    """Scores of the trivial baseline on dev."""
    scale = StandardScaler()
    known = scale.fit_transform([facts(load_clip(root / t.file, RATE)) for t in trials])
    model = LogisticRegression(class_weight="balanced").fit(known, [t.label == Label.BONAFIDE for t in trials])
    scores: NDArray[np.float64] = model.decision_function(
        scale.transform([facts(load_clip(root / t.file, RATE)) for t in dev])
    )
    return scores


def figures(scores: NDArray[np.float64], bonafide: NDArray[np.bool_], sources: NDArray[np.str_]) -> dict[str, Any]:
    """Pooled and within-source EER with intervals."""
    real, fake = scores[bonafide], scores[~bonafide]
    groups = {"bonafide_groups": sources[bonafide], "spoof_groups": sources[~bonafide]}
    pooled = bootstrap(interpolated_eer, real, fake, **groups)
    within = mean_eer_within_interval(scores, bonafide, sources)
    return {
        "pooled_eer": eer(real, fake),
        "pooled_eer_interval": [pooled.low, pooled.high],
        "within_eer": within.value,
        "within_eer_interval": [within.low, within.high],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--bundle")
    parser.add_argument("--json", type=Path)
    a = parser.parse_args()
    dev = read_trials(a.corpus / "trials.csv", split="dev")
    detector = glottis.Detector(a.bundle, threads=2)
    found = list(detector.scan_many([a.corpus / t.file for t in dev], channel="mix"))
    verdicts = np.array(["failed" if isinstance(v, Failed) else str(v.verdict) for v in found])
    bonafide = np.array([t.label == Label.BONAFIDE for t in dev])
    sources = np.array([t.source for t in dev])
    judged = np.array([not isinstance(v, Failed) and v.score is not None for v in found])
    scores = np.array([v.score if j else np.nan for v, j in zip(found, judged, strict=True)], dtype=float)
    llrs = np.array([v.llr if j else np.nan for v, j in zip(found, judged, strict=True)], dtype=float)
    here = judged
    real_only = [s for s in np.unique(sources) if bonafide[sources == s].all()]
    in_real_only = np.isin(sources, real_only)
    decided = np.isin(verdicts, ["spoof", "bonafide"])
    wrong = decided & ((verdicts == "spoof") == bonafide)
    seconds = np.array([t.duration_s for t in dev])
    result: dict[str, Any] = {
        "clips": len(dev),
        "verdict_given": float(here.mean()),
        **figures(scores[here], bonafide[here], sources[here]),
        "cllr_shipped": cllr(llrs[here & bonafide], llrs[here & ~bonafide]),
        "min_cllr": min_cllr(scores[here & bonafide], scores[here & ~bonafide]),
        "decided": float(decided.mean()),
        "error_among_decided": float(wrong.sum() / max(1, decided.sum())),
        "real_only_called_spoof": float((verdicts[in_real_only] == "spoof").mean()),
        "real_only_by_source": {
            s: {"clips": int((sources == s).sum()), "called_spoof": float((verdicts[sources == s] == "spoof").mean())}
            for s in real_only
        },
        "missed_by_kind": {
            k: {"clips": int(m.sum()), "called_bonafide": float((verdicts[m] == "bonafide").mean())}
            for k in sorted({t.kind for t in dev} - {"human"})
            if (m := np.array([t.kind == k for t in dev])).any()
        },
        "by_length": {
            name: {"clips": int(m.sum()), "pooled_eer": eer(scores[m & here & bonafide], scores[m & here & ~bonafide])}
            for name, m in (("under 2 s", seconds < 2), ("2 to 3.9 s", (seconds >= 2) & (seconds < 3.9)), ("4 s", seconds >= 3.9))
        },
        "baseline": figures(baseline(a.corpus, read_trials(a.corpus / "trials.csv", split="train"), dev), bonafide, sources),
        "bundle": {"name": next(v for v in found if not isinstance(v, Failed)).bundle.name},
    }
    print(json.dumps(result, indent=1))
    if a.json:
        a.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
