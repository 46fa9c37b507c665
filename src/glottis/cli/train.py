"""`glottis train`: a recipe in, a bundle out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from glottis.cli.exits import DONE, say


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--set", "settings", metavar="K=V", multiple=True, help="Lay a value over the recipe: net.depth=34.")
@click.option(
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The run's folder, by default runs/ and the recipe's name; a run that was cut goes on from there.",
)
def train(recipe: Path, settings: tuple[str, ...], output: Path | None) -> int:
    """Train a bundle by a recipe, a TOML file.

    The bundle's folder goes to stdout, progress and the figures of each check to stderr. The same command goes on
    where an interrupted run stopped. Needs the extra: pip install 'glottis[train]'.
    """
    _check(recipe)
    from glottis._extras import need

    for module in ("torch", "onnx", "safetensors"):
        need(module, extra="train")
    from glottis.cli.output import Output
    from glottis.cli.progress import Bar
    from glottis.training import train as run

    with Bar("training") as bar:

        def progress(line: dict[str, Any]) -> None:
            bar.show(int(line["step"]), int(line["of"]), _loss(line))
            figures = _figures(line)
            if figures:
                with bar.away():
                    say(f"step {line['step']} of {line['of']}: {figures}")

        bundle = run(recipe, settings, output or Path("runs") / recipe.stem, progress)
    Output().write(f"{bundle}\n")
    return DONE


def _check(recipe: Path) -> None:
    from glottis.errors import RecipeError

    if not recipe.is_file():
        raise RecipeError(f"{recipe}: no such recipe", code="missing", hint="check the path")


def _loss(line: dict[str, Any]) -> str:
    return f"training (loss {line['loss']:.3f})" if isinstance(line.get("loss"), float) else "training"


def _figures(line: dict[str, Any]) -> str:
    """What a check found; empty between checks."""
    names = [name for name in line if name not in {"step", "of", "seconds"}]
    return ", ".join(f"{name} {_short(line[name])}" for name in names)


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
