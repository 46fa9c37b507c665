from __future__ import annotations

import hashlib
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import glottis

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONSTRAINTS = [
    line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"
]


def canonical(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement)[0].lower().replace("_", "-").replace(".", "-")


PINNED = {canonical(line) for line in CONSTRAINTS}


def test_the_changelog_knows_this_version():
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert glottis.__version__ in headings


def test_the_installed_version_is_the_source_version():
    try:
        installed = metadata.version("glottis")
    except metadata.PackageNotFoundError:
        pytest.skip("glottis runs from source, not installed")
    assert installed == glottis.__version__


@pytest.mark.parametrize("line", CONSTRAINTS)
def test_constraints_are_exact(line):
    assert re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][^\s*]*", line)


@pytest.mark.parametrize(
    "requirement",
    [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"], *PROJECT["optional-dependencies"]["train"]],
)
def test_what_development_installs_is_pinned(requirement):
    assert canonical(requirement) in PINNED | {"glottis"}


@pytest.mark.parametrize("extra", ["train", "sweep", "ssl", "service", "plots", "cluster", "dev"])
def test_extras_are_there(extra):
    assert PROJECT["optional-dependencies"][extra]


def test_torch_is_not_among_the_plain_dependencies():
    assert not {"torch", "matplotlib", "fastapi", "scipy", "onnx"} & {
        canonical(line) for line in PROJECT["dependencies"]
    }


@pytest.mark.parametrize("name", PROJECT["license-files"])
def test_licence_files_are_there(name):
    assert (ROOT / name).stat().st_size > 0


def test_the_notices_name_every_plain_dependency():
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8").lower()
    assert not [line for line in PROJECT["dependencies"] if canonical(line) not in notices]


def test_the_examples_are_the_frozen_ones():
    table = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    frozen = {name: digest for digest, name in re.findall(r"^([0-9a-f]{64})  (\S+)$", table, re.MULTILINE)}
    found = {path.name: path for path in (ROOT / "examples" / "recordings").iterdir()}
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()} == frozen
    assert sum(path.stat().st_size for path in found.values()) < 1_500_000
