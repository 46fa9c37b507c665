"""`glottis config`: every setting and where it comes from."""

from __future__ import annotations

import json

import click

from glottis.cli.exits import DONE, say
from glottis.cli.text import printable


@click.command()
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def config(form: str) -> int:
    """Show every setting and where it comes from.

    The first that names a setting wins: a flag, a variable GLOTTIS_*, glottis.toml in the working folder, the
    default.
    """
    from glottis.cli.output import Output
    from glottis.config import resolve, unknown_variables

    settings = resolve()
    have = {name: getattr(settings, name) for name in settings.origins}
    output = Output()
    if form == "json":
        rows = {name: {"value": value, "origin": settings.origins[name]} for name, value in have.items()}
        output.write_data(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    else:
        for name, value in have.items():
            shown = "the bundle's" if name == "prior_spoof" and value is None else value
            shown = "the shipped one" if name == "model" and value is None else shown
            output.write(f"{name:<12} {printable(str(shown)):<20} {printable(settings.origins[name])}\n")
    for name in unknown_variables():
        say(f"warning: {name} is no setting of Glottis")
    return DONE
