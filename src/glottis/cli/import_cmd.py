"""`glottis import`: a published checkpoint in, a bundle out."""

from __future__ import annotations

from pathlib import Path

import click

from glottis.cli.exits import DONE

_FILE = click.Path(path_type=Path)


@click.command("import")
@click.argument("file", type=_FILE)
@click.option("--output", metavar="DIR", type=_FILE, required=True, help="The bundle's folder.")
@click.option("--set", "settings", metavar="K=V", multiple=True, help="A setting that no shape tells: fusion=mul.")
@click.option("--name", metavar="NAME", help="The bundle's name, by default the folder's.")
@click.option("--licence", metavar="TEXT", default="unknown", show_default=True, help="Of the weights.")
def import_(file: Path, output: Path, settings: tuple[str, ...], name: str | None, licence: str) -> int:
    """Make a bundle of published weights: AASIST, RawGAT-ST, RawNet2, LFCC-LCNN, SSL-AASIST, SLS; or of a folder.

    FILE is a state dict, read as weights only, or a Hugging Face folder of audio classification with config.json and
    model.safetensors (wav2vec 2.0, HuBERT, WavLM). The bundle scores as the published code does, is not calibrated,
    and holds its net for further training. Needs the extra: pip install 'glottis[train]'; with a speech encoder
    inside, 'glottis[ssl]'.
    """
    from glottis.cli.output import Output
    from glottis.cli.train import need_training

    need_training()
    from glottis.training.importer import import_checkpoint
    from glottis.training.recipe import parse_setting

    values = dict(map(parse_setting, settings))
    Output().write(f"{import_checkpoint(file, output, values, name=name or output.name, licence=licence)}\n")
    return DONE
