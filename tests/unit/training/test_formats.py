"""A net as a file for another runtime: what each format gives, that its batch is free, and what is refused."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

import glottis
from glottis.audio import PCM
from glottis.cli import program
from glottis.errors import BundleError, RecipeError
from glottis.testing import tiny_bundle, voice
from glottis.training import checkpoint
from glottis.training.finished import build_recipe_net
from glottis.training.formats import TORCH_FORMATS, export, to_torchscript
from glottis.training.recipe import make_recipe

WINDOW = 16_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nn.Module]:
    """A run that has chosen its weights and never came to its bundle, and its net."""
    folder = tmp_path_factory.mktemp("run")
    recipe = make_recipe(
        {
            "data": {"train": ["corpus/a.csv"], "dev": "corpus/b.csv"},
            "net": {"name": "spectral_resnet", "widths": [4, 8], "blocks": [1, 1], "frame_features": 8},
            "export": {"window_s": 1.0, "hop_s": 1.0, "min_speech_s": 0.1, "name": "mine"},
        }
    )
    torch.manual_seed(0)
    net = build_recipe_net(recipe).eval()
    checkpoint.save(folder / "best.pt", {"net": net.state_dict(), "step": 1, "figure": 0.5})
    (folder / "recipe.json").write_text(json.dumps({"recipe": recipe.to_dict()}))
    return folder, net


def windows(batch: int) -> Tensor:
    return torch.from_numpy(np.stack([voice(1.0, seed=seed) for seed in range(batch)]))


def load(form: str, data: bytes) -> nn.Module:
    with warnings.catch_warnings(action="ignore"):  # torch calls TorchScript deprecated
        if form == "torchscript":
            return torch.jit.load(io.BytesIO(data))
        return torch.export.load(io.BytesIO(data)).module()


@pytest.mark.parametrize("form", TORCH_FORMATS)
def test_a_form_of_torch_gives_what_the_net_gives_for_any_batch(run, form, tmp_path):
    folder, net = run
    loaded = load(form, export(folder, form, tmp_path / "new" / "net.pt").read_bytes())
    for batch in (1, 2, 5):
        with torch.inference_mode():
            for got, expected in zip(loaded(windows(batch)), net(windows(batch)), strict=True):
                torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("opset", [13, 17, 20])
def test_onnx_of_the_opset_that_is_asked_for(run, opset, tmp_path):
    folder, net = run
    data = export(folder, "onnx", tmp_path / "net.onnx", opset=opset).read_bytes()
    assert onnx.load_from_string(data).opset_import[0].version == opset
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    for batch in (1, 2, 5):
        with torch.inference_mode():
            expected = net(windows(batch))[0].numpy()
        np.testing.assert_allclose(session.run(["score"], {"samples": windows(batch).numpy()})[0], expected, atol=1e-4)


def test_an_unfinished_run_becomes_a_bundle_that_scans_uncalibrated(run, tmp_path):
    folder, net = run
    export(folder, "bundle", tmp_path / "bundle")
    detector = glottis.Detector(tmp_path / "bundle")
    verdict = detector.scan(PCM(voice(1.0), 16_000))
    with torch.inference_mode():
        assert verdict.score == pytest.approx(net(windows(1))[0].item(), abs=1e-3)
    assert (verdict.verdict, verdict.llr) == ("inconclusive", None)
    assert detector.bundle.manifest.trained_on == ("corpus",)
    with pytest.raises(RecipeError, match="is a bundle already"):
        export(tmp_path / "bundle", "bundle", tmp_path / "again")


class Fickle(nn.Module):
    """Adds the size of the batch, which a trace takes for a number."""

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        return samples.mean(dim=1) + len(samples), samples


def test_a_net_whose_trace_is_fixed_to_a_batch_is_refused():
    with pytest.raises(BundleError, match=r"TorchScript and torch differ by 0\.99 at batch 1") as caught:
        to_torchscript(Fickle(), 100)
    assert caught.value.code == "parity"


def test_the_command(run, tmp_path):
    folder, _ = run
    target = tmp_path / "net.pt2"
    found = CliRunner().invoke(program, ["export", str(folder), "--format", "torch_export", "--output", str(target)])
    assert found.exit_code == 0, found.stderr
    assert found.stdout == f"{target}\n"
    assert target.stat().st_size > 0


def test_a_bundle_without_its_net_cannot_be_exported(tmp_path):
    folder = tiny_bundle(tmp_path / "tiny")
    arguments = ["export", str(folder), "--format", "onnx", "--output", str(tmp_path / "net.onnx")]
    found = CliRunner().invoke(program, arguments)
    assert found.exit_code == 2
    assert "holds no trainable net" in found.stderr
