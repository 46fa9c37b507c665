"""`glottis sweep`: a recipe and what to try in, a folder of runs and a table out."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glottis.cli.evaluate import put
from glottis.cli.exits import DONE, say
from glottis.cli.train import check_recipe, follower, need_training

if TYPE_CHECKING:
    from glottis.training.sweep import Run

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("recipe", type=_FILE)
@click.option("--try", "tries", metavar="K=V,V", multiple=True, help="Values, A..B, or log:A..B: net.depth=18,34.")
@click.option("--space", metavar="FILE", type=_FILE, help="A TOML file of the same: the tables are the recipe's.")
@click.option("--runs", metavar="N", type=click.IntRange(1), default=20, show_default=True, help="How many, in all.")
@click.option("--set", "settings", metavar="K=V", multiple=True, help="Lay a value over the recipe in every run.")
@click.option("--output", metavar="DIR", type=_FILE, help="The sweep's folder, by default runs/ and RECIPE-sweep.")
@click.option("--json", "json_file", metavar="FILE", type=_FILE, help="Write the table there, as JSON.")
def sweep(recipe: Path, **options: Any) -> int:
    """Train a recipe with many settings, chosen by what the earlier ones gave on dev.

    Every run is a run of `glottis train` in its folder. A run that is poorer at a check than the median of the earlier
    ones is stopped, but for the first five. The same command goes on where a sweep was cut; started several times at
    once, the processes share the runs. Needs the extra: pip install 'glottis[sweep]'.
    """
    check_recipe(recipe)
    need_training()
    from glottis.cli.progress import Bar
    from glottis.errors import RecipeError
    from glottis.training.space import read_space
    from glottis.training.sweep import sweep as run

    settings = options["settings"]
    space = read_space(options["space"], options["tries"], recipe, settings)
    with Bar("training") as bar:

        def begin(one: Run) -> None:
            with bar.away():
                say(f"run {one.folder.name}: {', '.join(one.overrides)}")

        runs = run(
            recipe,
            settings,
            space,
            options["output"] or Path("runs") / f"{recipe.stem}-sweep",
            runs=options["runs"],
            begin=begin,
            progress=follower(bar, "training"),
        )
    _print(runs, recipe, settings)
    if options["json_file"] is not None:
        put(options["json_file"], json.dumps({"schema": 1, "runs": [one.to_dict() for one in runs]}, indent=1) + "\n")
    if all(one.state == "fail" for one in runs):
        raise RecipeError("no run could be trained", hint="the table says why")
    return DONE


def _print(runs: Sequence[Run], recipe: Path, settings: Sequence[str]) -> None:
    """The table, the best first, and the command that repeats the best."""
    from glottis.cli.output import Output

    output = Output()
    output.write(f"{'run':<5}  {'dev figure':>10}  {'state':<8}  settings\n")
    for one in runs:
        figure = "-" if one.figure is None else f"{one.figure:.4f}"
        output.write(f"{one.folder.name:<5}  {figure:>10}  {one.state:<8}  {' '.join(one.overrides)}")
        output.write(f"  {one.error}\n" if one.error else "\n")
    if runs and runs[0].state == "complete":
        changed = [part for one in (*settings, *runs[0].overrides) for part in ("--set", one)]
        output.write(f"glottis train {shlex.join([str(recipe), *changed])}\n")
