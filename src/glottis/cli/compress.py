"""`glottis compress`: a bundle in, a smaller or faster one out, and what it cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glottis.cli.evaluate import put
from glottis.cli.exits import DONE

if TYPE_CHECKING:
    from glottis.training.compress import Step

_FILE = click.Path(path_type=Path)


@click.command()
@click.option("--model", metavar="M", help="The path or the name of a bundle; by default the shipped one.")
@click.option("--output", metavar="DIR", type=_FILE, required=True, help="The new bundle's folder.")
@click.option("--corpus", metavar="FILE", type=_FILE, required=True, help="A table of trials.")
@click.option("--split", metavar="NAME", default="dev", show_default=True, help="On which EER is measured.")
@click.option("--ranges", metavar="NAME", default="train", show_default=True, help="From which ranges are taken.")
@click.option(
    "--most", metavar="N", type=click.IntRange(1), help="At most so many trials of --split, spread over the sources."
)
@click.option("--steps", metavar="NAMES", default="half,int8_static", show_default=True, help="With commas between.")
@click.option(
    "--most-eer",
    metavar="POINTS",
    type=click.FloatRange(0, 100),
    default=1.0,
    show_default=True,
    help="A step whose EER may have risen by more, by its 95 % interval, is refused.",
)
@click.option(
    "--keep",
    metavar="SHARE",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.8,
    show_default=True,
    help="Of the channels of each stage, by prune.",
)
@click.option("--tune", metavar="K=V", multiple=True, help="A setting of prune's tuning: schedule.steps=1000.")
@click.option("--threads", metavar="N", type=click.IntRange(1), default=1, show_default=True, help="For scoring.")
@click.option("--json", "json_file", metavar="FILE", type=_FILE, help="Write the table there, as JSON.")
def compress(**options: Any) -> int:
    """Make a bundle smaller or faster, and refuse what costs too much.

    Steps: prune (channels taken out, the rest tuned on the splits train and dev beside the whole net; first, if at
    all), half (weights in float16), int8_dynamic, int8_static. The copy has no trainable net, except of prune alone.
    Needs the extra: pip install 'glottis[train]'.
    """
    from glottis.bundle import open_bundle
    from glottis.cli.output import Output
    from glottis.cli.progress import Bar
    from glottis.cli.train import need_training
    from glottis.corpora import pick, read_trials

    need_training()
    from glottis.training.compress import CALIBRATION_CLIPS
    from glottis.training.compress import compress as run
    from glottis.training.prune import Pruning

    judges = pick(read_trials(options["corpus"], split=options["split"]), options["most"])
    output, found = Output(), []
    output.write(f"{'step':<14}  {'model':>9}  {'a window':>9}  {'EER, %':>7}  change, 95 %\n")
    with Bar("compressing") as bar:
        for one in run(
            open_bundle(options["model"]),
            options["output"],
            [name for name in options["steps"].split(",") if name],
            root=options["corpus"].parent,
            ranges=pick(read_trials(options["corpus"], split=options["ranges"]), CALIBRATION_CLIPS),
            judges=judges,
            most_eer=options["most_eer"] / 100,
            threads=options["threads"],
            pruning=Pruning(
                options["keep"],
                options["corpus"],
                options["tune"],
                lambda line: bar.show(int(line["step"]), int(line["of"]), "tuning"),
            ),
        ):
            found.append(one.to_dict())
            with bar.away():
                output.write(_row(one))
    output.write(f"{options['output']}\n")
    if options["json_file"] is not None:
        put(options["json_file"], json.dumps({"schema": 1, "steps": found}, indent=1) + "\n")
    return DONE


def _row(one: Step) -> str:
    change = "" if one.change is None else f"{100 * one.change.value:+.2f}"
    reach = "" if one.change is None else f" ({100 * one.change.low:+.2f} to {100 * one.change.high:+.2f})"
    refused = "" if one.kept else "  refused"
    size = f"{one.name:<14}  {one.model_bytes / 1e6:6.2f} MB  {one.ms_a_window:6.1f} ms  "
    return f"{size}{100 * one.eer:7.2f}  {change}{reach}{refused}\n"
