"""A sweep is a folder of ordinary runs: how they are chosen, stopped, cut and taken up again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest
import torch

from glottis.errors import BundleError, ConfigError, RecipeError
from glottis.training import sweep as room
from glottis.training.space import Choices, read_space
from glottis.training.sweep import sweep

optuna = pytest.importorskip("optuna")

RATE = "optimiser.learning_rate"


@pytest.fixture
def landscape(monkeypatch, small_recipe):
    """A sweep whose training takes no time; it is the better, the nearer the rate is to 0.01. Has what was trained."""
    trained = []

    def train(_recipe, settings, output, progress):
        values = dict(one.split("=") for one in settings)
        trained.append((output.name, values))
        figure = abs(float(values.get(RATE, 0.01)) - 0.01)
        if figure > 0.8:
            raise RecipeError("the net gives no finite scores any more")
        if figure > 0.7:
            raise BundleError("the teacher has no net")
        for step in (1, 2, 3):
            progress({"step": step, "of": 3, "dev_pooled_eer": figure, "dev_within_eer": figure})
        output.mkdir(exist_ok=True)
        torch.save({"figure": figure}, output / "best.pt")

    monkeypatch.setattr(room, "train", train)

    def run(tries, runs, output, **others):
        return sweep(small_recipe, [], read_space(None, tries, small_recipe, []), output, runs=runs, **others)

    run.trained = trained
    return run


def test_the_best_comes_first_and_what_is_poorer_than_the_median_is_stopped(landscape, tmp_path):
    found = landscape([f"{RATE}=log:1e-4..1e-1"], 20, tmp_path / "sweep")
    assert len(found) == 20
    complete = [one.figure for one in found if one.state == "complete"]
    assert complete == sorted(complete)
    assert complete[0] < 1e-3
    pruned = [one for one in found if one.state == "pruned"]
    assert pruned == found[len(complete) :] != []
    assert {one.folder.name for one in pruned}.isdisjoint({f"00{i}" for i in range(5)})


def test_of_few_combinations_each_is_tried_once_and_more_runs_add_to_a_sweep(landscape, tmp_path):
    tries = [f"{RATE}=0.01,0.02,0.3", "optimiser.batch=4,8"]
    assert len(landscape(tries, 20, tmp_path / "sweep")) == 6
    assert len({tuple(sorted(values.items())) for _, values in landscape.trained}) == 6
    assert len(landscape(tries, 20, tmp_path / "sweep")) == 6
    assert len(landscape.trained) == 6
    assert len(landscape([f"{RATE}=0.1..0.2"], 2, tmp_path / "other")) == 2
    assert len(landscape([f"{RATE}=0.1..0.2"], 5, tmp_path / "other")) == 5
    assert [name for name, _ in landscape.trained[6:]] == ["000", "001", "002", "003", "004"]


def test_equal_seeds_try_the_same(landscape, tmp_path):
    for name in ("one", "two"):
        landscape([f"{RATE}=log:1e-4..1e-1"], 2, tmp_path / name)
    assert landscape.trained[:2] == landscape.trained[2:]


def test_settings_that_do_not_train_are_a_result(landscape, tmp_path):
    found = landscape([f"{RATE}=0.01,0.75,0.9"], 3, tmp_path / "sweep")
    assert found[0].state == "complete"
    assert {(one.state, one.error) for one in found[1:]} == {
        ("fail", "the teacher has no net"),
        ("fail", "the net gives no finite scores any more"),
    }
    assert json.loads(json.dumps(found[0].to_dict()))["settings"] == {RATE: 0.01}


def test_a_run_that_was_cut_goes_on_first_and_in_its_folder(landscape, tmp_path):
    def cut(_line):
        if len(landscape.trained) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        landscape([f"{RATE}=log:1e-4..1e-1"], 4, tmp_path / "sweep", progress=cut)
    found = landscape([f"{RATE}=log:1e-4..1e-1"], 4, tmp_path / "sweep")
    assert landscape.trained[2] == landscape.trained[3]
    assert sorted(one.folder.name for one in found) == ["000", "001", "002", "004"]


def test_a_run_that_was_cut_while_it_was_drawn_is_still_the_one_that_stood_in_line(landscape, tmp_path, monkeypatch):
    tries = [f"{RATE}=0.01,0.02,0.3", "optimiser.batch=4,8"]
    draw = Choices.draw

    def cut(self, trial, key):
        if key == "optimiser.batch":
            raise KeyboardInterrupt
        return draw(self, trial, key)

    monkeypatch.setattr(Choices, "draw", cut)
    with pytest.raises(KeyboardInterrupt):
        landscape(tries, 6, tmp_path / "sweep")
    monkeypatch.undo()
    study = optuna.load_study(study_name="sweep", storage=f"sqlite:///{tmp_path / 'sweep' / 'study.db'}")
    room._return_what_was_cut(study, tmp_path / "sweep")
    drawn = [room._ask(study, 1) for _ in range(6)]
    values = {
        tuple(draw(Choices(tuple(json.loads(f"[{one.split('=')[1]}]"))), trial, one.split("=")[0]) for one in tries)
        for trial in drawn
    }
    assert len(values) == 6


def test_the_figure_of_a_run_that_was_stopped_is_its_best(tmp_path):
    study = optuna.create_study()
    trial = study.ask()
    for step, figure in ((1, 0.1), (2, 0.5)):
        trial.report(figure, step)
    study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    assert [(one.state, one.figure) for one in room._runs(study, {}, tmp_path)] == [("pruned", 0.1)]


def test_what_another_process_trains_is_left_to_it(landscape, tmp_path):
    tries = [f"{RATE}=log:1e-4..1e-1"]

    def look(line):
        if len(landscape.trained) == 1 and line["step"] == 1:
            landscape(tries, 2, tmp_path / "sweep")

    landscape(tries, 2, tmp_path / "sweep", progress=look)
    assert [name for name, _ in landscape.trained] == ["000", "001"]


def test_a_folder_with_another_sweep_is_refused(landscape, tmp_path):
    landscape([f"{RATE}=0.01,0.02"], 1, tmp_path / "sweep")
    with pytest.raises(RecipeError, match="another recipe or space"):
        landscape([f"{RATE}=0.01,0.03"], 2, tmp_path / "sweep")


def test_torchrun_is_refused(landscape, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="one process for each run") as caught:
        landscape([f"{RATE}=0.01,0.02"], 2, tmp_path / "sweep")
    assert "CUDA_VISIBLE_DEVICES" in caught.value.hint


def test_a_turn_that_does_not_come_is_an_error_that_says_so(landscape, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "TURN_S", 0.01)
    (tmp_path / "sweep").mkdir()
    with closing(room._hold(tmp_path / "sweep" / "turn.db")), pytest.raises(ConfigError, match="another process"):
        landscape([f"{RATE}=0.01,0.02"], 2, tmp_path / "sweep")


@pytest.mark.parametrize("make", [lambda lock: lock.mkdir(), lambda lock: lock.write_text("no database" * 100)])
def test_a_lock_that_cannot_be_taken_is_not_one_that_is_held(tmp_path, make):
    make(tmp_path / "lock.db")
    with pytest.raises(ConfigError, match=r"lock\.db"):
        room._hold(tmp_path / "lock.db")


def test_a_lock_is_one_processs_and_ends_with_it(tmp_path):
    code = "import sqlite3, sys, time; lock = sqlite3.connect(sys.argv[1], isolation_level=None); "
    code += "lock.execute('BEGIN EXCLUSIVE'); print('held', flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "lock.db")], stdout=subprocess.PIPE)
    assert other.stdout.readline() == b"held\n"
    with pytest.raises(room.HeldError):
        room._hold(tmp_path / "lock.db")
    other.kill()
    other.communicate()
    with closing(room._hold(tmp_path / "lock.db")):
        pass


@pytest.mark.slow
def test_a_sweep_that_is_really_killed_ends_as_ordinary_runs(small_recipe, tmp_path):
    command = [sys.executable, "-m", "glottis", "sweep", str(small_recipe), "--output", str(tmp_path / "sweep")]
    command += ["--try", f"{RATE}=log:1e-4..1e-2", "--runs", "2", "--json", str(tmp_path / "table.json")]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (tmp_path / "sweep" / "000" / "log.jsonl").exists():
        assert killed.poll() is None
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    run = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    table = json.loads((tmp_path / "table.json").read_text())
    assert [one["state"] for one in table["runs"]] == ["complete", "complete"]
    assert table["runs"][0]["figure"] <= table["runs"][1]["figure"]
    best = table["runs"][0]["settings"][RATE]
    assert run.stdout.splitlines()[-1] == f"glottis train {small_recipe} --set {RATE}={best}"
    for one in table["runs"]:
        kept = json.loads((tmp_path / "sweep" / one["folder"][-3:] / "recipe.json").read_text())
        assert kept["recipe"]["optimiser"]["learning_rate"] == one["settings"][RATE]
        assert (tmp_path / "sweep" / one["folder"][-3:] / "bundle" / "model.onnx").exists()
