"""Scan a folder with the installed package and say which heavy modules came with it; `make bare` runs it.

Usage: python tests/packaging/bare.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import glottis

FORBIDDEN = (
    "torch",
    "matplotlib",
    "fastapi",
    "starlette",
    "uvicorn",
    "sqlalchemy",
    "transformers",
    "onnx",
    "scipy",
    "ray",
)


def main(folder: Path) -> int:
    """0 when every recording got a verdict and no forbidden module was imported."""
    paths = sorted(str(path) for path in folder.iterdir() if path.is_file())
    results = list(glottis.Detector().scan_many(paths))
    failed = [result.source for result in results if isinstance(result, glottis.Failed)]
    heavy = sorted(set(FORBIDDEN) & set(sys.modules))
    sys.stdout.write(f"{len(results)} recordings scanned, {len(failed)} failed; heavy modules: {heavy or 'none'}\n")
    return int(not results or bool(failed) or bool(heavy))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
