"""Every recipe builds its net and a loss that fits; the page of systems names each and shows what was measured."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
import torch

from glottis.nets import NETS
from glottis.training.finished import build_recipe_net
from glottis.training.freezing import Freezing
from glottis.training.objective import Objective
from glottis.training.rates import rate
from glottis.training.recipe import read_recipe

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "recipes").glob("*.toml"))
PAGE = (ROOT / "docs" / "systems.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_builds_all_that_it_names(path):
    light = ["net.config.num_hidden_layers=1"] if path.stem.startswith("ssl") else []
    recipe = read_recipe(path, ["distil.teacher=", *light])
    net = build_recipe_net(recipe)
    Objective(net, recipe, torch.device("cpu"))
    Freezing(net, recipe.freeze, recipe.schedule.steps)
    assert rate(1, recipe.schedule) >= 0
    assert path.read_text().startswith("# ")


VARIANTS = [
    *(
        ("ecanet18", [f"net.depth={depth}", f"net.attention={attention}", f"net.frontend={frontend}"])
        for depth in (9, 18, 34, 50)
        for attention in ("eca", "se")
        for frontend in ("f0_subband", "log_spectrum", "lfcc")
    ),
    ("lcnn", ["net.head=cosine", "loss.name=p2sgrad"]),
    ("lcnn_2019", ["net.frontend=lfb80"]),
    ("lfcc_gmm", ["net.frontend=lfcc_2021"]),
    ("lfcc_gmm", ["net.frontend=cqcc"]),
    ("mobilenet", ["net.frontend=cqt", "sample_rate_hz=24000"]),
    ("aasist", ["net.mask_bands=19", "sample_rate_hz=48000"]),
]


@pytest.mark.parametrize(("name", "settings"), VARIANTS, ids=str)
def test_a_variant_on_the_page_is_a_setting_of_a_recipe(name, settings):
    recipe = read_recipe(ROOT / "recipes" / f"{name}.toml", settings)
    Objective(build_recipe_net(recipe), recipe, torch.device("cpu"))
    assert all(setting.partition("=")[0].split(".")[-1] in PAGE for setting in settings)


def test_every_net_has_a_recipe_and_every_recipe_of_a_system_a_row():
    assert {read_recipe(path).net["name"] for path in RECIPES} == set(NETS)
    rows = set(re.findall(r"`(\w+)`", "\n".join(line for line in PAGE.splitlines() if line.startswith("| "))))
    assert {path.stem for path in RECIPES} - {"default", "further", "teacher", "tune", "screen"} <= rows


@pytest.fixture
def benchmark(monkeypatch):
    """Of a name, the benchmark as a module, and what it wrote."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")

    def find(name):
        spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module, json.loads((ROOT / "results" / f"{name}.json").read_text())

    return find


def test_the_table_of_speed_is_what_was_measured(benchmark):
    module, found = benchmark("net_speed")
    assert module.table(found) in PAGE
    assert {kind for kind, _ in module.NETS.values()} == set(NETS)
    assert set(found["nets"]) == set(module.NETS)


SPEEDS = {
    "aasist": ["AASIST"],
    "aasist_l": ["AASIST-L"],
    "rawgat_st": ["RawGAT-ST"],
    "rawnet2_2019": ["RawNet2, 2019", "RawNet2, 2021"],
    "rawnet2_head": ["RawNet2, 2021"],
    "ecanet18": [f"{net}, F0 subband" for net in ("ECANet18", "SENet34", "SENet50", "SENet9")],
    "lcnn": ["LFCC-LCNN-BLSTM"],
    "lcnn_2019": ["Light CNN of 2019, log spectrum"],
    "lfcc_gmm": ["LFCC-GMM"],
    "specrnet": ["SpecRNet"],
    "conformer": ["Conformer, mel"],
    "cepstral_attention": ["MFCC, CNN, attention", "MFCC and wavelet, CNN, attention"],
    "mobilenet": ["MobileNetV2, mel", "EfficientNet-B0, mel"],
    "hybrid": ["hybrid: ECANet18 on the F0 subband and on LFCC"],
    "ssl": ["wav2vec 2.0 base, mean"],
    "ssl_whisper": ["Whisper tiny, linear"],
    "ssl_aasist": ["wav2vec 2.0 base, AASIST"],
    "ssl_sls": ["wav2vec 2.0 base, SLS"],
    "ssl_nes2net": ["wav2vec 2.0 base, Nes2Net-X"],
    "ssl_tcm": ["wav2vec 2.0 base, Conformer with TCM"],
}
"""Of a row of the systems, by its first recipe, the nets whose speeds stand in it, in their order."""


def test_a_row_shows_the_speeds_of_its_nets(benchmark):
    _, found = benchmark("net_speed")
    systems = PAGE[PAGE.index("| system | recipe |") :].partition("\n\n")[0].splitlines()[2:]
    for row in systems:
        cells = row.split(" | ")
        nets = SPEEDS.get(re.findall(r"`(\w+)`", cells[1])[0], [])
        assert re.findall(r"\d+", cells[4]) == [f"{found['nets'][net]['x_realtime']:.0f}" for net in nets]


def test_the_smoke_table_is_what_was_measured(benchmark):
    _, speed = benchmark("net_speed")
    module, found = benchmark("smoke")
    assert module.table(found, speed["nets"]) in PAGE
    assert [one["system"] for one in found["systems"]] == list(module.SYSTEMS)


def test_the_table_of_the_screen_is_what_was_measured(benchmark):
    module, found = benchmark("screen")
    assert module.table(found) in (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
