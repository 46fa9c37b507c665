"""What a run multiplies in, and that it is not lost when it runs away; see `test_train` for the whole way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from glottis.errors import RecipeError
from glottis.training.precision import find_precision


class Cut(Exception):  # noqa: N818
    """What a test cuts a run with."""


def cut_at(step):
    def progress(line):
        if line["step"] == step:
            raise Cut

    return progress


def state_of(folder):
    return torch.load(folder / "last.pt", weights_only=True)


def log_of(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def assert_same_weights(one, other):
    first, second = state_of(one), state_of(other)
    for part in ("objective", "average"):
        assert [name for name in first[part] if not torch.equal(first[part][name], second[part][name])] == []


@pytest.mark.parametrize("precision", ["float32", "bf16", "fp16"])
def test_every_precision_learns(fit, tmp_path, precision):
    fit([f"schedule.precision={precision}", "schedule.steps=24", "schedule.check_every=8"], tmp_path / "run")
    losses = [line["loss"] for line in log_of(tmp_path / "run")]
    assert losses[-1] < losses[0] - 0.02
    weights = state_of(tmp_path / "run")["objective"]
    assert {value.dtype for value in weights.values() if value.is_floating_point()} == {torch.float32}


def test_the_scale_of_half_precision_outlives_a_cut(fit, tmp_path):
    settings = ["schedule.precision=fp16"]
    with pytest.raises(Cut):
        fit(settings, tmp_path / "cut", cut_at(6))
    assert state_of(tmp_path / "cut")["precision"]["scale"] > 1
    fit(settings, tmp_path / "cut")
    fit(settings, tmp_path / "whole")
    assert_same_weights(tmp_path / "cut", tmp_path / "whole")


def test_an_unknown_precision_is_refused(fit, tmp_path):
    with pytest.raises(RecipeError, match=r"unknown schedule\.precision 'half'"):
        fit(["schedule.precision=half"], tmp_path / "run")


def test_samples_go_in_as_they_are():
    samples = torch.randn(4)
    assert find_precision("bf16", "cpu").convert_input((samples, 3))[0] is samples


def test_a_net_that_runs_away_is_named(fit, tmp_path):
    with pytest.raises(RecipeError, match="no finite scores"):
        fit(["optimiser.learning_rate=1e30", "schedule.precision=float32"], tmp_path / "run")


def test_weights_averaged_alike_outlive_a_cut_and_are_what_is_chosen(fit, tmp_path):
    settings = ["optimiser.swa_from=0.25", "schedule.precision=float32"]
    with pytest.raises(Cut):
        fit(settings, tmp_path / "cut", cut_at(7))
    fit(settings, tmp_path / "cut")
    net = fit(settings, tmp_path / "whole")
    assert_same_weights(tmp_path / "cut", tmp_path / "whole")
    average = state_of(tmp_path / "whole")["average"]
    chosen = torch.load(tmp_path / "whole" / "best.pt", weights_only=True)
    if chosen["step"] == 8:
        assert torch.equal(chosen["net"]["output.weight"], average["output.weight"])
    assert not torch.equal(chosen["net"]["norm.running_mean"], average["norm.running_mean"])
    assert torch.equal(net.state_dict()["norm.running_mean"], chosen["net"]["norm.running_mean"])


@pytest.mark.parametrize("share", [-0.5, 1.5])
def test_an_impossible_share_of_averaging_is_refused(fit, tmp_path, share):
    with pytest.raises(RecipeError, match=r"optimiser\.swa_from"):
        fit([f"optimiser.swa_from={share}"], tmp_path / "run")


@pytest.mark.slow
def test_a_run_that_is_really_killed_ends_with_the_same_bits(small_recipe, fit, tmp_path):
    settings = ["schedule.steps=60", "schedule.check_every=4", "data.workers=1"]
    arguments = [part for one in settings for part in ("--set", one)]
    command = [sys.executable, "-m", "glottis", "train", str(small_recipe), "--output", str(tmp_path / "killed")]
    run = subprocess.Popen([*command, *arguments], stderr=subprocess.DEVNULL, start_new_session=True)
    while not (tmp_path / "killed" / "log.jsonl").exists():
        assert run.poll() is None
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    assert 0 < state_of(tmp_path / "killed")["step"] < 60
    fit(settings, tmp_path / "killed")
    fit(settings, tmp_path / "whole")
    assert_same_weights(tmp_path / "killed", tmp_path / "whole")
    assert [line["step"] for line in log_of(tmp_path / "killed")] == list(range(4, 61, 4))
