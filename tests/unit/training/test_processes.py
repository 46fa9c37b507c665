"""A run of several processes is that of one: the same losses, the same weights, the same scores."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import glottis
from glottis.audio import PCM
from glottis.testing import voice
from glottis.training import train
from tolerances import SCORE_PROCESSES

TESTS = Path(__file__).parents[2]
PLAIN = ['net={name="plain_net:PlainNet"}', "schedule.precision=float32", "schedule.check_every=4"]
"""A net that draws nothing and hears each row by itself, so that what is shared between processes changes nothing."""


def start(recipe, output, settings):
    """`glottis train` in two processes that `torchrun` starts."""
    arguments = [part for one in settings for part in ("--set", one)]
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"),
            *("-m", "glottis", "train", str(recipe), "--output", str(output), *arguments),
        ],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path, str(TESTS)]), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(run):
    stdout, stderr = run.communicate(timeout=240)
    assert run.returncode == 0, stderr
    return stdout, stderr


def log_of(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def assert_same_run(two, one):
    ours, theirs = log_of(two), log_of(one)
    assert [line["step"] for line in ours] == [line["step"] for line in theirs]
    for name in ("loss", "dev_pooled_eer", "dev_within_eer"):
        assert [line[name] for line in ours] == pytest.approx([line[name] for line in theirs], abs=SCORE_PROCESSES)
    first, second = (torch.load(folder / "last.pt", weights_only=True)["objective"] for folder in (two, one))
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=0, atol=SCORE_PROCESSES, msg=name)


@pytest.mark.slow
def test_two_processes_train_what_one_does_though_they_are_killed_on_the_way(small_recipe, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(TESTS)
    settings = [*PLAIN, "schedule.steps=40"]
    run = start(small_recipe, tmp_path / "two", settings)
    while not (tmp_path / "two" / "log.jsonl").exists():
        assert run.poll() is None, run.communicate()[1]
        time.sleep(0.01)
    for one in (*Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split(), run.pid):
        os.kill(int(one), signal.SIGKILL)
    run.communicate()
    assert 0 < torch.load(tmp_path / "two" / "last.pt", weights_only=True)["step"] < 40
    stdout, stderr = finished(start(small_recipe, tmp_path / "two", settings))
    assert stdout == f"{tmp_path / 'two' / 'bundle'}\n"
    assert stderr.count("step 40 of 40") == 1
    bundles = [tmp_path / "two" / "bundle", train(small_recipe, settings, tmp_path / "one")]
    assert_same_run(tmp_path / "two", tmp_path / "one")
    ours, theirs = (glottis.Detector(bundle).scan(PCM(voice(2, seed=3), 16_000)) for bundle in bundles)
    assert ours.score == pytest.approx(theirs.score, abs=SCORE_PROCESSES)


@pytest.mark.slow
def test_so_do_they_with_everything_that_is_hard_to_share(small_recipe, fit, tmp_path, monkeypatch):
    """Gradients gathered, layers at rest and layers that nothing uses, students beside the net, attacked crops."""
    monkeypatch.syspath_prepend(TESTS)
    settings = [
        *PLAIN,
        'net={name="plain_net:PlainNet", idle=true}',
        "optimiser.accumulate=2",
        "optimiser.clip_norm=0.1",
        "self_distil.on=true",
        "adversarial.share=1.0",
        "data.bonafide_share=0.25",
        "data.pair_share=0.25",
        'freeze.patterns=["stages.0*"]',
        "freeze.first=0.5",
        "freeze.until=0.5",
    ]
    finished(start(small_recipe, tmp_path / "two", settings))
    fit(settings, tmp_path / "one")
    assert_same_run(tmp_path / "two", tmp_path / "one")


def test_one_process_needs_no_launcher(fit, tmp_path):
    fit([], tmp_path / "run")
    assert not torch.distributed.is_initialized()
