"""The model card: what the bundle can do, by its own figures, and what it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glottis.training.recipe import Recipe

LIMITS = """## What it cannot do

- If it must decide, it is wrong on about {wrong} of clips like these, whatever it says of itself; a verdict is
  evidence, no proof.
- Systems, languages, microphones and codecs that it never heard may be judged wrongly with confidence.
- A fake of a few seconds inside minutes of real speech may show in the time line alone.
- It says nothing of who speaks, or of what is said.
"""


def model_card(recipe: Recipe, figures: Mapping[str, Any], aggregate: Mapping[str, Any], trained_on: list[str]) -> str:
    """The card as Markdown."""
    settings = recipe.export
    low, high = figures["dev_pooled_eer_interval"]
    within_low, within_high = figures["dev_within_eer_interval"]
    within = f"{_percent(figures['dev_within_eer'])} ({_percent(within_low)} to {_percent(within_high)})"
    lines = [
        f"# {settings.name} {settings.version}",
        "",
        f"A countermeasure for speech at {recipe.sample_rate_hz} Hz; net `{recipe.net['name']}`.",
        f"Windows of {settings.window_s:g} s every {settings.hop_s:g} s, aggregate `{aggregate['kind']}`.",
        f"Licence: {settings.licence}. Trained on: {', '.join(trained_on)}.",
        "",
        settings.card or "",
        "",
        "## Figures on the development split",
        "",
        "Other sources, systems and speakers than in training; the checkpoint and the calibration were chosen on",
        "them, so they flatter. Intervals are 95 %, resampled by source.",
        "",
        "| what | value |",
        "| --- | --- |",
        f"| clips that got a verdict | {figures['dev_clips']} |",
        f"| pooled EER | {_percent(figures['dev_pooled_eer'])} ({_percent(low)} to {_percent(high)}) |",
        f"| mean EER inside sources with both labels | {within} |",
        f"| Cllr, cross-fitted by source | {figures['dev_cllr']:.3f} |",
        f"| least Cllr of these scores | {figures['dev_min_cllr']:.3f} |",
        "",
        LIMITS.format(wrong=_percent(figures["dev_pooled_eer"])),
    ]
    return "\n".join(lines)


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
