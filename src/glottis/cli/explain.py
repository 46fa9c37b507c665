"""`glottis explain`: which stretches and bands the verdict hangs on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glottis.cli.exits import DONE, say
from glottis.cli.text import printable

if TYPE_CHECKING:
    from glottis.explain import Explanation, Settings
    from glottis.verdict import Verdict

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("path", metavar="FILE", type=click.UNPROCESSED)
@click.option("--method", type=click.Choice(["occlusion", "gradients"]), default="occlusion", show_default=True)
@click.option("--windows", metavar="N", type=int, default=1, show_default=True, help="How many windows at most.")
@click.option("--step", "step_s", metavar="S", type=float, default=0.4, show_default=True, help="Seconds of a cell.")
@click.option("--bands", metavar="N", type=int, help="How many bands; by default each is about 1 kHz high.")
@click.option(
    "--fill",
    type=click.Choice(["background", "level", "stop"]),
    default="background",
    show_default=True,
    help="What a deleted cell becomes: noise as in quiet moments, noise at its own level, nothing.",
)
@click.option("--draws", metavar="N", type=int, default=20, show_default=True, help="Random draws of the check.")
@click.option("--cells", metavar="N", type=click.IntRange(1), default=8, show_default=True, help="How many to print.")
@click.option("--picture", metavar="FILE", type=_FILE, help="Draw it there: .png or .svg.")
@click.option("--json", "json_file", metavar="FILE", type=_FILE, help="Write all cells there, as JSON.")
@click.option("--model", metavar="M", help="The path or the name of a bundle; by default the shipped one.")
@click.option("--channel", metavar="auto|mix|each|N", help="By default (auto) channels are mixed unless they differ.")
@click.option("--threads", metavar="N", help="How many threads; by default all cores.")
def explain(path: str, **options: Any) -> int:
    """Say on which stretches and bands the verdict on FILE hangs.

    Looked into are the windows that decide: the most suspect ones, or those most like a person where the verdict
    leans that way. Each ends with a check: how far deleting the marked cells moves the llr, and how far as many
    random ones do.
    """
    if path == "-":
        raise click.UsageError("a recording is read twice here, and stdin can be read once; save it as a file first")
    from glottis.explain.picture import check_picture, draw

    if options["picture"] is not None:
        check_picture(options["picture"])
    explanation = _explained(path, options)
    _print(explanation, options["cells"])
    if options["json_file"] is not None:
        _put(options["json_file"], json.dumps(explanation.to_dict(), ensure_ascii=False, indent=1) + "\n")
    if options["picture"] is not None:
        draw(explanation, options["picture"])
    return DONE


def _explained(path: str, options: dict[str, Any]) -> Explanation:
    from glottis.cli.progress import Bar
    from glottis.config import resolve
    from glottis.detector import Detector
    from glottis.explain import explain as look_into

    chosen = resolve({name: options[name] for name in ("model", "threads", "channel")})
    settings = _settings(options)
    with Bar("listening") as bar:
        return look_into(
            path,
            Detector(chosen.model, threads=chosen.threads, prior_spoof=chosen.prior_spoof, device=chosen.device),
            settings=settings,
            channel=chosen.channel,
            progress=lambda done, of: bar.show(done, of, "listening"),
        )


def _settings(options: dict[str, Any]) -> Settings:
    from dataclasses import fields

    from glottis.explain import Settings

    return Settings(**{field.name: options[field.name] for field in fields(Settings)})


def _print(explanation: Explanation, most: int) -> None:
    from glottis.cli.output import Output
    from glottis.explain.words import lines_of

    _warn(explanation.verdict)
    output = Output()
    for line in lines_of(explanation, most=most):
        output.write(f"{printable(line)}\n")


def _warn(verdict: Verdict) -> None:
    for notice in (*verdict.reasons, *verdict.warnings):
        say(f"{verdict.source}: {notice.text}")


def _put(path: Path, text: str) -> None:
    from glottis.errors import ConfigError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", code="setting", hint="choose a file in a folder") from error
