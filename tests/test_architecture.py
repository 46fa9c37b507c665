"""Holds the floors of docs/design.md: imports go down, never up or sideways, and torch stays in its rooms."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "glottis"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)
TORCH = re.compile(r"(torch|torchaudio|torchvision|transformers|lightning|lightning_fabric|safetensors\.torch)(\.|$)")
LINES_OF_A_MODULE = 500
LINES_OF_A_FUNCTION = 100


@dataclass(frozen=True)
class House:
    floors: dict[str, int]
    with_torch: frozenset[str]

    def complaints(self, room: str, imported: str) -> Iterator[str]:
        if TORCH.match(imported) and room not in self.with_torch:
            yield f"{imported} is for the rooms {', '.join(sorted(self.with_torch))} only"
        top, target, *_ = [*imported.split("."), "__init__"]
        if top != "glottis" or target == room or imported == "glottis.__version__":
            return
        if target not in self.floors:
            yield f"{imported} is in no room of docs/design.md"
        elif self.floors[target] >= self.floors[room]:
            yield f"{imported} (floor {self.floors[target]}) is not below {room} (floor {self.floors[room]})"


def read_house(text: str) -> House:
    floors: dict[str, int] = {}
    with_torch = set()
    for floor, rooms in re.findall(r"^floor (\d)\s+(.+)$", text, re.MULTILINE):
        for name, mark in re.findall(r"([a-z_]+)( T\b)?", rooms):
            floors[name] = int(floor)
            if mark:
                with_torch.add(name)
    return House(floors, frozenset(with_torch))


def imports(tree: ast.AST, package: str, rooms: frozenset[str]) -> Iterator[tuple[int, str]]:
    """All imported names with their lines: at the top, inside functions, and by a constant name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name != "glottis")
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "glottis":
            yield node.lineno, f"glottis.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parent, base] if base else parent)
            whole = base in {"glottis", "safetensors"}
            for alias in node.names:
                known = whole and (alias.name in rooms or alias.name in {"__version__", "torch"})
                yield node.lineno, f"{base}.{alias.name}" if known else base
        elif isinstance(node, ast.Call) and node.args and _name(node.func) in {"import_module", "__import__", "need"}:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield node.lineno, first.value


def _name(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def package_of(path: Path) -> str:
    return ".".join(["glottis", *path.relative_to(PACKAGE).parts[:-1]])


HOUSE = read_house((ROOT / "docs" / "design.md").read_text(encoding="utf-8"))
FRONT_DOOR = {"__init__", "__main__"}


def complaints_about(source: str, room: str, package: str) -> list[str]:
    found = imports(ast.parse(source), package, frozenset(HOUSE.floors))
    return [f"line {line}: {text}" for line, name in found for text in HOUSE.complaints(room, name)]


def test_the_table_is_read_whole():
    assert set(HOUSE.floors.values()) == set(range(8))
    assert HOUSE.floors["errors"] == 0
    assert HOUSE.floors["cli"] == 7
    assert HOUSE.with_torch == {"nets", "training", "explain"}


def test_every_room_has_its_place():
    assert {room_of(path) for path in MODULES} - FRONT_DOOR <= set(HOUSE.floors)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path):
    if room_of(path) not in FRONT_DOOR:
        assert not complaints_about(path.read_text(encoding="utf-8"), room_of(path), package_of(path))


def test_the_front_door_imports_nothing_heavy():
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    at_import = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in at_import if isinstance(node, ast.Import) for alias in node.names}
    assert names | {node.module for node in at_import if isinstance(node, ast.ImportFrom)} <= {
        "__future__",
        "importlib",
        "typing",
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_sizes(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES_OF_A_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or node.lineno) - node.lineno < LINES_OF_A_FUNCTION, node.name


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("audio", "from glottis.detector import scan"),
        ("audio", "def f():\n    import glottis.bundle.store"),
        ("audio", "from glottis import scan"),
        ("audio", "from glottis import metrics"),
        ("audio", "import glottis\nglottis.scan('call.wav')"),
        ("bundle", "from ..detector import scan"),
        ("bundle", "from glottis.calibration import Platt"),
        ("detector", "def f():\n    import torch"),
        ("detector", "from torch.nn import functional"),
        ("detector", "from glottis._extras import need\ntorch = need('torch', extra='train')"),
        ("bundle", "from safetensors.torch import load_file"),
        ("bundle", "from safetensors import torch"),
        ("cli", "from glottis.attic import box"),
        ("audio", "import importlib\nimportlib.import_module('glottis.cli')"),
    ],
)
def test_a_wrong_import_is_found(room, source):
    assert complaints_about(source, room, f"glottis.{room}")


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("detector", "from glottis import __version__"),
        ("detector", "import glottis\nversion = glottis.__version__"),
        ("detector", "from glottis.audio import PCM\nfrom glottis import errors"),
        ("audio", "from .source import PCM\nfrom glottis.audio.windows import Windower"),
        ("nets", "import torch\nfrom safetensors.torch import save_file"),
        ("bundle", "import numpy as np\nfrom safetensors.numpy import load"),
        ("cli", "def f():\n    from glottis.training import train"),
    ],
)
def test_a_right_import_passes(room, source):
    assert not complaints_about(source, room, f"glottis.{room}")
