"""`glottis embed`: what an encoder makes of each clip, or of its words, kept for training and for probes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from glottis.cli.exits import DONE

_FOLDER = click.Path(path_type=Path)


@click.command()
@click.argument("inputs", nargs=-1, required=True)
@click.option(
    "--encoder", metavar="DIR", type=_FOLDER, required=True, help="Its folder, as glottis models fetch makes."
)
@click.option("--output", metavar="DIR", type=_FOLDER, required=True, help="Where the embeddings go.")
@click.option("--split", metavar="NAME", help="Only this split of the tables.")
@click.option("--layer", metavar="N", help="Keep all frames of one layer: a number from 0, or last.")
@click.option("--window-s", metavar="S", type=click.FloatRange(0.1, 60), default=4.0375, show_default=True)
@click.option("--raw", is_flag=True, help="Do not bring windows to mean 0 and variance 1 (net.normalise = false).")
@click.option("--text", metavar="COLUMN", help="Embed this column of the tables; the encoder is one of text.")
@click.option("--batch", metavar="N", type=click.IntRange(1), default=8, show_default=True, help="Clips at once.")
@click.option(
    "--workers", metavar="N", type=click.IntRange(0), default=1, show_default=True, help="Decoding processes."
)
def embed(inputs: tuple[str, ...], output: Path, text: str | None, **options: Any) -> int:
    """Embed the first window of each clip by a pre-trained speech encoder, and keep that in a folder.

    INPUTS are tables of trials (.csv) and recordings. Kept is the mean over time of every layer, or all frames of
    --layer. A run that was cut goes on when the same command is given again; a GPU is used where there is one. The
    folder is what `data.embeddings` of a recipe and `glottis probe` take. Needs the extra: pip install 'glottis[ssl]'.
    """
    from glottis._extras import need
    from glottis.cli.output import Output
    from glottis.cli.progress import Bar

    for module in ("torch", "safetensors", "transformers"):
        need(module, extra="ssl")
    with Bar("embedding") as bar:

        def progress(done: int, total: int) -> None:
            bar.show(done, total, "embedding")

        if text is None:
            _speech(inputs, output, options, progress)
        else:
            _texts(inputs, output, text, options, progress)
    Output().write(f"{output}\n")
    return DONE


def _speech(inputs: Sequence[str], output: Path, options: dict[str, Any], progress: Any) -> None:
    from glottis.training.embed import Speech, embed_speech

    paths: list[str | Path] = []
    for one in inputs:
        paths += [path for path, _ in _rows(one, options["split"])] if one.endswith(".csv") else [one]
    how = Speech(options["encoder"], options["window_s"], _layer(options["layer"]), normalise=not options["raw"])
    embed_speech(paths, how, output, batch=options["batch"], workers=options["workers"], progress=progress)


def _texts(inputs: Sequence[str], output: Path, column: str, options: dict[str, Any], progress: Any) -> None:
    from glottis.errors import CorpusError
    from glottis.training.embed import embed_texts

    names, texts = [], []
    for table in inputs:
        for path, extra in _rows(table, options["split"]):
            if not extra.get(column, "").strip():
                raise CorpusError(
                    f"{table}: {path} has nothing in the column {column!r}",
                    code="no_text",
                    hint="leave such rows out of the table, or name another column",
                )
            names.append(str(path))
            texts.append(extra[column].strip())
    embed_texts(names, texts, options["encoder"], output, batch=options["batch"], progress=progress)


def _rows(table: str, split: str | None) -> list[tuple[Path, dict[str, str]]]:
    from glottis.corpora import read_trials

    return [(trial.path(Path(table).parent), dict(trial.extra)) for trial in read_trials(table, split=split)]


def _layer(text: str | None) -> int | None:
    from glottis.training.embed import LAST

    if text in (None, "last"):
        return None if text is None else LAST
    if not text.isdecimal():
        raise click.UsageError(f"--layer is a number from 0, or last, and not {text!r}")
    return int(text)
