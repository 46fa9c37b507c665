"""The pages name what the code has: keys of recipes, settings, options, bounds."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path

import pytest

from glottis import config
from glottis.audio import Limits
from glottis.cli.scan import scan
from glottis.detector.judge import SHORT_S
from glottis.training import recipe

ROOT = Path(__file__).parents[2]
STAGES = {
    "data": recipe.Data,
    "loss": recipe.Loss,
    "distil": recipe.Distil,
    "optimiser": recipe.Optimiser,
    "schedule": recipe.Schedule,
}


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def row(text: str, first: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"| `{first}` |"))


@pytest.mark.parametrize("stage", STAGES)
def test_the_training_page_names_every_key(stage):
    written = row(page("training.md"), stage)
    assert not [field.name for field in dataclasses.fields(STAGES[stage]) if f"`{field.name}`" not in written]


def test_the_training_page_names_every_table():
    for field in dataclasses.fields(recipe.Recipe):
        if field.name != "sample_rate_hz":
            assert row(page("training.md"), field.name)


def test_the_training_page_names_the_keys_of_export():
    written = row(page("training.md"), "export")
    names = {field.name for field in dataclasses.fields(recipe.Export) if not field.name.startswith("cost_")}
    assert not [name for name in names if f"`{name}`" not in written]


def test_the_start_page_names_every_option_of_scan():
    text = page("start.md")
    named = [option for parameter in scan.params for option in parameter.opts if option.startswith("--")]
    assert not [option for option in named if f"`{option}" not in text and option != "--recursive"]


@pytest.mark.parametrize("name", list(config.resolve({}, environ={}).origins))
def test_the_start_page_names_every_setting(name):
    assert f"| `GLOTTIS_{name.upper()}` | `{name} = " in page("start.md")


def test_the_limits_page_has_the_bounds_of_the_code():
    text, limits = page("limits.md"), Limits()
    assert f"{limits.max_duration_s / 3600:g} hours" in text
    assert f"| channels | {limits.max_channels} |" in text
    assert f"| {limits.max_spool_bytes / 2**30:g} GiB |" in text
    assert f"under {SHORT_S:g} seconds of speech" in text
    source = importlib.import_module("glottis.audio.source")
    assert f"{source.MIN_RATE_HZ // 1000} kHz to {source.MAX_RATE_HZ // 1000} kHz" in text
