from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from glottis.training.sweep import Run


@pytest.fixture
def sweeping(monkeypatch, tmp_path):
    """A sweep that takes no time; gives the calls."""
    calls = []

    def sweep(recipe, settings, space, output, *, runs, begin, progress):
        calls.append((recipe.name, settings, space, output, runs))
        first = Run(Path(output) / "000", {"net.depth": 18, "net.widths": [4, 8]}, "complete", 0.125)
        begin(first)
        progress({"step": 1, "of": 1, "seconds": 0.1, "loss": 0.5})
        return [first, Run(Path(output) / "001", {"net.depth": 20}, "fail", None, "depth 20")]

    room = ModuleType("glottis.training.sweep")
    room.sweep = sweep
    monkeypatch.setitem(sys.modules, "glottis.training.sweep", room)
    (tmp_path / "small.toml").write_text('[data]\ntrain = ["a.csv"]\ndev = "b.csv"\n[net]\nname = "se_resnet"\n')
    return calls


def test_sweep(run, sweeping):
    result = run("sweep", "small.toml", "--try", "net.depth=18,20", "--set", "schedule.seed=2", "--runs", "2")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == "run 000: net.depth=18, net.widths=[4, 8]\nstep 1 of 1: loss 0.5\n"
    assert result.stdout.splitlines() == [
        "run    dev figure  state     settings",
        "000        0.1250  complete  net.depth=18 net.widths=[4, 8]",
        "001             -  fail      net.depth=20  depth 20",
        "glottis train small.toml --set schedule.seed=2 --set net.depth=18 --set 'net.widths=[4, 8]'",
    ]
    ((recipe, settings, space, output, runs),) = sweeping
    assert (recipe, tuple(settings), str(output), runs) == ("small.toml", ("schedule.seed=2",), "runs/small-sweep", 2)
    assert list(space) == ["net.depth"]


def test_the_table_as_json(run, sweeping, tmp_path):
    assert run("sweep", "small.toml", "--try", "net.depth=18,20", "--json", "table.json").exit_code == 0
    table = json.loads((tmp_path / "table.json").read_text())
    assert table["schema"] == 1
    assert table["runs"][0] == {
        "folder": "runs/small-sweep/000",
        "settings": {"net.depth": 18, "net.widths": [4, 8]},
        "state": "complete",
        "figure": 0.125,
        "error": "",
    }
    assert len(sweeping) == 1


@pytest.mark.usefixtures("sweeping")
def test_what_cannot_be_tried_is_wrong_use(run):
    result = run("sweep", "small.toml", "--try", "schedule.speed=1,2")
    assert result.exit_code == 2
    assert "unknown key schedule.speed" in result.stderr
    assert run("sweep", "none.toml", "--try", "net.depth=18,20").exit_code == 2


def test_without_optuna(run, tmp_path, monkeypatch):
    (tmp_path / "small.toml").write_text('[data]\ntrain = ["a.csv"]\ndev = "b.csv"\n[net]\nname = "se_resnet"\n')
    monkeypatch.setitem(sys.modules, "optuna", None)
    result = run("sweep", "small.toml", "--try", "net.depth=18,34")
    assert result.exit_code == 2
    assert "pip install 'glottis[sweep]'" in result.stderr


@pytest.mark.usefixtures("sweeping")
def test_a_sweep_of_which_no_run_trains_is_wrong_use(run, monkeypatch):
    def sweep(*_arguments, **_others):
        return [Run(Path("out") / "000", {"net.depth": 20}, "fail", None, "depth 20")]

    monkeypatch.setattr(sys.modules["glottis.training.sweep"], "sweep", sweep)
    result = run("sweep", "small.toml", "--try", "net.depth=20,21")
    assert result.exit_code == 2
    assert "depth 20" in result.stdout
    assert "no run could be trained" in result.stderr
