"""Look at what the wheel installed, and scan a folder with it; `make bare` runs it.

Usage: python tests/packaging/bare.py FOLDER
"""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import glottis

FORBIDDEN = (
    "torch",
    "matplotlib",
    "fastapi",
    "starlette",
    "flask",
    "django",
    "uvicorn",
    "sqlalchemy",
    "transformers",
    "onnx",
    "scipy",
    "ray",
)
BUNDLE = "glottis/bundle/default"
WANTED = ("glottis/py.typed", f"{BUNDLE}/bundle.json", f"{BUNDLE}/model.onnx", f"{BUNDLE}/README.md")


def complaints_about_the_wheel() -> list[str]:
    """What the installed files lack, and what does not belong among them."""
    files = [file.as_posix() for file in metadata.files("glottis") or []]
    known = ("glottis/", "glottis-", "../")  # the package, its metadata, the command
    strange = [file for file in files if not file.startswith(known) or "/tests/" in file]
    return [f"lacks {file}" for file in WANTED if file not in files] + [f"has {file}" for file in strange]


def main(folder: Path) -> int:
    """0 when the wheel is right, every recording got a verdict and no forbidden module was imported."""
    paths = sorted(str(path) for path in folder.iterdir() if path.is_file())
    results = list(glottis.Detector().scan_many(paths))
    failed = [result.source for result in results if isinstance(result, glottis.Failed)]
    heavy = sorted(set(FORBIDDEN) & set(sys.modules))
    wrong = complaints_about_the_wheel()
    sys.stdout.write(f"{len(results)} recordings scanned, {len(failed)} failed; heavy modules: {heavy or 'none'}\n")
    sys.stdout.write("".join(f"the wheel {text}\n" for text in wrong))
    return int(not results or bool(failed) or bool(heavy) or bool(wrong))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
