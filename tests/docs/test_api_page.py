"""The API page and the public names are the same list."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

import glottis
from glottis import errors, verdict

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    match = re.search(rf"^### `{re.escape(title)}[`(].*?(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert match, f"docs/api.md has no section {title}"
    return match[0]


def test_headings_are_the_public_names():
    assert sorted(re.findall(r"^### `glottis\.(\w+)", PAGE, re.MULTILINE)) == sorted(glottis.__all__)


@pytest.mark.parametrize("kind", [verdict.Verdict, verdict.Window, verdict.Failed], ids=lambda kind: kind.__name__)
def test_fields_are_listed(kind):
    listed = re.findall(r"^\| `(\w+)` \|", section(f"glottis.{kind.__name__}"), re.MULTILINE)
    assert sorted(listed) == sorted(field.name for field in dataclasses.fields(kind))


@pytest.mark.parametrize("decision", list(verdict.Decision))
def test_decisions_are_explained(decision):
    assert f"`{decision}`" in section("glottis.Verdict")


def test_error_codes_of_the_tree_are_named():
    kinds = [errors.GlottisError, *errors.GlottisError.__subclasses__()]
    for kind in kinds:
        assert f"`{kind.default_code}`" in section(f"glottis.{kind.__name__}")


@pytest.mark.parametrize("name", ["scan", "scan_many", "stream"])
def test_methods_of_the_detector_are_named(name):
    assert f"`{name}(" in section("glottis.Detector")
