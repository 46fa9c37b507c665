"""Finished runs as teachers and as starting points."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch

from glottis.bundle import open_bundle, write_ensemble
from glottis.bundle.store import copy_bundle
from glottis.errors import BundleError, RecipeError
from glottis.nets import build_net
from glottis.testing import tiny_bundle
from glottis.training import checkpoint
from glottis.training.exporter import WEIGHTS, to_onnx, weights_of
from glottis.training.finished import build_recipe_net, finished, soft_targets, start_from
from glottis.training.objective import Objective
from glottis.training.recipe import Recipe, make_recipe, read_recipe
from tiny_encoder import TINY

NET = {"name": "spectral_resnet", "widths": [4, 4], "blocks": [1, 1]}
CPU = torch.device("cpu")


def recipe(net: dict = NET, **tables: dict) -> Recipe:
    data = {"train": ["a.csv"], "dev": "b.csv", "crop_s": 1.0}
    return make_recipe({"data": data, "net": net, **tables})


def finish(folder: Path, of: Recipe | None = None) -> torch.nn.Module:
    of = of or recipe()
    torch.manual_seed(0)
    net = build_recipe_net(of).eval()
    checkpoint.save(folder / "best.pt", {"net": net.state_dict(), "step": 1, "figure": 0.5})
    (folder / "recipe.json").write_text(json.dumps({"recipe": of.to_dict()}))
    return net


def bundled(folder: Path, net: dict) -> torch.nn.Module:
    """A bundle with its net in it."""
    args = {key: value for key, value in net.items() if key != "name"}
    torch.manual_seed(0)
    made = build_net(net["name"], args).eval()
    whole = open_bundle(tiny_bundle(folder, min_speech_s=0.0))
    copy_bundle(
        whole,
        folder,
        changes={"torch": {"net": net["name"], "args": args, "weights": WEIGHTS}, "outputs": ["score", "embedding"]},
        files={"model.onnx": to_onnx(made, whole.manifest.window_samples), WEIGHTS: weights_of(made)},
    )
    return made


def test_a_finished_net_scores_as_it_did(tmp_path: Path) -> None:
    net = finish(tmp_path)
    samples = torch.randn(2, 8000)
    with torch.inference_mode():
        torch.testing.assert_close(finished(tmp_path).net(samples)[0], net(samples)[0])


def test_a_bundle_with_its_net_is_one_to_start_from() -> None:
    net = finished(open_bundle().path).net
    assert not net.training
    assert net(torch.randn(1, 16000))[0].shape == (1,)


def test_the_shipped_bundle_has_a_name_of_its_own() -> None:
    samples = torch.randn(1, 16000)
    with torch.inference_mode():
        torch.testing.assert_close(finished("default").net(samples)[0], finished(open_bundle().path).net(samples)[0])


def test_of_an_ensemble_a_member_must_be_named(tmp_path: Path) -> None:
    shipped = open_bundle()
    fields = {name: shipped.manifest.to_dict()[name] for name in ("name", "version", "calibration", "decision")}
    both = write_ensemble(tmp_path / "both", [shipped, shipped], [0.5, 0.5], 0.0, fields)
    with pytest.raises(BundleError, match="an ensemble of glottis, glottis-2 has no single net"):
        finished(both)
    finished(both / "members" / "glottis-2")


def test_a_folder_without_a_run_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=str(tmp_path)):
        finished(tmp_path)


def test_a_name_and_a_zip_are_bundles_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled(tmp_path / "bundles" / "mine", NET)
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "bundles" / "mine")
    monkeypatch.setenv("GLOTTIS_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert finished("mine").window_samples == finished(archive).window_samples
    with pytest.raises(BundleError, match="no bundle 'your'"):
        finished("your")


def test_weights_of_another_net_do_not_start_this_one(tmp_path: Path) -> None:
    finish(tmp_path)
    with pytest.raises(RecipeError, match=r"schedule\.start .* is another net than the recipe's"):
        start_from(build_recipe_net(recipe(NET | {"widths": [8, 8]})), tmp_path)


def test_a_start_with_other_settings_is_refused_even_if_its_weights_fit(tmp_path: Path) -> None:
    finish(tmp_path)
    with pytest.raises(RecipeError, match="scores otherwise than the recipe's net with its weights"):
        start_from(build_recipe_net(recipe(NET | {"raise_to": 0.3})), tmp_path)


def test_the_recipe_of_tuning_starts_from_the_shipped_bundle() -> None:
    tune = read_recipe(Path(__file__).parents[3] / "recipes" / "tune.toml")
    start_from(build_recipe_net(tune), tune.schedule.start)


def taught_by(folder: Path, **tables: dict) -> Recipe:
    return recipe(distil={"teacher": str(folder), "weight": 1.0}, **tables)


def test_a_teacher_gives_probabilities_and_no_gradient(tmp_path: Path) -> None:
    finish(tmp_path)
    soft = soft_targets(taught_by(tmp_path), CPU)(torch.randn(3, 8000))
    assert soft is not None
    assert soft.shape == (3,)
    assert bool(((soft >= 0) & (soft <= 1)).all())
    assert not soft.requires_grad


def test_without_a_teacher_there_are_no_soft_targets() -> None:
    assert soft_targets(recipe(), CPU)(torch.randn(3, 8000)) is None


SSL = {"name": "ssl", "config": TINY, "back": "mlp"}


@pytest.mark.parametrize("how", ["run", "bundle"])
def test_a_speech_encoder_teaches_a_small_net_with_another_last_layer(tmp_path: Path, how: str) -> None:
    """Of two logits the teacher's opinion is their difference, and so is the student's."""
    teacher = finish(tmp_path, recipe(SSL)) if how == "run" else bundled(tmp_path, SSL)
    of = taught_by(tmp_path, net={"name": "se_resnet", "depth": 9, "widths": [4, 8, 8, 8]}, loss={"name": "a_softmax"})
    net = build_recipe_net(of).eval()
    samples = 0.1 * torch.randn(3, 16_000)
    with torch.no_grad():
        spoof, bonafide = teacher.outputs(teacher.embed(samples)).T
        expected = torch.sigmoid(bonafide - spoof)
    torch.testing.assert_close(soft_targets(of, CPU)(samples), expected)
    loss = Objective(net, of, CPU)(samples, torch.ones(3), 1)
    loss.backward()
    spoof, bonafide = net.outputs(net.embed(samples)).T
    found = torch.nn.functional.binary_cross_entropy(torch.sigmoid(bonafide - spoof), expected)
    assert loss.item() == pytest.approx(found.item(), rel=1e-5)
    assert net.classifier.weight.grad.any()


def test_a_bundle_without_its_net_cannot_teach(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="holds no trainable net") as caught:
        soft_targets(taught_by(tiny_bundle(tmp_path / "tiny")), CPU)
    assert "glottis import" in caught.value.hint


def test_a_teacher_of_another_rate_is_refused(tmp_path: Path) -> None:
    finish(tmp_path)
    with pytest.raises(RecipeError, match="hears 16000 Hz, the recipe 24000 Hz"):
        soft_targets(dataclasses.replace(taught_by(tmp_path), sample_rate_hz=24_000), CPU)


def test_a_teacher_that_needs_longer_crops_says_how_long(tmp_path: Path) -> None:
    finish(tmp_path, recipe(SSL | {"back": "layers"}, export={"window_s": 4.0375}))
    with pytest.raises(RecipeError, match=r"cannot hear crops of 1\.0 s") as caught:
        soft_targets(taught_by(tmp_path), CPU)
    assert caught.value.hint == "data.crop_s = 4.0375"
