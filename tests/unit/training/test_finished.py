"""Finished runs as teachers and as starting points."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from glottis.bundle import open_bundle, write_ensemble
from glottis.errors import BundleError, RecipeError
from glottis.training import checkpoint
from glottis.training.finished import build_recipe_net, finished_net, soft_targets
from glottis.training.recipe import Distil, Recipe, make_recipe

NET = {"name": "spectral_resnet", "widths": [4, 4], "blocks": [1, 1]}


def recipe() -> Recipe:
    return make_recipe({"data": {"train": ["a.csv"], "dev": "b.csv"}, "net": NET})


def finish(folder: Path) -> torch.nn.Module:
    net = build_recipe_net(recipe()).eval()
    checkpoint.save(folder / "best.pt", {"net": net.state_dict(), "step": 1, "figure": 0.5})
    (folder / "recipe.json").write_text(json.dumps({"recipe": recipe().to_dict()}))
    return net


def test_a_finished_net_scores_as_it_did(tmp_path: Path) -> None:
    net = finish(tmp_path)
    samples = torch.randn(2, 8000)
    with torch.inference_mode():
        torch.testing.assert_close(finished_net(tmp_path)(samples)[0], net(samples)[0])


def test_a_bundle_with_its_net_is_one_to_start_from() -> None:
    net = finished_net(open_bundle().path)
    assert not net.training
    assert net(torch.randn(1, 16000))[0].shape == (1,)


def test_the_shipped_bundle_has_a_name_of_its_own() -> None:
    samples = torch.randn(1, 16000)
    with torch.inference_mode():
        torch.testing.assert_close(finished_net("default")(samples)[0], finished_net(open_bundle().path)(samples)[0])


def test_of_an_ensemble_a_member_must_be_named(tmp_path: Path) -> None:
    shipped = open_bundle()
    fields = {name: shipped.manifest.to_dict()[name] for name in ("name", "version", "calibration", "decision")}
    both = write_ensemble(tmp_path / "both", [shipped, shipped], [0.5, 0.5], 0.0, fields)
    with pytest.raises(BundleError, match="an ensemble of glottis, glottis-2 has no single net"):
        finished_net(both)
    finished_net(both / "members" / "glottis-2")


def test_a_folder_without_a_run_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=str(tmp_path)):
        finished_net(tmp_path)


def test_a_teacher_gives_probabilities_and_no_gradient(tmp_path: Path) -> None:
    finish(tmp_path)
    soft = soft_targets(Distil(teacher=str(tmp_path)), torch.device("cpu"))(torch.randn(3, 8000))
    assert soft is not None
    assert soft.shape == (3,)
    assert bool(((soft >= 0) & (soft <= 1)).all())
    assert not soft.requires_grad


def test_without_a_teacher_there_are_no_soft_targets() -> None:
    assert soft_targets(Distil(), torch.device("cpu"))(torch.randn(3, 8000)) is None
