"""What stands in the event file, by TensorBoard's own reader."""

from __future__ import annotations

import json
import sys

import pytest

from glottis.errors import MissingExtra
from glottis.training.tensorboard import with_scalars


def test_the_loss_of_each_step_and_the_figures_of_each_check_stand_in_the_file(fit, tmp_path):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    told = []
    with with_scalars(told.append, tmp_path / "board") as progress:
        fit([], tmp_path / "run", progress)
    found = reader.EventAccumulator(str(tmp_path / "board")).Reload()
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert set(found.Tags()["scalars"]) == {"step_loss", "loss", "dev_pooled_eer", "dev_within_eer"}
    for name in found.Tags()["scalars"]:
        events = [(event.step, event.value) for event in found.Scalars(name)]
        lines = told if name == "step_loss" else log
        assert events == [(line["step"], pytest.approx(line[name])) for line in lines]
    assert [line["step"] for line in told] == list(range(1, 9))


def test_without_the_package_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(MissingExtra) as raised, with_scalars(print, tmp_path / "board"):
        pass
    assert raised.value.hint == "pip install tensorboard"
    assert not (tmp_path / "board").exists()
