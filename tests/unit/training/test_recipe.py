"""A recipe says everything, and says it clearly when it is wrong."""

import pytest

from glottis.errors import RecipeError
from glottis.training.recipe import make_recipe, read_recipe

PLAIN = {"data": {"train": ["a.csv"], "dev": "b.csv"}, "net": {"name": "spectral_resnet"}}


def test_what_is_not_said_keeps_its_default():
    recipe = make_recipe(PLAIN)
    assert recipe.schedule.seed == 1
    assert recipe.data.train == ("a.csv",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": {}}, "unknown key optimizer"),
        ({"schedule": {"stepz": 3}}, "unknown key schedule.stepz"),
        ({"schedule": {"steps": "many"}}, "schedule.steps must be int"),
        ({"schedule": {"steps": True}}, "schedule.steps must be int"),
        ({"data": {"train": "a.csv", "dev": "b.csv"}}, "data.train must be a list"),
        ({"data": {"dev": "b.csv"}}, "train"),
        ({"net": {"widths": [1]}}, "net.name is missing"),
        ({"optimiser": {"accumulate": 0}}, "optimiser.accumulate is 0"),
        ({"optimiser": {"betas": [0.9]}}, "optimiser.betas has 1 numbers"),
        ({"schedule": {"check_every": 0}}, "schedule.check_every is 0"),
        ({"schedule": {"threads": 0}}, "schedule.threads is 0"),
        ({"data": {"train": ["a.csv"], "dev": "b.csv", "crop_s": 0.0}}, "data.crop_s is 0.0"),
        ({"data": {"train": ["a.csv"], "dev": "b.csv", "crop_s": float("nan")}}, "data.crop_s is nan"),
    ],
)
def test_a_wrong_recipe_is_refused_by_name(change, message):
    with pytest.raises(RecipeError, match=message):
        make_recipe(PLAIN | change)


def test_settings_lie_over_the_file(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text('[data]\ntrain = ["a.csv"]\ndev = "b.csv"\n[net]\nname = "spectral_resnet"\n')
    recipe = read_recipe(path, ["schedule.steps=7", "net.attention=eca", "optimiser.learning_rate=1"])
    assert recipe.schedule.steps == 7
    assert recipe.net["attention"] == "eca"
    assert recipe.optimiser.learning_rate == 1.0


def test_a_setting_must_be_key_equals_value(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text("")
    with pytest.raises(RecipeError, match="is not key=value"):
        read_recipe(path, ["steps"])


def test_a_file_that_is_no_toml_is_named(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text("[data")
    with pytest.raises(RecipeError, match=r"r\.toml is no TOML"):
        read_recipe(path)
