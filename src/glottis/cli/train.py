"""`glottis train`: a recipe in, a bundle out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glottis.cli.exits import DONE, say

if TYPE_CHECKING:
    from glottis.cli.progress import Bar


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--set", "settings", metavar="K=V", multiple=True, help="Lay a value over the recipe: net.depth=34.")
@click.option(
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The run's folder, by default runs/ and the recipe's name; a run that was cut goes on from there.",
)
@click.option("--tensorboard", is_flag=True, help="Write losses and the figures of each check for TensorBoard too.")
def train(recipe: Path, settings: tuple[str, ...], output: Path | None, *, tensorboard: bool) -> int:
    """Train a bundle by a recipe, a TOML file.

    The bundle's folder goes to stdout, progress and the figures of each check to stderr. The same command goes on
    where an interrupted run stopped. Several GPUs: torchrun --nproc-per-node=gpu -m glottis train RECIPE. Needs the
    extra: pip install 'glottis[train]'.
    """
    check_recipe(recipe)
    need_training()
    from glottis.cli.output import Output
    from glottis.cli.progress import Bar
    from glottis.training import train as run

    output = output or Path("runs") / recipe.stem
    with Bar("training", shown=_tells()) as bar:
        bundle = run(recipe, settings, output, follower(bar, "training"), tensorboard=tensorboard)
    if _tells():
        Output().write(f"{bundle}\n")
    return DONE


def _tells() -> bool:
    """Whether this is the process that shows: the only one, or the first of those that `torchrun` started."""
    return os.environ.get("RANK", "0") == "0"


def need_training() -> None:
    """Say what to install, if training is not."""
    from glottis._extras import need

    for module in ("torch", "lightning_fabric", "onnx", "safetensors"):
        need(module, extra="train")


def follower(bar: Bar, what: str) -> Callable[[dict[str, Any]], None]:
    """A progress for a run: the bar moves, and each check has a line."""

    def progress(line: dict[str, Any]) -> None:
        bar.show(int(line["step"]), int(line["of"]), _loss(what, line))
        figures = _figures(line)
        if figures:
            with bar.away():
                say(f"step {line['step']} of {line['of']}: {figures}")

    return progress


def check_recipe(recipe: Path) -> None:
    """Refuse what is no file, before anything heavy is imported."""
    from glottis.errors import RecipeError

    if not recipe.is_file():
        raise RecipeError(f"{recipe}: no such recipe", code="missing", hint="check the path")


def _loss(what: str, line: dict[str, Any]) -> str:
    return f"{what} (loss {line['step_loss']:.3f})" if isinstance(line.get("step_loss"), float) else what


def _figures(line: dict[str, Any]) -> str:
    """What a check found; empty between checks."""
    names = [name for name in line if name not in {"step", "of", "seconds", "step_loss"}]
    return ", ".join(f"{name} {_short(line[name])}" for name in names)


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
