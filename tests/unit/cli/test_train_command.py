from __future__ import annotations

import sys
from types import ModuleType

import pytest


@pytest.fixture
def training(monkeypatch, tmp_path):
    """A training that takes no time; gives the calls."""
    calls = []

    def train(recipe, settings, output, progress, *, tensorboard):
        calls.append((recipe.name, settings, output, tensorboard))
        progress({"step": 1, "of": 2, "seconds": 0.1})
        progress({"step": 2, "of": 2, "seconds": 0.2, "loss": 0.25, "eer": 0.125})
        return output / "bundle"

    room = ModuleType("glottis.training")
    room.train = train
    monkeypatch.setitem(sys.modules, "glottis.training", room)
    for name in ("torch", "lightning_fabric", "onnx", "safetensors"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    (tmp_path / "small.toml").write_text("")
    return calls


def test_train(run, training, tmp_path):
    result = run("train", "small.toml", "--set", "net.depth=34", "--set", "schedule.seed=2", "--output", "out")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "out/bundle\n"
    assert result.stderr == "step 2 of 2: loss 0.25, eer 0.125\n"
    ((recipe, settings, output, tensorboard),) = training
    assert (recipe, tuple(settings), tensorboard) == ("small.toml", ("net.depth=34", "schedule.seed=2"), False)
    assert (tmp_path / output).parent == tmp_path


def test_the_output_is_named_after_the_recipe(run, training):
    assert run("train", "small.toml").stdout == "runs/small/bundle\n"
    assert len(training) == 1


def test_tensorboard_is_asked_for(run, training):
    assert run("train", "small.toml", "--tensorboard").exit_code == 0
    assert training[0][3] is True


def test_of_several_processes_the_first_alone_tells(run, training, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    result = run("train", "small.toml")
    assert (result.exit_code, result.stdout, len(training)) == (0, "", 1)


@pytest.mark.usefixtures("training")
def test_without_torch(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run("train", "small.toml")
    assert result.exit_code == 2
    assert "pip install 'glottis[train]'" in result.stderr


def test_no_recipe(run):
    result = run("train", "none.toml")
    assert result.exit_code == 2
    assert "no such recipe" in result.stderr
