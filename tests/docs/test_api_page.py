"""The API page and the public names are the same list."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
from pathlib import Path

import pytest

import glottis
from glottis import errors, verdict

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ROOMS = ("verdict", "detector", "audio", "bundle", "metrics", "calibration", "testing", "corpora", "augment")
ROW = re.compile(r"^\| `(?P<name>\w+)(?:\((?P<arguments>[^`]*)\))?` \| (?P<text>.*) \|$", re.MULTILINE)
LONGEST_DEFAULT = 12
RESULTS = {"Verdict", "Window", "Failed"}


def section(title: str) -> str:
    match = re.search(rf"^### `{re.escape(title)}[`(].*?(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert match, f"docs/api.md has no section {title}"
    return match[0]


def public_names(room: str) -> set[str]:
    """What a room offers: its ``__all__``, else the functions and classes that are defined in it."""
    module = importlib.import_module(f"glottis.{room}")
    if hasattr(module, "__all__"):
        return set(module.__all__)
    own = {name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__}
    return {name for name in own if not name.startswith("_") and callable(getattr(module, name))}


def arguments_of(function) -> str:
    """The arguments as the page writes them: no types, and ``...`` for a long default."""
    written = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in written:
            written.append("*")
        default = repr(parameter.default)
        short = len(default) <= LONGEST_DEFAULT and default != "<factory>"
        has_none = parameter.default is parameter.empty
        written.append(parameter.name if has_none else f"{parameter.name}={default if short else '...'}")
    return ", ".join(written)


def members_of(kind: type) -> set[str]:
    described = (property, classmethod, staticmethod)
    return {
        name
        for name, value in vars(kind).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, described))
    }


ROWS = [(room, row) for room in ROOMS for row in ROW.finditer(section(f"glottis.{room}"))]


def test_headings_are_the_public_names():
    headings = re.findall(r"^### `glottis\.(\w+)", PAGE, re.MULTILINE)
    assert sorted(headings) == sorted([*glottis.__all__, *ROOMS])


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_list_their_names(room):
    listed = [row["name"] for name, row in ROWS if name == room]
    known_elsewhere = RESULTS if room == "verdict" else set()
    assert sorted(listed) == sorted(public_names(room) - known_elsewhere)


@pytest.mark.parametrize(("room", "row"), ROWS, ids=[f"{room}.{row['name']}" for room, row in ROWS])
def test_rows_fit_the_code(room, row):
    value = getattr(importlib.import_module(f"glottis.{room}"), row["name"])
    if row["arguments"] is not None:
        assert row["arguments"] == arguments_of(value)
    elif inspect.isfunction(value):
        pytest.fail(f"glottis.{room}.{row['name']} is listed without its arguments")
    if inspect.isclass(value):
        assert members_of(value) <= set(re.findall(r"`(\w+)`", row["text"]))


@pytest.mark.parametrize("kind", [verdict.Verdict, verdict.Window, verdict.Failed], ids=lambda kind: kind.__name__)
def test_fields_are_listed(kind):
    listed = re.findall(r"^\| `(\w+)` \|", section(f"glottis.{kind.__name__}").split("\nCodes of ")[0], re.MULTILINE)
    assert sorted(listed) == sorted(field.name for field in dataclasses.fields(kind))


@pytest.mark.parametrize("decision", list(verdict.Decision))
def test_decisions_are_explained(decision):
    assert f"`{decision}`" in section("glottis.Verdict")


def test_error_codes_of_the_tree_are_named():
    kinds = [errors.GlottisError, *errors.GlottisError.__subclasses__()]
    for kind in kinds:
        assert f"`{kind.default_code}`" in section(f"glottis.{kind.__name__}")


def calls(*folders: str) -> list[tuple[str, ast.Call]]:
    """All calls in the modules of some rooms, with the name of what is called."""
    paths = [path for folder in folders for path in sorted((ROOT / "src" / "glottis" / folder).rglob("*.py"))]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    return [
        (getattr(node.func, "attr", getattr(node.func, "id", "")), node) for node in nodes if isinstance(node, ast.Call)
    ]


def test_codes_of_notices_are_the_listed_ones():
    used = {
        node.args[0].value
        for name, node in calls("audio", "detector")
        if name in {"Notice", "_note", "_once"} and node.args and isinstance(node.args[0], ast.Constant)
    }
    listed = section("glottis.Verdict").split("\nCodes of ", 1)[1]
    assert sorted(used) == sorted(re.findall(r"^\| `(\w+)`", listed, re.MULTILINE))


def test_codes_of_input_errors_are_the_listed_ones():
    used = {
        keyword.value.value
        for name, node in calls("audio")
        if name == "InputError"
        for keyword in node.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    }
    assert used | {"input"} == set(re.findall(r"`(\w+)`", section("glottis.InputError"))) - {"glottis"}


@pytest.mark.parametrize("name", ["scan", "scan_channels", "scan_many", "stream"])
def test_methods_of_the_detector_are_named(name):
    arguments = arguments_of(getattr(glottis.Detector, name)).removeprefix("self, ")
    assert f"`{name}({arguments})`" in section("glottis.Detector")


def test_the_detector_and_scan_are_shown_as_they_are():
    assert f"### `glottis.scan({arguments_of(glottis.scan)})`" in PAGE
    assert f"### `glottis.Detector({arguments_of(glottis.Detector)})`" in PAGE
