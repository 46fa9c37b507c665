"""Do all systems train? The same few steps on the same crops; not a ranking, since none is trained to its end.

usage: python benchmarks/smoke.py CORPUS [--encoder runs/whisper-tiny] [--steps 60] [--batch 8] [--output runs/smoke]
    [--json FILE] [--page PAGE]

The encoder is that of `whisper_tiny.py` and rests; all else begins with new weights. Each net with its own loss, AdamW
at 1e-3 in one cycle, the same crops in the same order. EER on dev, pooled and inside sources, with 95 % intervals
resampled by source. Beside it stands the speed that results/net_speed.json has.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from glottis.metrics import bootstrap, interpolated_eer, mean_eer_within_interval
from glottis.training.finished import build_recipe_net
from glottis.training.freezing import Freezing
from net_speed import LIGHT
from pages import put_table
from short_runs import Runs, parameters, short_recipe

PARTS = 4
"""Of a run, whose mean losses are shown."""

SYSTEMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ECANet18, F0 subband": ({"name": "se_resnet"}, {"loss": {"name": "a_softmax"}}),
    "SENet34, F0 subband": ({"name": "se_resnet", "depth": 34, "attention": "se"}, {"loss": {"name": "a_softmax"}}),
    "LFCC-LCNN-BLSTM": ({"name": "lcnn"}, {}),
    "SpecRNet": ({"name": "specrnet"}, {}),
    "Conformer, mel": ({"name": "conformer"}, {"loss": {"name": "weighted_ce"}}),
    "MFCC, CNN, attention": ({"name": "cepstral_attention"}, {"loss": {"name": "weighted_ce"}}),
    "Whisper tiny, linear": (
        {"name": "ssl", "encoder": "whisper", "mix": True},
        {"loss": {"name": "weighted_ce"}, "freeze": {"patterns": ["ssl*"]}},
    ),
    "shipped (spectral_resnet)": ({"name": "spectral_resnet"}, {}),
    "RawNet2, 2021": ({"name": "rawnet2"}, {"loss": {"name": "weighted_ce"}}),
    "AASIST-L": ({"name": "aasist", **LIGHT}, {"loss": {"name": "weighted_ce"}}),
    "AASIST": ({"name": "aasist"}, {"loss": {"name": "weighted_ce"}}),
}


def row(runs: Runs, name: str, a: argparse.Namespace) -> dict[str, Any]:
    """One system's run."""
    net, tables = SYSTEMS[name]
    if net["name"] == "ssl":
        net = net | {"checkpoint": str(a.encoder)}
    recipe = short_recipe(
        a.corpus,
        net,
        seed=1,
        steps=a.steps,
        threads=a.threads,
        optimiser={"batch": a.batch},
        **tables,
    )
    folder = name.replace(" ", "_").replace(",", "")
    scores = runs.scores(folder, recipe)
    built = build_recipe_net(recipe)
    Freezing(built, recipe.freeze, a.steps).apply(1)  # what rests is not counted as learned
    real = runs.bonafide
    pooled = bootstrap(
        interpolated_eer,
        scores[real],
        scores[~real],
        bonafide_groups=runs.sources[real],
        spoof_groups=runs.sources[~real],
        resamples=500,
    )
    within = mean_eer_within_interval(scores, real, runs.sources)
    return {
        "system": name,
        "parameters": parameters(built),
        "losses": [float(part.mean()) for part in np.array_split(runs.losses(folder), PARTS)],
        "pooled_eer": [pooled.value, pooled.low, pooled.high],
        "within_eer": [within.value, within.low, within.high],
    }


def table(found: dict[str, Any], speed: dict[str, Any]) -> str:
    """The table as Markdown."""
    lines = [
        "| system | learned | loss, by quarters | dev EER, pooled | inside sources | times real time |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in found["systems"]:
        pooled, within = (
            f"{100 * value:.1f} ({100 * low:.1f} to {100 * high:.1f})"
            for value, low, high in (one["pooled_eer"], one["within_eer"])
        )
        fast = f"{speed[one['system']]['x_realtime']:.0f}" if one["system"] in speed else ""
        learned = f"{one['system']} | {one['parameters']:,} | {shown_losses(one)}"
        lines.append(f"| {learned} | {pooled} | {within} | {fast} |")
    return "\n".join(lines)


def shown_losses(one: dict[str, Any]) -> str:
    """The run's losses, one number for each part."""
    return ", ".join(f"{loss:.3f}" for loss in one["losses"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--encoder", type=Path, default=Path("runs/whisper-tiny"))
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("runs/smoke"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--page", type=Path)
    a = parser.parse_args()
    if not a.encoder.is_dir():
        raise SystemExit(f"{a.encoder} is no folder: benchmarks/whisper_tiny.py makes it")
    runs = Runs(a.corpus, a.output)
    found: dict[str, Any] = {"steps": a.steps, "batch": a.batch, "systems": []}
    for name in SYSTEMS:
        found["systems"].append(row(runs, name, a))
        print(table({"systems": found["systems"][-1:]}, {}).splitlines()[-1], flush=True)
        if a.json:
            a.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if a.page:
        speed = json.loads(Path("results/net_speed.json").read_text(encoding="utf-8"))["nets"]
        put_table(a.page, "smoke", table(found, speed))


if __name__ == "__main__":
    main()
