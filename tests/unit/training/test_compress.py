"""Steps that make a bundle smaller: what each does to the model, and that one that costs too much is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from click.testing import CliRunner

import glottis
from glottis.bundle import open_bundle, write_bundle
from glottis.cli import program
from glottis.corpora import read_trials
from glottis.errors import ConfigError
from glottis.nets import build_net
from glottis.testing import tiny_bundle, tiny_corpus, voice
from glottis.training.compress import STEPS, compress
from glottis.training.exporter import WEIGHTS, to_onnx

WINDOW = 16_000


@pytest.fixture(scope="module")
def model() -> bytes:
    torch.manual_seed(0)
    return to_onnx(build_net("spectral_resnet", {"widths": [16, 24], "blocks": [1, 1]}), WINDOW)


@pytest.fixture(scope="module")
def windows() -> list[np.ndarray]:
    return [voice(1.0, seed=seed) for seed in range(6)]


def scores(model: bytes, windows: list[np.ndarray]) -> np.ndarray:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(["score"], {"samples": np.stack(windows)})[0]


@pytest.mark.parametrize(("step", "smaller", "closely"), [("half", 0.9, 2e-3), ("int8_static", 0.9, 0.2)])
def test_a_step_makes_the_model_smaller_and_hardly_moves_it(model, windows, step, smaller, closely):
    made = STEPS[step](model, windows)
    assert len(made) < smaller * len(model)
    before, after = scores(model, windows), scores(made, windows)
    assert not np.array_equal(before, after)
    np.testing.assert_allclose(after, before, atol=closely)


def test_products_in_int8(windows):
    torch.manual_seed(0)
    model = to_onnx(build_net("conformer", {"blocks": 1, "features": 64}), WINDOW)
    made = STEPS["int8_dynamic"](model, windows)
    assert len(made) < 0.7 * len(model)
    np.testing.assert_allclose(scores(made, windows), scores(model, windows), atol=0.1)


@pytest.fixture
def bundle(model: bytes, tmp_path: Path) -> Path:
    whole = open_bundle(tiny_bundle(tmp_path / "tiny", min_speech_s=0.0))
    fields = whole.manifest.to_dict()
    fields |= {"outputs": ["score", "embedding"], "torch": {"net": "x", "args": {}, "weights": WEIGHTS}}
    for name in ("files", "schema"):
        del fields[name]
    return write_bundle(tmp_path / "whole", fields, {"model.onnx": model, WEIGHTS: b"weights", "README.md": b"card"})


@pytest.mark.parametrize(("most", "kept"), [(1.0, True), (-1.0, False)])
def test_a_step_that_costs_too_much_is_refused(bundle, tmp_path, most, kept):
    table = tiny_corpus(tmp_path / "corpus")
    trials = read_trials(table)
    found = list(
        compress(
            open_bundle(bundle),
            tmp_path / "out",
            ["half"],
            root=table.parent,
            ranges=trials,
            judges=trials,
            most_eer=most,
        )
    )
    assert [(one.name, one.kept) for one in found] == [("as it was", True), ("half", kept)]
    assert found[1].change.value == pytest.approx(found[1].eer - found[0].eer)
    small = open_bundle(tmp_path / "out")
    assert (len(small.read("model.onnx")) < len(open_bundle(bundle).read("model.onnx"))) == kept
    assert (small.manifest.torch is None) == kept
    assert small.read("README.md") == b"card"
    assert glottis.Detector(tmp_path / "out").scan(table.parent / trials[0].file).score is not None


def test_an_unknown_step_is_named(bundle, tmp_path):
    with pytest.raises(ConfigError, match="unknown step 'int4'"):
        list(compress(open_bundle(bundle), tmp_path, ["int4"], root=tmp_path, ranges=[], judges=[], most_eer=1.0))


def test_the_command(bundle, tmp_path):
    table = tiny_corpus(tmp_path / "corpus")
    args = ["--model", str(bundle), "--corpus", str(table), "--output", str(tmp_path / "out"), "--steps", "half"]
    result = CliRunner().invoke(program, ["compress", *args, "--ranges", "dev", "--json", str(tmp_path / "all.json")])
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[-1] == str(tmp_path / "out")
    found = json.loads((tmp_path / "all.json").read_text())
    assert [one["name"] for one in found["steps"]] == ["as it was", "half"]
