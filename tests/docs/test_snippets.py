"""Runs what the pages show: Python blocks, and `glottis` lines of console blocks.

A block under `<!-- not run: REASON -->` is not run. A line that ends in `# exit code N` must leave with that code.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from glottis.bundle import open_bundle

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "examples" / "README.md"]
BLOCK = re.compile(
    r"(?:<!-- not run: (?P<reason>[^\n]+?) -->\n+)?```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
DEFAULT = ROOT / "src" / "glottis" / "bundle" / "default" / "bundle.json"
needs_default = pytest.mark.skipif(not DEFAULT.exists(), reason="needs the shipped bundle, which recipes/ makes")


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    kind: str
    text: str
    reason: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start("text")) + 1
            name = str(page.relative_to(ROOT))
            found.append(Block(name, line, match["kind"], match["text"], match["reason"]))
    return found


PYTHON = [block for block in blocks() if block.kind == "python" and not block.reason]
COMMANDS = [
    pytest.param(line, id=f"{block}-{line.split()[0]}")
    for block in blocks()
    if block.kind == "console" and not block.reason
    for line in block.text.splitlines()
    if line.strip()
]


@pytest.fixture
def playground(tmp_path, monkeypatch):
    """A folder with the examples and the file names that pages use."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copy(ROOT / "examples" / "recordings" / "human-fr-june.mp3", tmp_path / "call.mp3")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_readme_has_both_kinds():
    assert [block for block in PYTHON if block.page == "README.md"]
    assert [line for line in COMMANDS if "README.md" in str(line.id)]


@needs_default
@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python_runs(block, playground, capsys):
    exec(compile(block.text, f"{playground}/{block}", "exec"), {"__name__": "__main__"})  # noqa: S102  # our own pages
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_run(line, playground):
    program, *arguments = shlex.split(line, comments=True)
    codes = [int(code) for code in re.findall(r"# exit code (\d+)", line)] or [0, 4]
    if program == "glottis":
        if not DEFAULT.exists():
            pytest.skip("needs the shipped bundle, which recipes/ makes")
        run = subprocess.run(
            [sys.executable, "-m", "glottis", *expand(arguments)],
            cwd=playground,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert run.returncode in codes, run.stderr
        assert "Traceback" not in run.stderr
    elif program == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert set(arguments) <= set(targets)
    else:
        assert program in {"pip", "git", "python3"}


def expand(arguments: list[str]) -> list[str]:
    """What a shell makes of `*` in arguments."""
    found: list[str] = []
    for argument in arguments:
        found += sorted(map(str, Path().glob(argument))) if "*" in argument else [argument]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (page.parent / target).exists()]


@needs_default
def test_the_picture_shows_the_shipped_detector():
    """`make picture` draws it anew."""
    picture = (ROOT / "docs" / "timeline.svg").read_text(encoding="utf-8")
    assert hashlib.sha256(DEFAULT.read_bytes()).hexdigest()[:12] in picture


def figures():
    """The script that makes docs/figures.md."""
    spec = importlib.util.spec_from_file_location("figures", ROOT / "benchmarks" / "figures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_figures_is_what_the_benchmarks_wrote():
    """`python benchmarks/figures.py > docs/figures.md` makes it anew."""
    assert (ROOT / "docs" / "figures.md").read_text(encoding="utf-8") == figures().page(ROOT / "results")


@needs_default
@pytest.mark.parametrize("name", ["dev", "explain", "long", "robustness", "speech", "speed"])
def test_the_figures_are_of_the_shipped_detector(name):
    result = json.loads((ROOT / "results" / f"{name}.json").read_text(encoding="utf-8"))
    assert result["bundle"]["verdict_sha256"] == open_bundle().verdict_sha256
