"""What can be tried, and how it is said."""

from __future__ import annotations

import pytest

from glottis.errors import RecipeError
from glottis.training.space import Choices, Range, combinations, read_space


def space(small_recipe, *tries, file=None, settings=()):
    return read_space(file, tries, small_recipe, settings)


def test_ranges_and_lists_are_told_apart(small_recipe):
    found = space(
        small_recipe,
        "optimiser.learning_rate=log:1e-4..1e-2",
        "optimiser.weight_decay=0..1",
        "optimiser.accumulate=1..4",
        "net.widths=[8,8],[4,4]",
        "schedule.shape=cosine,one_cycle",
        "self_distil.on=true,false",
    )
    assert found == {
        "optimiser.learning_rate": Range(1e-4, 1e-2, log=True),
        "optimiser.weight_decay": Range(0.0, 1.0, log=False),
        "optimiser.accumulate": Range(1, 4, log=False),
        "net.widths": Choices(([8, 8], [4, 4])),
        "schedule.shape": Choices(("cosine", "one_cycle")),
        "self_distil.on": Choices((True, False)),
    }
    assert isinstance(found["optimiser.weight_decay"].high, float)
    assert isinstance(found["optimiser.accumulate"].high, int)


def test_a_file_says_the_same_and_the_command_line_comes_after_it(small_recipe, tmp_path):
    file = tmp_path / "space.toml"
    file.write_text('[optimiser]\nlearning_rate = "log:1e-4..1e-2"\nbatch = [4, 8]\n["net"]\nattention = "se, eca"\n')
    assert space(small_recipe, "optimiser.batch=2,4", file=file) == {
        "optimiser.learning_rate": Range(1e-4, 1e-2, log=True),
        "optimiser.batch": Choices((2, 4)),
        "net.attention": Choices(("se", "eca")),
    }


def test_all_combinations_of_lists(small_recipe):
    lists = space(small_recipe, "net.depth=18,34", "optimiser.batch=4,8")
    assert combinations(lists) == [
        {"net.depth": depth, "optimiser.batch": batch} for depth in (18, 34) for batch in (4, 8)
    ]
    assert combinations(lists | {"optimiser.clip_norm": Range(1.0, 2.0, log=False)}) == []


@pytest.mark.parametrize(
    ("tried", "message"),
    [
        ((), "nothing is to be tried"),
        (("optimiser.learning_rate",), "is not key=values"),
        (("optimiser.speed=1,2",), r"unknown key optimiser\.speed"),
        (("optimiser.batch=a..b",), r"optimiser\.batch: 'a' is no number"),
        (("optimiser.batch=8..4",), "8..4 is no range"),
        (("optimiser.learning_rate=log:0..1",), "log:0..1 is no range"),
        (("optimiser.batch=8,8",), "not different ones"),
        (("optimiser.batch=",), "are no values"),
        (("schedule.steps=2020-01-01",), r"schedule\.steps: .*a date or a time"),
        (("net.widths=[07:30:00],[4,8]",), r"net\.widths: .*a date or a time"),
        (("schedule.steps=0.5..2.5",), r"schedule\.steps must be int"),
        (("optimiser.swa_from=0.5..1.5",), r"optimiser\.swa_from is 1\.5"),
    ],
)
def test_what_the_recipe_does_not_take_is_refused_at_once(small_recipe, tried, message):
    with pytest.raises(RecipeError, match=message):
        space(small_recipe, *tried)


@pytest.mark.parametrize(("text", "message"), [(None, "No such file"), ("x = ", "is no TOML")])
def test_a_file_that_cannot_be_read_is_named(small_recipe, tmp_path, text, message):
    file = tmp_path / "space.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(RecipeError, match=message):
        space(small_recipe, file=file)
